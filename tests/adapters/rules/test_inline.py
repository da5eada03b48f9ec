"""Lists that people write into a sentence, and lists of who does what."""

from datetime import date

import pytest

from tests.adapters.rules.briefs import tasks, titles


def test_things_to_do_after_a_colon() -> None:
    """Orders in a row after a heading are work each, by the day of the heading."""
    found = tasks(("Ann", "Before Friday we have to: freeze deploys, warn the customers, and test the restore."))
    assert [task.title for task in found] == ["Freeze deploys", "Warn the customers", "Test the restore"]
    assert {task.due_date for task in found} == {date(2026, 3, 13)}


def test_who_does_what_in_one_sentence() -> None:
    """Names with verbs are owners with work; I is the writer."""
    found = tasks(("Ann", "Proposal: Bob reworks the filter bar, and I draft the budget"))
    assert [(task.title, task.assignee) for task in found] == [
        ("Rework the filter bar", "Bob"),
        ("Draft the budget", "Ann"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Plan:\n- Bob: update the runbook\n- me: add an alert",
        "Bob to update the runbook. Ann to add an alert.",
        "goals: (1) update the runbook – Bob (2) add an alert – me",
        "Actions:\n• update the runbook → Bob\n• add an alert (Ann, soon)",
    ],
)
def test_owners_are_written_in_many_ways(text: str) -> None:
    """Before a colon, behind a dash, an arrow or in brackets; "me" is the writer."""
    found = [(task.title, task.assignee) for task in tasks(("Ann", text))]
    assert found == [("Update the runbook", "Bob"), ("Add an alert", "Ann")]


@pytest.mark.parametrize(
    "text",
    [
        "Three things I love: good coffee, quiet mornings and long walks",
        "Bob likes tea, and I like coffee",
        "Update: Ann is on support, Bob is off",
        "We have two offices: Ghent and Delft",
    ],
)
def test_other_enumerations_are_no_work(text: str) -> None:
    """What is only counted up is not to be done."""
    assert titles(("Ann", text)) == []
