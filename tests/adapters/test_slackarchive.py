"""Slack's past: conversations.history of the sandbox, read in pages, and what counts as a thread."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from discubot_pipeline.adapters.http import Spaced
from discubot_pipeline.adapters.slackarchive import ts_of
from discubot_pipeline.domain.errors import Permanent, Transient
from tests.adapters.archive_conformance import ArchiveConformance
from tests.adapters.slack_past import SlackPast
from tests.adapters.slack_workspace import SlackHarness
from tests.adapters.source_harness import DAY, MARCH, START
from tests.conftest import Sandbox


@pytest.fixture(scope="module")
def slack(sandbox: Sandbox) -> Iterator[SlackHarness]:
    """Make a workspace for this file."""
    with closing(SlackHarness(sandbox)) as harness:
        yield harness


@pytest.fixture
def harness(slack: SlackHarness) -> Iterator[SlackPast]:
    """Make a channel for each test."""
    past = SlackPast(slack)
    with closing(past.archive):
        yield past


class TestConformance(ArchiveConformance):
    """Slack does what every archive does."""


def listed_names(past: SlackPast) -> list[str]:
    """List the roots' ts, as the archive does."""
    return [one.position for one in past.archive.threads(past.place, MARCH)]


def test_a_lone_message_is_no_thread(harness: SlackPast) -> None:
    """What nobody answered is left out; with a mention it asks for something all the same."""
    harness.write(START, ["Good morning"])
    harness.write(START + DAY, [f"<@{harness.slack.bot}> fix the header"])
    [listed] = harness.archive.threads(harness.place, MARCH)
    arrival = harness.archive.arrival(listed, every=False)
    assert arrival is not None
    assert arrival.message_key == f"{harness.place}:{ts_of(START + DAY)}"


def test_a_mention_is_found_wherever_it_stands_in_the_thread(harness: SlackPast) -> None:
    """The last one counts, under the key that its webhook had, so that both are one."""
    people, bot = harness.slack.people, f"<@{harness.slack.bot}>"
    harness.write(START, ["One", "Two", "Three", "Four", f"{bot} first", "Five"])
    last = harness.say(START + DAY, f"{bot} second", people[1], START)
    harness.say(START + 2 * DAY, "Six", people[0], START)
    [listed] = harness.archive.threads(harness.place, MARCH)
    arrival = harness.archive.arrival(listed, every=False)
    assert arrival is not None
    assert arrival.message_key == f"{harness.place}:{last}"
    assert arrival.thread_id == f"{harness.place}:{ts_of(START)}"
    assert arrival.payload is not None
    assert arrival.payload["text"] == f"{bot} second"


def test_every_thread_costs_no_reading_of_its_replies(harness: SlackPast) -> None:
    """An app that may ask once a minute lists a channel without asking for each thread."""
    harness.write(START, ["One", "Two"])
    before = harness.slack.calls("conversations.replies")
    [listed] = harness.archive.threads(harness.place, MARCH)
    arrival = harness.archive.arrival(listed, every=True)
    assert arrival is not None
    assert (arrival.message_key, arrival.payload and arrival.payload["text"]) == (None, "")
    assert harness.slack.calls("conversations.replies") == before


def test_what_an_app_says_asks_for_nothing(harness: SlackPast) -> None:
    """Mentions by apps, and by the bot itself, are no gesture of a person."""
    bot = harness.slack.bot
    harness.write(START, ["One", "Two"])
    harness.say(START + timedelta(minutes=1), f"<@{bot}>", harness.slack.people[0], START, more={"bot_id": "B9"})
    harness.say(START + timedelta(minutes=2), f"<@{bot}>", bot, START)
    [listed] = harness.archive.threads(harness.place, MARCH)
    assert harness.archive.arrival(listed, every=False) is None


def test_pages_are_as_large_as_wished(harness: SlackPast) -> None:
    """Seven threads come on three pages of three."""
    for day in range(7):
        harness.write(START + day * DAY, ["One", "Two"])
    before = harness.slack.calls("conversations.history")
    assert listed_names(harness) == [ts_of(START + day * DAY) for day in reversed(range(7))]
    assert harness.slack.calls("conversations.history") == before + 3


def test_a_channel_without_the_bot_is_said(harness: SlackPast) -> None:
    """The sentence says what to do about it."""
    with pytest.raises(Permanent, match="not in"):
        list(harness.archive.threads("C404", MARCH))


def test_the_pause_that_slack_asks_for_is_passed_on(harness: SlackPast) -> None:
    """It reaches whoever has the patience for it."""
    fault = {"service": "slack", "match": "conversations.history", "kind": "ratelimit", "retry_after": 60}
    with harness.slack.sandbox.fault(**fault), pytest.raises(Transient) as refused:
        list(harness.archive.threads(harness.place, MARCH))
    assert refused.value.retry_after == timedelta(minutes=1)


def test_calls_keep_their_distance() -> None:
    """1,200 a minute are one each 50 milliseconds; the first one need not wait."""
    pace, began = Spaced(1200), time.monotonic()
    pace()
    assert time.monotonic() - began < 0.04
    pace(), pace()
    assert time.monotonic() - began >= 0.1
