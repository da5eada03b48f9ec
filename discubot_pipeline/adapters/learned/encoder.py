"""A small language model, tuned to hear work: MiniLM in six layers, with a head each for clauses, messages, threads.

The weights lie beside this file as whole numbers of 8 bits with a scale for each output; `bench.analysis.tune` writes
them. They stay so in memory, which forked workers share, and one processor thread multiplies them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # heard when NumPy is loaded: no threads, so that one may fork

import numpy as np
from numpy.typing import NDArray

from discubot_pipeline.adapters.learned.pieces import START, Part, Pieces
from discubot_pipeline.adapters.learned.talk import Clause

ENCODER = Path(__file__).with_name("encoder.npz")
WIDTH, HEADS = 384, 12
TINY = 1e-12
Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Heard:
    """What the encoder says of a stretch of a thread, as log odds: of each clause that it names work; of each part
    that it belongs to work, that its author takes work, that it supports work named elsewhere; of all that it holds
    work.
    """

    clauses: Floats
    parts: Floats
    talk: float


@dataclass(frozen=True)
class Linear:
    """A matrix of small whole numbers, with a scale and something to add for each output."""

    weights: NDArray[np.int8]
    scale: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """Multiply rows."""
        product: Floats = (x @ self.weights.astype(np.float32)) * self.scale + self.bias
        return product


@dataclass(frozen=True)
class Norm:
    """Brings rows to mean 0 and deviation 1, then to learned ones."""

    weights: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """Bring them there."""
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(TINY))
        normal: Floats = centred / deviation * self.weights + self.bias
        return normal


@dataclass(frozen=True)
class Layer:
    """One layer of the transformer: pieces look at each other, then each thinks for itself."""

    qkv: Linear
    out: Linear
    first: Norm
    wide: Linear
    narrow: Linear
    second: Norm

    def __call__(self, x: Floats) -> Floats:
        """Go through the layer; rows are pieces."""
        queries, keys, values = self.qkv(x).reshape(len(x), 3, HEADS, -1).transpose(1, 2, 0, 3)
        seen = softmax(queries @ keys.transpose(0, 2, 1) / np.float32(sqrt(WIDTH / HEADS))) @ values
        x = self.first(x + self.out(seen.transpose(1, 0, 2).reshape(len(x), WIDTH)))
        return self.second(x + self.narrow(gelu(self.wide(x))))


class Encoder:
    """The model, from a file of arrays."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            arrays: Arrays = dict(file)
        self.pieces = Pieces(arrays["vocabulary"].tobytes().decode().split("\n"))
        self._words, self._scale = arrays["words"], arrays["words.scale"]
        self._places, self._norm = arrays["places"], norm(arrays, "norm")
        self._layers = [layer(arrays, f"layer{place}.") for place in range(int(arrays["layers"]))]
        self._wide, self._clause = linear(arrays, "clause.wide"), linear(arrays, "clause.out")
        self._part, self._talk = linear(arrays, "part"), linear(arrays, "talk")

    def hear(self, parts: Sequence[Part], clauses: Sequence[tuple[int, Clause]]) -> Heard:
        """Read parts of a thread at once, and the clauses in them, each with the place of its part."""
        ids, begins = [self.pieces[START]], []
        for part in parts:
            begins.append(len(ids))
            ids += part.pieces
        x = self._read(ids)
        rows = [self._row(x, begins[place], parts[place].span_of(clause)) for place, clause in clauses]
        named = self._clause(gelu(self._wide(np.stack(rows))))[:, 0] if rows else np.zeros(0, np.float32)
        return Heard(named, self._part(x[begins]), float(self._talk(x[:1])[0, 0]))

    def _read(self, ids: Sequence[int]) -> Floats:
        x: Floats = self._words[ids].astype(np.float32) * self._scale[ids, None] + self._places[: len(ids)]
        x = self._norm(x)
        for each in self._layers:
            x = each(x)
        return x

    @staticmethod
    def _row(x: Floats, begin: int, span: tuple[int, int]) -> Floats:
        start, end = begin + span[0], begin + span[1]
        row: Floats = np.concatenate((x[start:end].mean(axis=0), x[begin], x[start]))
        return row


def linear(arrays: Arrays, name: str) -> Linear:
    """Take a matrix out of a file's arrays."""
    return Linear(arrays[name], arrays[f"{name}.scale"], arrays[f"{name}.bias"])


def norm(arrays: Arrays, name: str) -> Norm:
    """Take what a norm learned out of a file's arrays."""
    return Norm(arrays[name], arrays[f"{name}.bias"])


def layer(arrays: Arrays, name: str) -> Layer:
    """Take a layer out of a file's arrays."""
    return Layer(
        qkv=linear(arrays, f"{name}qkv"),
        out=linear(arrays, f"{name}out"),
        first=norm(arrays, f"{name}first"),
        wide=linear(arrays, f"{name}wide"),
        narrow=linear(arrays, f"{name}narrow"),
        second=norm(arrays, f"{name}second"),
    )


def softmax(x: Floats) -> Floats:
    """Turn scores into shares of 1."""
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def gelu(x: Floats) -> Floats:
    """Let through what is above 0, by the usual approximation."""
    bent: Floats = (
        np.float32(0.5) * x * (1 + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)))
    )
    return bent


@cache
def encoder() -> Encoder:
    """Load the package's weights, once a process and not before they are needed."""
    return Encoder(ENCODER)
