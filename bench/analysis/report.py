"""What people read: figures beside the baseline's, by language and kind, and the worst cases with their text."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from bench.analysis.matching import Pairing
from bench.analysis.scores import Scores, score

ROWS = ("precision", "recall", "f1", "false_per_task_free_thread", "assignee", "due_date", "priority")
WORST = 15
QUOTE = 160


def report(name: str, analyst: str, pairings: Sequence[Pairing], baseline: Scores, with_text: bool) -> str:
    """Write everything."""
    scores = score(pairings)
    return "\n".join(
        chain(
            [
                f"{name}: {scores.threads} threads, {scores.task_free_threads} without a task, {scores.labelled} tasks",
                "",
            ],
            _figures(analyst, scores, baseline),
            _groups("language", pairings, lambda each: each.outcome.case.lang),
            _groups("kind", pairings, lambda each: each.outcome.case.kind),
            _worst(pairings) if with_text else (),
        )
    )


def _figures(analyst: str, scores: Scores, baseline: Scores) -> Iterator[str]:
    yield f"{'':<28}{analyst:>10}{'keywords':>10}{'ratio':>8}"
    for row in ROWS:
        ours, theirs = getattr(scores, row), getattr(baseline, row)
        ratio = f"{ours / theirs:.2f}" if theirs else "-"
        yield f"{row.replace('_', ' '):<28}{ours:>10.2f}{theirs:>10.2f}{ratio:>8}"


def _groups(title: str, pairings: Sequence[Pairing], group_of: Callable[[Pairing], str]) -> Iterator[str]:
    yield f"\n{title:<14}{'threads':>8}{'tasks':>7}{'found':>7}{'right':>7}{'precision':>11}{'recall':>8}"
    for name in sorted({group_of(each) for each in pairings}):
        part = score(each for each in pairings if group_of(each) == name)
        counts = f"{part.threads:>8}{part.labelled:>7}{part.found:>7}{part.matched:>7}"
        yield f"{name:<14}{counts}{part.precision:>11.2f}{part.recall:>8.2f}"


def _worst(pairings: Sequence[Pairing]) -> Iterator[str]:
    """Quote the threads with the most mistakes, then wrong fields of right tasks."""
    by_mistakes = sorted(pairings, key=lambda each: -len(each.missed) - len(each.false))
    worst = [each for each in by_mistakes if each.missed or each.false]
    yield f"\nthe worst {min(WORST, len(worst))} of {len(worst)} threads with a mistake"
    for each in worst[:WORST]:
        case = each.outcome.case
        yield from (f"{case.id} missed  {label.title} ← {case.said(label.evidence)[:QUOTE]!r}" for label in each.missed)
        yield from (
            f"{case.id} false   {task.title} ← {case.said({task.evidence or ''})[:QUOTE]!r}" for task in each.false
        )
    yield "\nwrong fields of right tasks"
    yield from chain.from_iterable(map(_wrong_fields, pairings))


def _wrong_fields(pairing: Pairing) -> Iterator[str]:
    for label, task in pairing.pairs:
        for field in ("assignee", "due_date", "priority"):
            given, accepted = getattr(task, field), getattr(label, field)
            if given not in accepted:
                yield f"{pairing.outcome.case.id} {field} of {task.title!r}: {_shown(given)}, not {_shown(accepted[0])}"


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
