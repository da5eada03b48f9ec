"""The labelled threads, as they lie in `threads/`, and what an analyst says of each."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from discubot_pipeline.cli.analyze import ThreadFile
from discubot_pipeline.domain.analysis import Brief, DetectedTask
from discubot_pipeline.ports import Analyst

THREADS = Path(__file__).with_name("threads")
WRITERS = (
    *("w1", "w2", "w3", "a", "b", "c", "p", "q", "r", "s", "t", "u", "v", "x", "y", "g", "h", "i", "j", "n", "o"),
    *("aa", "ab", "ac", "ad", "ae", "l", "ba", "bb", "bc", "bd", "ca", "cb"),
)


@dataclass(frozen=True)
class Label:
    """A task that a person finds in a thread. Of each field several values may be right, the first is the best."""

    titles: tuple[str, ...]
    evidence: frozenset[str]
    assignee: tuple[str | None, ...]
    due_date: tuple[date | None, ...]
    priority: tuple[str | None, ...]

    @property
    def title(self) -> str:
        """The title that a person gave it."""
        return self.titles[0]


@dataclass(frozen=True)
class Case:
    """A labelled thread."""

    raw: dict[str, Any]
    labels: tuple[Label, ...]

    @property
    def id(self) -> str:
        """Its name in the reports."""
        return str(self.raw["id"])

    @property
    def kind(self) -> str:
        """What kind of discussion it is."""
        return str(self.raw["kind"])

    @property
    def lang(self) -> str:
        """The language it is in."""
        return str(self.raw["lang"])

    @cached_property
    def brief(self) -> Brief:
        """The thread as the pipeline would hand it to an analyst; labels stay out."""
        return ThreadFile.read({key: value for key, value in self.raw.items() if key != "tasks"}).brief

    def said(self, evidence: frozenset[str] | set[str]) -> str:
        """Quote messages."""
        lines = (self.raw["messages"][int(place)] for place in sorted(evidence) if place.isdigit())
        return " / ".join(f"{line['author']}: {line['text']}" for line in lines)


@dataclass(frozen=True)
class Outcome:
    """What an analyst found in a labelled thread."""

    case: Case
    found: tuple[DetectedTask, ...]


def load(name: str) -> list[Case]:
    """Read the threads of one set; a writer's name is for their threads in `train`."""
    if name in WRITERS:
        return [case for case in load("train") if case.id.startswith(f"{name}-")]
    lines = (THREADS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_case(json.loads(line)) for line in lines]


def outcomes(cases: list[Case], analyst: Analyst) -> list[Outcome]:
    """Let an analyst read all threads."""
    return [Outcome(case, analyst.analyze(case.brief).findings.tasks) for case in cases]


def _case(raw: dict[str, Any]) -> Case:
    return Case(raw, tuple(_label(task) for task in raw["tasks"]))


def _label(task: dict[str, Any]) -> Label:
    return Label(
        titles=(task["title"], *task.get("aliases", ())),
        evidence=frozenset(map(str, task["evidence"])),
        assignee=_accepted(task, "assignee"),
        due_date=tuple(date.fromisoformat(day) if day else None for day in _accepted(task, "due_date")),
        priority=_accepted(task, "priority"),
    )


def _accepted(task: dict[str, Any], field: str) -> tuple[str | None, ...]:
    return (task[field], *task.get(f"{field}_also", ()))
