"""Which clauses become tasks: the likeliest first, each only when it is work that none before it has named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from discubot_pipeline.adapters.learned.talk import Clause
from discubot_pipeline.adapters.learned.traits import Features

LEAST = 0.12
"""A clause that is less likely than this is no candidate."""

MOST = 30
ALIKE = 0.75
FAR = 9
_FORM = ("object", "s item", "tier", "question", "people", *(f"c {cue}" for cue in ["pointer", "commit", "request"]))
_PLACE = (
    "whole",
    "starts",
    "t sentences",
    "s place",
    "words",
    "t left",
    "talk",
    "opener",
    "best here",
    "s due",
    "look",
    "heard look",
    "heard best here",
)
_LOOKS = tuple(
    f"{where} {heard}{what}"
    for heard in ("", "heard ")
    for where, what in (
        ("this", "part"),
        ("this", "takes"),
        ("this", "supports"),
        ("next", "takes"),
        ("next", "part"),
        ("before", "part"),
    )
)


@dataclass(frozen=True)
class Candidate:
    """A clause, how likely it names work, and how it stands."""

    clause: Clause
    chance: float
    standing: Features

    def clashes(self, other: "Candidate") -> bool:
        """Say whether two cannot both be tasks: they share words of a sentence, or nearly all words."""
        return self.clause.crosses(other.clause) or _dice(self.clause.content, other.clause.content) >= ALIKE


def candidates(clauses: Sequence[Clause], chances: Sequence[float], standings: Sequence[Features]) -> list[Candidate]:
    """Give the clauses worth a look, the likeliest first."""
    found = map(Candidate, clauses, chances, standings)
    return sorted((each for each in found if each.chance >= LEAST), key=lambda each: -each.chance)[:MOST]


def of_pair(one: Candidate, other: Candidate, all_of: Sequence[Candidate]) -> Features:
    """Describe two candidates: whether they are the same work is learned from this."""
    one, other = sorted((one, other), key=lambda each: each.clause.position)
    left, right = one.clause, other.clause
    common = len(left.content & right.content)
    between = [
        each.chance
        for each in all_of
        if left.position < each.clause.position < right.position
        and not each.clause.crosses(left)
        and not each.clause.crosses(right)
    ]
    earlier = [each.chance for each in all_of if each.clause.turn.place < right.turn.place and each is not one]
    found: Features = {
        "dice": _dice(left.content, right.content),
        "inside": common / max(1, min(len(left.content), len(right.content))),
        "common": common,
        "left content": len(left.content),
        "right content": len(right.content),
        "same turn": float(left.turn.place == right.turn.place),
        "same sentence": float(left.sentence.order == right.sentence.order),
        "sentences": min(FAR, right.sentence.order - left.sentence.order),
        "turns": min(FAR, right.turn.place - left.turn.place),
        "same author": float(left.turn.author == right.turn.author),
        "left chance": one.chance,
        "right chance": other.chance,
        "between": max(between, default=0.0),
        "number between": len(between),
        "earlier": max(earlier, default=0.0),
        "number earlier": len(earlier),
    }
    for name in (*_FORM, *_PLACE, *_LOOKS):
        found[f"left {name}"] = one.standing.get(name, 0.0)
        found[f"right {name}"] = other.standing.get(name, 0.0)
    return found


def of_choice(
    candidate: Candidate, chosen: Sequence[Candidate], likeness: Sequence[float], all_of: Sequence[Candidate]
) -> Features:
    """Describe a candidate beside those chosen before it: whether it is new work is learned from this."""
    nearest = chosen[likeness.index(max(likeness))] if chosen else None
    found: Features = {
        "chance": candidate.chance,
        "likest": max(likeness, default=-1.0),
        "likeness": sum(likeness),
        "chosen": len(chosen),
        "chosen here": sum(each.clause.turn.place == candidate.clause.turn.place for each in chosen),
        "dice": max((_dice(each.clause.content, candidate.clause.content) for each in chosen), default=-1.0),
        "nearest chance": nearest.chance if nearest else -1.0,
        "nearest turn": nearest.clause.turn.place - candidate.clause.turn.place if nearest else -FAR,
        "all chances": sum(each.chance for each in all_of),
        "best chance": all_of[0].chance,
        "new chance": candidate.chance * prod(1 - each for each in likeness),
    }
    return (
        found | _beside(candidate, chosen, all_of) | {f"own {name}": each for name, each in candidate.standing.items()}
    )


def _beside(candidate: Candidate, chosen: Sequence[Candidate], all_of: Sequence[Candidate]) -> Features:
    """Describe how a candidate ranks among those that it excludes and those that it does not."""
    clause = candidate.clause
    others = [each for each in all_of if each is not candidate]
    apart = [each for each in others if not each.clause.crosses(clause)]
    crossing = [each.chance for each in others if each.clause.crosses(clause)]
    turns = [each.clause.turn for each in chosen]
    return {
        "best apart": max((each.chance for each in apart), default=0.0),
        "best apart here": max((each.chance for each in apart if each.clause.turn is clause.turn), default=0.0),
        "best crossing": max(crossing, default=0.0),
        "better": sum(each.chance > candidate.chance for each in others),
        "candidates": len(all_of),
        "same sentence": float(any(each.clause.sentence is clause.sentence for each in chosen)),
        "alike": sum(len(each.clause.content & clause.content) for each in chosen) / max(1, len(clause.content)),
        "same author": float(any(turn.author == clause.turn.author for turn in turns)),
        "after": float(any(turn.place < clause.turn.place for turn in turns)),
        "before": float(any(turn.place > clause.turn.place for turn in turns)),
    }


def choose(
    all_of: Sequence[Candidate],
    is_same: Callable[[Features], float],
    is_new: Callable[[Features], float],
    threshold: float,
) -> list[tuple[Candidate, float]]:
    """Choose, greedily; gives the candidates with the chance that each is new work."""
    chosen: list[Candidate] = []
    found: list[tuple[Candidate, float]] = []
    for candidate in all_of:
        if any(candidate.clashes(each) for each in chosen):
            continue
        likeness = [is_same(of_pair(candidate, each, all_of)) for each in chosen]
        chance = is_new(of_choice(candidate, chosen, likeness, all_of))
        if chance >= threshold:
            chosen.append(candidate)
            found.append((candidate, chance))
    return found


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
