"""The words beside a mention: work by themselves, or only the wish to have the thread read."""

from datetime import date

import pytest

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from tests.adapters.rules.briefs import brief, findings, message

TALK = ("Cat", "Lunch was nice today.")
ASK = ("Cat", "Can you renew the certificate?")


def instructed(*texts: str) -> list[str]:
    """Give the titles that mentions with these words lead to, in a thread that holds no work."""
    found = findings(TALK, instructions=tuple(("Ann", text) for text in texts))
    return [task.title for task in found.tasks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix the header and the footer", ["Fix the header and the footer"]),
        ("fix the header and update the footer", ["Fix the header", "Update the footer"]),
        ("please make a ticket for the login bug", ["Fix the login bug"]),
        ("can you create a task for Bob to review the contract", ["Review the contract"]),
        ("create tasks to fix the header and update the footer", ["Fix the header", "Update the footer"]),
        ("create a task to fix the header and update the footer", ["Fix the header and update the footer"]),
        ("header is broken on mobile", ["Fix header on mobile"]),
        ("the pricing page", ["Pricing page"]),
        ("frobnicate the widgets", ["Frobnicate the widgets"]),
        ("this is task 2", ["This is task 2"]),
        ("- fix the header\n- update the footer", ["Fix the header", "Update the footer"]),
        ("fix this please", ["Fix: Menu on phones"]),
        ("summarize this and fix the header", ["Fix the header"]),
        ("remind me to send the invoice", ["Send the invoice"]),
    ],
)
def test_words_that_ask_are_tasks(text: str, expected: list[str]) -> None:
    """What a mention asks for is at least one task."""
    assert instructed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task: Update pricing table by Friday", ["Update pricing table by Friday"]),
        ("Task: fix the header and update the footer", ["Fix the header and update the footer"]),
        ("task: first thing task: second thing", ["First thing", "Second thing"]),
        ("task: first thing\ntask: second thing\nmore about it", ["First thing", "Second thing"]),
        ("please add task: don't change the header!", ["Don't change the header"]),
        ("task: Fix `a:b` on https://example.org/x", ["Fix `a:b` on https://example.org/x"]),
    ],
)
def test_task_forces_exactly_one(text: str, expected: list[str]) -> None:
    """Each "task:" is one task under the words that follow it."""
    assert instructed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "summarize this",
        "please make tasks of this",
        "can you track this?",
        "create tickets for the above",
        "any todos here?",
        "could you turn this thread into tasks?",
        "TL;DR please",
        "tasks please",
        "log this as a bug",
        "what did we decide?",
        "can you explain how the login works?",
        "thanks!",
        "hi",
        "task:",
        "",
        "👍",
    ],
)
def test_words_that_ask_to_read_are_no_task(text: str) -> None:
    """Only what the thread holds is found."""
    assert instructed(text) == []
    found = findings(ASK, instructions=(("Ann", text),)).tasks
    assert [task.title for task in found] == ["Renew the certificate"]


@pytest.mark.parametrize(
    ("text", "expected", "items"),
    [
        ("Fix the header and update the footer", ["Fix the header", "Update the footer"], ()),
        ("Fix the header styling", ["Fix the header styling"], ()),
        (
            "Update all the buttons to use the new design system",
            ["Update all the buttons to use the new design system"],
            (),
        ),
        (
            "Create a new login page, add validation, and setup routing",
            ["Create a new login page", "Add validation", "Setup routing"],
            (),
        ),
        (
            "We need to update the colors and test on mobile",
            ["Update the colors and test on mobile"],
            ("Update the colors", "Test on mobile"),
        ),
        ("Convert codebase to JavaScript", ["Convert codebase to JavaScript"], ()),
    ],
)
def test_several_goals_are_tasks_and_steps_of_one_are_items(
    text: str, expected: list[str], items: tuple[str, ...]
) -> None:
    """Orders that stand alone are tasks; what one goal joins are its action items; one order has neither."""
    found = findings(TALK, instructions=(("Ann", text),)).tasks
    assert [task.title for task in found] == expected
    assert all(task.action_items == items for task in found)


def test_fields_of_an_instruction() -> None:
    """Owner, day and priority are read off the words; the evidence is the mention."""
    (task,) = findings(TALK, instructions=(("Cat", "@Bob renew the certificate by Friday, it is urgent"),)).tasks
    assert (task.title, task.assignee, task.due_date) == ("Renew the certificate", "Bob", date(2026, 3, 13))
    assert (task.priority, task.evidence) == ("urgent", "m100")


def test_tracking_makes_tasks_of_reported_faults() -> None:
    """ "Can you track this?" wants the bug tracked that the thread reports."""
    found = findings(("Bob", "The login page crashes on Safari."), instructions=(("Ann", "can you track this?"),))
    assert [task.title for task in found.tasks] == ["Fix the login page crashing on Safari"]


def test_instruction_in_the_thread_counts_once() -> None:
    """The message of a mention may stand in the thread too."""
    mention = message(1, "Ann", "fix the header")
    thread = brief(TALK).model_copy(update={"instructions": (mention,)})
    thread = thread.model_copy(update={"messages": (*thread.messages, mention)})
    assert [task.title for task in RuleAnalyst().find(thread).tasks] == ["Fix the header"]


def test_asking_for_one_thing_does_not_read_the_rest() -> None:
    """Words of its own stand for what is wanted; what was said before had its chance."""
    found = findings(ASK, instructions=(("Ann", "make a ticket for the login bug"),))
    assert [task.title for task in found.tasks] == ["Fix the login bug"]


def test_replies_to_an_instruction_are_read() -> None:
    """A root message that mentions the bot is followed by the thread: who takes it, what is added."""
    root = message(0, "Cat", "fix the header")
    thread = brief(TALK, ("Bob", "On it, by Friday"), ("Cat", "Please update the footer too")).model_copy(
        update={"instructions": (root,)}
    )
    found = RuleAnalyst().find(thread).tasks
    assert [(task.title, task.assignee) for task in found] == [("Fix the header", "Bob"), ("Update the footer", None)]
