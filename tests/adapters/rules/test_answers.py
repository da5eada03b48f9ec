"""Work that comes about between two people: one asks, offers or reports, the other answers."""

from datetime import date

import pytest

from tests.adapters.rules.briefs import Line, only, tasks, titles

REPORT = ("Ann", "The invoice export drops the last row")


@pytest.mark.parametrize(
    "answer",
    ["Sure", "ok, will do", "np", "yep", "consider it done", "can do", "on it", "gladly", "alright"],
)
def test_who_says_yes_owns_the_request(answer: str) -> None:
    """A short yes to a request takes it."""
    assert only(("Ann", "Can you update the price list?"), ("Bob", answer)).assignee == "Bob"


@pytest.mark.parametrize("answer", ["Why?", "no", "I can't, sorry", "Okay, but you know it better", "maybe later"])
def test_other_answers_take_nothing(answer: str) -> None:
    """A question, a no and a but leave the request with nobody."""
    assert only(("Ann", "Can you update the price list?"), ("Bob", answer)).assignee is None


def test_a_yes_with_a_day_dates_the_request() -> None:
    """The day of the answer is the day of the work."""
    task = only(("Ann", "Could you rename the staging bucket?"), ("Bob", "ok, on Friday"))
    assert (task.assignee, task.due_date) == ("Bob", date(2026, 3, 13))


@pytest.mark.parametrize(
    "welcome", ["yes please", "that would be great", "go for it", "perfect, thanks", "please do", "+1"]
)
def test_a_welcomed_offer_is_work(welcome: str) -> None:
    """An offer is work of who made it, once somebody is glad of it."""
    task = only(
        ("Ann", "Onboarding mails look dated."), ("Bob", "I could redesign the onboarding mails"), ("Ann", welcome)
    )
    assert (task.title, task.assignee) == ("Redesign the onboarding mails", "Bob")


@pytest.mark.parametrize("answer", ["Hm.", "No need.", "Let me think about it", "who pays for that?"])
def test_an_offer_that_nobody_welcomes_is_none(answer: str) -> None:
    """An offer alone is talk."""
    assert titles(("Bob", "I could redesign the onboarding mails"), ("Ann", answer)) == []


@pytest.mark.parametrize(
    "promise",
    [
        "I'll take care of it",
        "that's on my plate",
        "on it, tomorrow",
        "assigning this to myself",
        "correcting it today",
        "that one is mine",
        "working on it",
        "leave it with me",
        "fix will be up tonight",
    ],
)
def test_a_report_that_somebody_takes_is_work(promise: str) -> None:
    """What was only reported becomes work of who takes it on, in whatever words."""
    task = only(REPORT, ("Bob", promise))
    assert "invoice export" in task.title
    assert task.assignee == "Bob"


@pytest.mark.parametrize(
    "reaction", ["oh no", "interesting", "same here", "since when?", "I like it that way", "working from home"]
)
def test_a_report_that_nobody_takes_is_none(reaction: str) -> None:
    """A report and a reaction are no work."""
    assert titles(REPORT, ("Bob", reaction)) == []


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (
            (("Ann", "Who has the adoption numbers?"), ("Bob", "I'll send them by Wednesday")),
            "Send the adoption numbers",
        ),
        ((("Ann", "Acme wants a list of all users."), ("Bob", "I'll send it on Friday")), "Send a list of all users"),
        ((("Ann", "The license of the font ends in May."), ("Bob", "I'll renew it")), "Renew the license of the font"),
    ],
)
def test_it_is_named(lines: tuple[Line, ...], title: str) -> None:
    """What "it" and "them" mean stands in the title."""
    assert titles(*lines) == [title]


def test_a_verb_comes_back() -> None:
    """ "Will check after lunch" takes the check; "checked" alone would not name another one."""
    assert only(("Ann", "Please check the FAQ for the old price"), ("Bob", "will check after lunch")).assignee == "Bob"


def test_who_reports_the_end_closes_their_own() -> None:
    """ "Imported" ends the import that the same person promised, nothing else."""
    assert titles(("Bob", "I'll import the new metadata"), ("Bob", "imported, they can log in")) == []
    assert len(tasks(("Bob", "I'll import the new metadata"), ("Ann", "updated mine too"))) == 1


def test_one_of_many_who_is_done_closes_nothing() -> None:
    """A request to everybody stays open for the others."""
    assert len(titles(("Ann", "Please everyone update your profile"), ("Bob", "done"))) == 1


@pytest.mark.parametrize(
    "lines",
    [
        (("Ann", "How do I sort a list in place?"), ("Bob", "use sort!, it is in base"), ("Ann", "will do, thanks")),
        (("Ann", "Is there a way to trace this?"), ("Bob", "add a print in the loop"), ("Ann", "ok, doing that")),
        (("Ann", "why does it fail?"), ("Bob", "remove the second argument"), ("Ann", "sure")),
    ],
)
def test_help_is_no_work(lines: tuple[Line, ...]) -> None:
    """Who follows advice at a help desk takes on nothing."""
    assert titles(*lines) == []
