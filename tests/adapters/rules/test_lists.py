"""Lists: their heading says what their items are."""

from datetime import date

import pytest

from tests.adapters.rules.briefs import only, tasks, titles


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "For the release we need:\n- a changelog\n- update the docs\n- the header fixed on mobile",
            ["Get a changelog", "Update the docs", "Get the header fixed on mobile"],
        ),
        ("TODO:\n* fix the header\n* footer links", ["Fix the header", "Footer links"]),
        ("Action items:\n1. fix the header\n2) update the footer", ["Fix the header", "Update the footer"]),
        ("Please fix:\n• the header\n• the footer", ["Fix the header", "Fix the footer"]),
        ("Can you do the following?\n- fix the header\n- update the footer", ["Fix the header", "Update the footer"]),
        ("- fix the header\n- update the footer", ["Fix the header", "Update the footer"]),
        ("- [ ] write the docs\n- [x] fix the header", ["Write the docs"]),
        ("☐ write the docs\n☑ fix the header", ["Write the docs"]),
        ("1. Fix the header 2. Update the footer", ["Fix the header", "Update the footer"]),
        (
            "Feedback on the mockups:\n- Increase the spacing\n- Make the button bigger",
            ["Increase the spacing", "Make the button bigger"],
        ),
    ],
)
def test_items_are_tasks(text: str, expected: list[str]) -> None:
    """One task for each item of a list of work."""
    assert titles(("Cat", text)) == expected


def test_steps_are_action_items() -> None:
    """A list under one piece of work is how to do it."""
    task = only(("Cat", "To migrate the database we need to:\n1. dump the old one\n2. load the new one"))
    assert task.title == "Migrate the database"
    assert task.action_items == ("Dump the old one", "Load the new one")


def test_list_of_one_person() -> None:
    """A name as heading owns the items."""
    found = tasks(("Cat", "Ann:\n- update the docs\n- fix the header"))
    assert [(task.title, task.assignee) for task in found] == [("Update the docs", "Ann"), ("Fix the header", "Ann")]


def test_owners_and_days_of_items() -> None:
    """Minutes name the owner of each item, before or behind it, and the heading the day for all."""
    found = tasks(
        (
            "Cat",
            "Action items for Friday:\n- Ann: send the minutes by EOD\n- Bob - update the roadmap\n- book a room (Cat)",
        )
    )
    assert [(task.title, task.assignee, task.due_date) for task in found] == [
        ("Send the minutes", "Ann", date(2026, 3, 11)),
        ("Update the roadmap", "Bob", date(2026, 3, 13)),
        ("Book a room", "Cat", date(2026, 3, 13)),
    ]


def test_heading_in_the_message_before() -> None:
    """People often send the list as a message of its own."""
    assert titles(("Cat", "There are two things left 👇"), ("Cat", "1. fix the header\n2. update the footer")) == [
        "Fix the header",
        "Update the footer",
    ]
