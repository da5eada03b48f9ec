"""By when: relative to the message's own time, in its author's time zone, null where it cannot be told."""

from datetime import UTC, date, datetime

import pytest

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.adapters.rules.dates import due_in, without_date
from discubot_pipeline.domain.analysis import Brief
from tests.adapters.rules.briefs import message, only


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("today", date(2026, 3, 11)),
        ("by EOD", date(2026, 3, 11)),
        ("by tomorrow", date(2026, 3, 12)),
        ("tomorrow morning", date(2026, 3, 12)),
        ("the day after tomorrow", date(2026, 3, 13)),
        ("by Friday", date(2026, 3, 13)),
        ("on Wednesday", date(2026, 3, 18)),
        ("this Friday", date(2026, 3, 13)),
        ("next Monday", date(2026, 3, 16)),
        ("next Friday", date(2026, 3, 20)),
        ("by end of week", date(2026, 3, 13)),
        ("by EOW", date(2026, 3, 13)),
        ("this week", date(2026, 3, 13)),
        ("by the end of next week", date(2026, 3, 20)),
        ("by end of month", date(2026, 3, 31)),
        ("in 3 days", date(2026, 3, 14)),
        ("within two weeks", date(2026, 3, 25)),
        ("until 12 March", date(2026, 3, 12)),
        ("by March 31st", date(2026, 3, 31)),
        ("by the 3rd of April", date(2026, 4, 3)),
        ("by 3 April 2027", date(2027, 4, 3)),
        ("by 2026-03-12", date(2026, 3, 12)),
        ("by 25/12", date(2026, 12, 25)),
        ("by 3/25", date(2026, 3, 25)),
        ("by 5/5", date(2026, 5, 5)),
        ("bis 24.03.2026", date(2026, 3, 24)),
        ("bis Freitag", date(2026, 3, 13)),
        ("avant vendredi", date(2026, 3, 13)),
        ("voor morgen", date(2026, 3, 12)),
    ],
)
def test_days_that_can_be_told(words: str, expected: date) -> None:
    """Counted from Wednesday, 11 March 2026; the words leave the title."""
    task = only(("Cat", f"Please update the docs {words}"))
    assert task.due_date == expected
    assert task.title == "Update the docs"


@pytest.mark.parametrize(
    "words",
    [
        "by 3/12",
        "from last Friday",
        "since Monday",
        "by 2026-02-31",
        "by 12 February",
        "soon",
        "for Friday's demo",
        "in 3/4 of the files",
    ],
)
def test_days_that_cannot_be_told(words: str) -> None:
    """Two readings, the past and no real day give none."""
    assert only(("Cat", f"Please update the docs {words}")).due_date is None


def test_day_of_its_own_sentence() -> None:
    """A deadline that follows as a sentence belongs to the work before it."""
    assert only(("Cat", "Please update the docs. By Friday please.")).due_date == date(2026, 3, 13)
    assert only(("Cat", "Please update the docs"), ("Cat", "Deadline is 2026-04-01")).due_date == date(2026, 4, 1)


def test_absence_is_no_deadline() -> None:
    """A day in another sentence is not the work's day."""
    assert only(("Cat", "Please update the docs. I am away until Friday.")).due_date is None


@pytest.mark.parametrize(
    ("zone", "team", "expected"),
    [
        ("Asia/Tokyo", "UTC", date(2026, 3, 13)),
        ("America/Los_Angeles", "UTC", date(2026, 3, 12)),
        (None, "Asia/Tokyo", date(2026, 3, 13)),
        (None, "UTC", date(2026, 3, 12)),
        ("Mars/Olympus", "UTC", date(2026, 3, 12)),
    ],
)
def test_tomorrow_is_the_authors(zone: str | None, team: str, expected: date) -> None:
    """At 22:00 UTC it is already the next day in Tokyo; the author's zone goes before the team's."""
    said = message(0, "Cat", "Please update the docs by tomorrow", at=datetime(2026, 3, 11, 22, tzinfo=UTC), zone=zone)
    found = RuleAnalyst().find(Brief(title="Docs", messages=(said,), time_zone=team))
    assert found.tasks[0].due_date == expected


def test_each_message_counts_from_its_own_time() -> None:
    """The same word in an older message means an earlier day."""
    first = message(0, "Ann", "Please update the docs by tomorrow", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    second = message(1, "Ann", "Please renew the certificate by tomorrow", at=datetime(2026, 3, 9, 9, tzinfo=UTC))
    found = RuleAnalyst().find(Brief(title="Docs", messages=(first, second)))
    assert [task.due_date for task in found.tasks] == [date(2026, 3, 3), date(2026, 3, 10)]


def test_greeting_is_no_tomorrow() -> None:
    """Guten Morgen names no day."""
    assert due_in("guten morgen zusammen", message(0, "Ann", ""), "UTC") is None


def test_without_date_keeps_the_rest() -> None:
    """Only the day and the words that lead to it go."""
    assert without_date("send the report to Ann by Friday afternoon please") == "send the report to Ann please"
