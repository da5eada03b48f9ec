"""The evaluation of analysts: its match rule, its pairing, its figures and its threads."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bench.analysis.cases import Case, Label, Outcome, load
from bench.analysis.matching import likeness, overlap, pair
from bench.analysis.scores import score
from discubot_pipeline.domain.analysis import DetectedTask

ROOT = Path(__file__).parents[2]
LONGER = 30
"""A message of so many characters says more than hello; two writers do not write the same one by chance."""

RAW = {"id": "x", "source": "slack", "kind": "k", "lang": "en", "messages": [], "people": [], "tasks": []}


def label(*titles: str, evidence: str = "0", assignee: str | None = None, due: date | None = None) -> Label:
    """Write a labelled task."""
    return Label(titles, frozenset({evidence}), (assignee,), (due,), (None,))


def found(title: str, evidence: str = "0", assignee: str | None = None) -> DetectedTask:
    """Write a found task."""
    return DetectedTask(title=title, evidence=evidence, assignee=assignee)


def outcome(labels: list[Label], tasks: list[DetectedTask]) -> Outcome:
    """Write what was found in a thread."""
    return Outcome(Case(RAW, tuple(labels)), tuple(tasks))


def openings(cases: list[Case]) -> set[tuple[str, ...]]:
    """Give the first two messages of each thread."""
    return {tuple(message["text"] for message in case.raw["messages"][:2]) for case in cases}


def sayings(cases: list[Case]) -> set[str]:
    """Give the messages that are no mere greeting or thanks."""
    texts = (message["text"] for case in cases for message in case.raw["messages"])
    return {text for text in texts if len(text) >= LONGER}


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("Fix the header", "fix header", 1.0),
        ("Updating the headers", "update the header", 1.0),
        ("Fix the header", "Update the footer", 0.0),
        ("Prüfe die Übersetzung", "prufe ubersetzung", 1.0),
        ("the", "the", 0.0),
    ],
)
def test_overlap_is_of_words_that_mean_something(one: str, other: str, value: float) -> None:
    """Articles, accents and endings do not count."""
    assert overlap(one, other) == value


@pytest.mark.parametrize(
    ("task", "is_same"),
    [
        (found("Renew the certificate", "5"), True),
        (found("Certificate will end soon, says the monitor", "0"), True),
        (found("Certificate will end soon, says the monitor", "5"), False),
        (found("Buy cake", "0"), False),
    ],
)
def test_match_rule(task: DetectedTask, is_same: bool) -> None:
    """Half of the words are enough anywhere, a quarter in the same message, the same message alone never."""
    assert bool(likeness(label("Renew the certificate for the api"), task)) is is_same


def test_another_title_is_as_good() -> None:
    """A label's other wordings count like its title."""
    assert likeness(label("Renew it", "Swap the old certificate"), found("swap certificate")) > 0


def test_pairing_is_the_best_of_all() -> None:
    """Each task is paired once, so that most fit; what remains is missed or false."""
    result = pair(
        outcome([label("Fix the header"), label("Fix the header of the mail")], [found("Fix the mail header")])
    )
    assert [each.title for each, _ in result.pairs] == ["Fix the header of the mail"]
    assert [each.title for each in result.missed] == ["Fix the header"]
    assert result.false == ()


def test_figures() -> None:
    """Precision, recall and F1 are over tasks, fields over matched tasks, false tasks over task-free threads."""
    right = pair(
        outcome([label("Fix the header", assignee="Ann"), label("Buy cake")], [found("Fix header", "0", "ann")])
    )
    free = pair(outcome([], [found("Sing a song")]))
    figures = score([right, free])
    assert (figures.precision, figures.recall, figures.f1) == (0.5, 0.5, 0.5)
    assert (figures.assignee, figures.due_date, figures.false_per_task_free_thread) == (1.0, 1.0, 1.0)


def test_nothing_is_measured_of_nothing() -> None:
    """Without a thread no figure fails."""
    assert score([]).f1 == 1.0


@pytest.mark.parametrize("name", ["dev", "train", "heldout", "blind", "sealed", "judge"])
def test_threads_hold_together(name: str) -> None:
    """Every id is there once, evidence names messages, owners are people, two fifths have no task."""
    cases = load(name)
    assert max(Counter(case.id for case in cases).values()) == 1
    assert sum(not case.labels for case in cases) >= 0.39 * len(cases)
    for case in cases:
        places = {str(place) for place in range(len(case.raw["messages"]))}
        for each in case.labels:
            assert each.evidence <= places
            assert {*each.assignee} <= {None, *case.raw["people"]}
        assert case.brief.messages


def test_the_sets_share_nothing() -> None:
    """No held-out thread is learned from: not how it begins, nor any message that is more than a greeting."""
    learned = [case for name in ("dev", "train") for case in load(name)]
    unseen = [case for name in ("heldout", "blind", "sealed", "judge") for case in load(name)]
    assert openings(learned).isdisjoint(openings(unseen))
    assert sayings(learned).isdisjoint(sayings(unseen))


def test_the_command_writes_its_figures(tmp_path: Path) -> None:
    """The keys that others read are there, the baseline's beside them."""
    path = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", "analysis", "--set", "dev", "--figures-only", "--json", str(path)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    figures = json.loads(path.read_text())
    keys = {"precision", "recall", "f1", "false_per_task_free_thread", "assignee", "due_date", "priority"}
    assert keys <= set(figures)
    assert keys <= set(figures["baseline"])
    assert figures["f1"] > figures["baseline"]["f1"]
    assert "precision" in shown


def test_all_benches_are_listed() -> None:
    """`python -m bench` alone names every bench."""
    shown = subprocess.run([sys.executable, "-m", "bench"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("analysis ")
