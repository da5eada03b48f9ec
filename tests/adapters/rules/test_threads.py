"""Whole threads of people at work, read as they read them."""

from datetime import date

from discubot_pipeline.domain.analysis import DetectedTask
from tests.adapters.rules.briefs import tasks

Row = tuple[str, str | None, date | None]


def rows(found: tuple[DetectedTask, ...]) -> list[Row]:
    """Give title, owner and day of each task."""
    return [(task.title, task.assignee, task.due_date) for task in found]


def test_minutes() -> None:
    """Minutes name owners before, behind and inside the items; what is ticked is done."""
    found = tasks(
        (
            "Ann",
            "Action items:\n- Ann: send the minutes to Acme by EOD\n- Bob - update the roadmap\n"
            "- book a room for the retro (Cat)\n- [x] pay the invoice",
        ),
        ("Cat", "ok"),
    )
    assert rows(found) == [
        ("Send the minutes to Acme", "Ann", date(2026, 3, 11)),
        ("Update the roadmap", "Bob", None),
        ("Book a room for the retro", "Cat", None),
    ]


def test_design_review() -> None:
    """Feedback as a list, taken as a whole by one person."""
    found = tasks(
        (
            "Ann",
            "Feedback on the mockups (https://example.org/file):\n1. Increase the spacing between the cards\n"
            "2. Replace the old icons\n3. Make the main button bigger",
        ),
        ("Bob", "Good points! I'll do these tomorrow 💪"),
    )
    assert [task.title for task in found] == [
        "Increase the spacing between the cards",
        "Replace the old icons",
        "Make the main button bigger",
    ]
    assert {(task.assignee, task.due_date) for task in found} == {("Bob", date(2026, 3, 12))}


def test_code_review() -> None:
    """Orders with code in the opening of a thread are work; the nod below adds nothing."""
    found = tasks(
        ("Ann", "Rename `getUser` to `fetchUser` in the API client and add a deprecation warning"), ("Bob", "👍")
    )
    assert [task.title for task in found] == [
        "Rename `getUser` to `fetchUser` in the API client",
        "Add a deprecation warning",
    ]
