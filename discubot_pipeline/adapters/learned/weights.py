"""The weights learned from labelled threads, as they lie beside this file; `bench.analysis.train` writes them."""

import gzip
import json
from dataclasses import dataclass
from functools import cache, cached_property
from math import exp
from pathlib import Path
from typing import Any

from discubot_pipeline.adapters.learned.traits import Features

WEIGHTS = Path(__file__).with_name("weights.json.gz")
CLIP = 4.0
"""A number counts at most so many standard deviations from its mean."""

MOST_ODDS = 16.0


@dataclass(frozen=True)
class Counts:
    """A logistic regression over counted words: a feature that it does not know says nothing."""

    bias: float
    weights: dict[str, float]

    def odds(self, features: Features) -> float:
        """Give the log odds."""
        known = self.weights
        return self.bias + sum(known[name] * value for name, value in features.items() if name in known)


@dataclass(frozen=True)
class Measures:
    """A logistic regression over numbers, each with its mean, its deviation and its weight."""

    bias: float
    terms: dict[str, tuple[float, float, float]]

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Measures":
        """Read it as JSON holds it."""
        return cls(value["bias"], {name: tuple(term) for name, term in value["terms"].items()})

    def chance(self, features: Features) -> float:
        """Give the chance, 0 to 1."""
        return chance_of(self.odds(features))

    def odds(self, features: Features) -> float:
        """Give the log odds."""
        known = self.terms
        odds = self._of_nothing
        for name, value in features.items():
            if value and name in known:
                mean, deviation, weight = known[name]
                odds += weight * (_clipped((value - mean) / deviation) - _clipped(-mean / deviation))
        return odds

    @cached_property
    def _of_nothing(self) -> float:
        """Give the odds where every number is 0."""
        return self.bias + sum(weight * _clipped(-mean / deviation) for mean, deviation, weight in self.terms.values())


@dataclass(frozen=True)
class Trees:
    """Boosted decision trees over numbers. A node is its feature's place (-1 for a leaf), the greatest value that goes
    left, the places of the nodes to the left and to the right, and what a leaf adds to the log odds.
    """

    bias: float
    names: list[str]
    trees: list[list[tuple[int, float, int, int, float]]]

    def odds(self, features: Features) -> float:
        """Give the log odds."""
        values = [features.get(name, 0.0) for name in self.names]
        odds = self.bias
        for nodes in self.trees:
            feature, most, left, right, leaf = nodes[0]
            while feature >= 0:
                feature, most, left, right, leaf = nodes[left if values[feature] <= most else right]
            odds += leaf
        return odds


@dataclass(frozen=True)
class Judge:
    """A regression and trees over the same numbers: what both say together is righter than either."""

    measures: Measures
    trees: Trees

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Judge":
        """Read it as JSON holds it."""
        return cls(Measures.of(value["measures"]), Trees(**value["trees"]))

    def chance(self, features: Features) -> float:
        """Give the chance, 0 to 1."""
        return chance_of((self.measures.odds(features) + self.trees.odds(features)) / 2)


@dataclass(frozen=True)
class Weights:
    """All that was learned, in the order in which it is used."""

    about: Measures
    first: dict[str, Counts]
    work: Judge
    same: Judge
    new: Judge
    owner: Measures
    threshold: float

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Weights":
        """Read weights as JSON holds them."""
        return cls(
            about=Measures.of(value["about"]),
            first={name: Counts(**each) for name, each in value["first"].items()},
            work=Judge.of(value["work"]),
            same=Judge.of(value["same"]),
            new=Judge.of(value["new"]),
            owner=Measures.of(value["owner"]),
            threshold=value["threshold"],
        )


def chance_of(odds: float) -> float:
    """Turn log odds into a chance."""
    return 1 / (1 + exp(-min(MOST_ODDS, max(-MOST_ODDS, odds))))


def _clipped(value: float) -> float:
    return min(CLIP, max(-CLIP, value))


@cache
def learned() -> Weights:
    """Read the weights, once a process and not before they are needed."""
    with gzip.open(WEIGHTS, "rt", encoding="utf-8") as file:
        return Weights.of(json.load(file))
