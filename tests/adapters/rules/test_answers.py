"""Work that comes about between two people: one asks, offers or reports, the other answers."""

from datetime import date

import pytest

from tests.adapters.rules.briefs import Line, only, titles

taken_for_work = pytest.mark.xfail(strict=True, reason="known limit: the analyst takes it for work")
REPORT = ("Ann", "The invoice export drops the last row")


@pytest.mark.parametrize(
    "answer",
    ["Sure", "ok, will do", "np", "yep", "consider it done", "can do", "on it", "gladly", "alright"],
)
def test_who_says_yes_owns_the_request(answer: str) -> None:
    """A short yes to a request takes it."""
    assert only(("Ann", "Can you update the price list?"), ("Bob", answer)).assignee == "Bob"


def test_a_yes_with_a_day_dates_the_request() -> None:
    """The day of the answer is the day of the work."""
    task = only(("Ann", "Could you rename the staging bucket?"), ("Bob", "ok, on Friday"))
    assert (task.assignee, task.due_date) == ("Bob", date(2026, 3, 13))


@pytest.mark.parametrize(
    "promise",
    [
        "I'll take care of it",
        "that's on my plate",
        "on it, tomorrow",
        "correcting it today",
        "that one is mine",
        "working on it",
        "fix will be up tonight",
    ],
)
def test_a_report_that_somebody_takes_is_work(promise: str) -> None:
    """What was only reported becomes work of who takes it on, in whatever words."""
    task = only(REPORT, ("Bob", promise))
    assert "invoice export" in task.title
    assert task.assignee == "Bob"


@pytest.mark.parametrize(
    "reaction",
    [
        "interesting",
        "working from home",
        *(pytest.param(each, marks=taken_for_work) for each in ("oh no", "same here", "since when?")),
    ],
)
def test_a_report_that_nobody_takes_is_none(reaction: str) -> None:
    """A report and a reaction are no work."""
    assert titles(REPORT, ("Bob", reaction)) == []


def test_a_verb_comes_back() -> None:
    """ "Will check after lunch" takes the check; "checked" alone would not name another one."""
    assert only(("Ann", "Please check the FAQ for the old price"), ("Bob", "will check after lunch")).assignee == "Bob"


@pytest.mark.parametrize(
    "lines",
    [
        (("Ann", "How do I sort a list in place?"), ("Bob", "use sort!, it is in base"), ("Ann", "will do, thanks")),
        pytest.param(
            (("Ann", "Is there a way to trace this?"), ("Bob", "add a print in the loop"), ("Ann", "ok, doing that")),
            marks=taken_for_work,
        ),
        (("Ann", "why does it fail?"), ("Bob", "remove the second argument"), ("Ann", "sure")),
    ],
)
def test_help_is_no_work(lines: tuple[Line, ...]) -> None:
    """Who follows advice at a help desk takes on nothing."""
    assert titles(*lines) == []
