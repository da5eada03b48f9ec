"""Whatever people write: no crash, no invention, no waiting."""

import sys
import time
from datetime import UTC, datetime
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.domain.discussion import Author, Message
from discubot_pipeline.domain.task import fingerprint
from tests.adapters.rules.briefs import brief, message

LONG = 40_000
PATIENCE = 5.0
"""Seconds: far above what it takes, far below what backtracking would."""

SAID = (
    "please fix the header and update footer , . ? ! : can you could we need to let's @Ann Ann Bob I'll will task: "
    "TODO: bug: - [ ] [x] 1. \n \n\n > ``` ` ~ * _ tomorrow by Friday 2026-03-12 25/12 done never mind on it asap "
    "urgent #tag https://example.org/x (https://example.org) is broken crashes when it this that 😀 :tada: kannst du "
    "bitte the docs fixed not \u202e \x00 ümläut שלום 文字"
)
WORDS = st.sampled_from(SAID.split(" "))
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=40).map(" ".join))
NAMES = st.one_of(
    st.sampled_from(["Ann", "Bob", "Cat Lee", "discubot", "Will", "", "a.b", "(", "Ann Lee"]), st.text(max_size=12)
)
ZONES = st.sampled_from([None, "UTC", "Asia/Tokyo", "no/where", "../etc", ""])


@st.composite
def briefs(draw: st.DrawFn) -> Brief:
    """Draw a thread of anything, with instructions of anything."""
    number = draw(st.integers(0, 6))
    said = []
    for place in range(number):
        author = Author(
            id=str(draw(st.integers(0, 3))), name=draw(NAMES), time_zone=draw(ZONES), is_bot=draw(st.booleans())
        )
        moment = datetime(2026, 1, 1, tzinfo=UTC).replace(month=draw(st.integers(1, 12)))
        said.append(Message(id=f"m{place}", author=author, text=draw(TEXTS), sent_at=moment))
    cut = draw(st.integers(0, number))
    return Brief(
        title=draw(TEXTS),
        messages=tuple(said[:cut]),
        instructions=tuple(said[cut:]),
        people=tuple(draw(st.lists(NAMES, max_size=3))),
        time_zone=draw(ZONES) or "UTC",
        max_tasks=draw(st.integers(0, 5)),
    )


@settings(max_examples=300, deadline=None)
@given(briefs())
def test_findings_hold_for_any_thread(given_brief: Brief) -> None:
    """Never a crash; titles with words, known owners, real evidence, no task twice, the same answer again."""
    found = RuleAnalyst().find(given_brief)
    everything = (*given_brief.messages, *given_brief.instructions)
    known = {*given_brief.people, *(said.author.name for said in everything)}
    ids = {said.id for said in everything}
    assert len(found.tasks) <= given_brief.max_tasks
    assert len({fingerprint(task.title) for task in found.tasks}) == len(found.tasks)
    for task in found.tasks:
        assert fingerprint(task.title)
        assert len(task.title) <= 100
        assert len(task.description) <= 500
        assert task.assignee is None or task.assignee in known
        assert task.evidence in ids
    assert RuleAnalyst().find(given_brief) == found


@pytest.mark.parametrize(
    "seed",
    [
        "a", "(", "`", '"', "``` ", "*", "_", "#a", ".", ". ", "\n", "😀", "\u202e", "ا", "1,", "12/12 ", "> ",
        "fix ", "please ", "can you ", "can you do it, ", "I'll ", "if you ", "hi ", "@", "@Ann ", "Ann, ", "task: a ",
        "- [ ] ", "1) ", "- fix x\n", "fix the header and ", "the header is ", "the header needs to be ", "never mind ",
        "http://", "http://a.b ", "a@a.", "on Friday ", "by ", "tomorrow ", "(see ", "x" * 70 + "\n",
    ],
)  # fmt: skip
def test_no_text_takes_long(seed: str) -> None:
    """Forty thousand characters of anything, in the thread and beside a mention, are read at once."""
    text = (seed * (LONG // len(seed) + 1))[:LONG]
    thread = brief(("Ann", text), ("Bob", "done"), instructions=(("Ann", text),))
    started = time.perf_counter()
    RuleAnalyst().find(thread)
    assert time.perf_counter() - started < PATIENCE


def test_work_grows_with_the_thread() -> None:
    """A thread twice as long takes about twice as many calls, not four times as many."""
    RuleAnalyst().find(conversation(4))
    assert calls(conversation(136)) < 3 * calls(conversation(68))


def conversation(length: int) -> Brief:
    """Write a thread of two people."""
    asks = "We looked at the numbers again. Can you update the report for Acme? I think that the `total` is right."
    lines = [("Bob", "Sure, on it") if number % 2 else ("Ann", asks) for number in range(length)]
    return Brief(title="Long", messages=tuple(message(number, *line) for number, line in enumerate(lines)))


def calls(thread: Brief) -> int:
    """Count the calls that reading a thread takes."""
    number = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal number
        number += event == "call"

    sys.setprofile(count)
    try:
        RuleAnalyst().find(thread)
    finally:
        sys.setprofile(None)
    return number
