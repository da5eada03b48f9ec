"""Whole threads of people at work, read as they read them."""

from datetime import date

from discubot_pipeline.domain.analysis import DetectedTask, Sentiment
from tests.adapters.rules.briefs import findings, tasks

Row = tuple[str, str | None, date | None]


def rows(found: tuple[DetectedTask, ...]) -> list[Row]:
    """Give title, owner and day of each task."""
    return [(task.title, task.assignee, task.due_date) for task in found]


def test_release() -> None:
    """A release with three points, two takers, a promise, a link, code and emoji."""
    found = findings(
        ("Ann", "Morning! We ship the new checkout next week and there are three things left 👇"),
        (
            "Ann",
            "1. The *Pay now* button is cut off on small phones (see https://example.org/checkout?node=12)\n"
            "2. We still send the old mail template\n"
            "3. The docs say `POST /v1/pay`, but it is `POST /v2/payments` now",
        ),
        ("Bob", "I can take the button, it is just `overflow: hidden` on the footer. I'll fix it by Thursday."),
        ("Cat", "@Dan can you please update the mail template? It is urgent, marketing sends on Friday 🙏"),
        ("Dan", "On it 👍"),
        ("Eve", "I'll update the API docs tomorrow."),
        ("Ann", "Perfect 🎉"),
    )
    assert rows(found.tasks) == [
        ("Fix the Pay now button being cut off on small phones", "Bob", date(2026, 3, 12)),
        ("Update the mail template", "Dan", None),
        ("Update the API docs", "Eve", date(2026, 3, 12)),
    ]
    assert [task.priority for task in found.tasks] == [None, "urgent", None]
    assert found.sentiment is Sentiment.POSITIVE


def test_campaign() -> None:
    """A kickoff that gives work to two people and leaves one piece to all."""
    found = tasks(
        (
            "Ann",
            "Kickoff for the spring campaign 🌷. Bob, could you draft the newsletter by Friday? "
            "Cat, please book the photographer for next Monday.",
        ),
        ("Bob", "Sure, will do!"),
        ("Cat", "On it"),
        ("Ann", "We also need to update the landing page and test it on mobile before 2026-03-20."),
    )
    assert rows(found) == [
        ("Draft the newsletter", "Bob", date(2026, 3, 13)),
        ("Book the photographer", "Cat", date(2026, 3, 16)),
        ("Update the landing page and test it on mobile", None, date(2026, 3, 20)),
    ]
    assert found[2].action_items == ("Update the landing page", "Test it on mobile")


def test_bug_with_a_stack_trace() -> None:
    """The code block stays out, the bug, its steps and its owner are found."""
    (task,) = tasks(
        ("Ben", "Bug: login crashes with a 500 when the password has an emoji in it 🐛"),
        ("Dan", "Looks like this:\n```\nTraceback: please fix line 42\nTODO: encode\n```"),
        ("Dan", "We need to encode it as UTF-8 & add a test for it."),
        ("Ben", "Can you do that until Friday, @Dan? It is high priority, two customers wrote in."),
        ("Dan", "Yes, I'll do it."),
    )
    assert (task.title, task.assignee, task.due_date) == (
        "Fix login crashing with a 500 when the password has an emoji",
        "Dan",
        date(2026, 3, 13),
    )
    assert (task.type, task.priority, task.action_items) == ("bug", "high", ("Encode it as UTF-8", "Add a test"))


def test_onboarding_notes() -> None:
    """Notes are no work; what people ask for and take on after them is."""
    found = tasks(
        (
            "Eve",
            "Notes from the call with Acme:\n• They could not find the *Invite* button\n• They loved the templates ❤️",
        ),
        (
            "Ann",
            "Let's move the Invite button into the header. @Eve could you make a design for that until next Monday?",
        ),
        ("Eve", "Sure, I'll make a design."),
        ("Dan", "And someone should set up SPF and DKIM for the mail domain. I can do that this week."),
        ("Ann", "Great, thank you both."),
    )
    assert rows(found) == [
        ("Move the Invite button into the header", None, None),
        ("Make a design", "Eve", date(2026, 3, 16)),
        ("Set up SPF and DKIM for the mail domain", "Dan", date(2026, 3, 13)),
    ]


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


def test_support_thread_that_changes_its_mind() -> None:
    """Of three asks one is withdrawn, one is done, one is left with a new owner."""
    found = tasks(
        ("Cat", "Customers are complaining that search is slow. Can someone look into it asap?"),
        ("Cat", "Please refund the order of Acme."),
        ("Cat", "And please send Acme the new price list by Friday."),
        ("Bob", "The order is refunded, done."),
        ("Ann", "Search is a known issue, I'll fix the search this week"),
        ("Cat", "never mind the price list, they found it"),
    )
    assert rows(found) == [("Fix search being slow", "Ann", date(2026, 3, 13))]
    assert (found[0].priority, found[0].type) == ("urgent", "bug")
