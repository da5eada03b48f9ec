"""Figures over paired threads."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bench.analysis.cases import Label
from bench.analysis.matching import Pairing
from discubot_pipeline.domain.analysis import DetectedTask


@dataclass(frozen=True)
class Scores:
    """How well an analyst did. The last three are shares of the matched tasks whose field is right, null included."""

    threads: int
    task_free_threads: int
    labelled: int
    found: int
    matched: int
    precision: float
    recall: float
    f1: float
    false_per_task_free_thread: float
    assignee: float
    due_date: float
    priority: float

    @property
    def figures(self) -> dict[str, Any]:
        """As JSON."""
        return {key: round(value, 4) for key, value in asdict(self).items()}


def score(pairings: Iterable[Pairing]) -> Scores:
    """Sum up paired threads."""
    threads = list(pairings)
    free = [each for each in threads if not each.outcome.case.labels]
    pairs = [pair for each in threads for pair in each.pairs]
    labelled = sum(len(each.outcome.case.labels) for each in threads)
    found = sum(len(each.outcome.found) for each in threads)
    return Scores(
        threads=len(threads),
        task_free_threads=len(free),
        labelled=labelled,
        found=found,
        matched=len(pairs),
        precision=_share(len(pairs), found),
        recall=_share(len(pairs), labelled),
        f1=_share(2 * len(pairs), found + labelled),
        false_per_task_free_thread=sum(len(each.false) for each in free) / len(free) if free else 0.0,
        assignee=_right(pairs, lambda label, task: _is_name(task.assignee, label.assignee)),
        due_date=_right(pairs, lambda label, task: task.due_date in label.due_date),
        priority=_right(pairs, lambda label, task: task.priority in label.priority),
    )


def _share(part: int, whole: int) -> float:
    """Give a share; of nothing everything is right."""
    return part / whole if whole else 1.0


def _right(pairs: list[tuple[Label, DetectedTask]], is_right: Callable[[Label, DetectedTask], bool]) -> float:
    return _share(sum(is_right(label, task) for label, task in pairs), len(pairs))


def _is_name(name: str | None, accepted: tuple[str | None, ...]) -> bool:
    return (name and name.casefold()) in [each and each.casefold() for each in accepted]
