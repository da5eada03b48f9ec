"""Figma's past: all comments of a file in the sandbox, sorted into threads, and what counts as a call."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.errors import Permanent, Transient
from tests.adapters.archive_conformance import ArchiveConformance
from tests.adapters.figma_file import FigmaHarness
from tests.adapters.figma_past import FigmaPast
from tests.adapters.source_harness import DAY, MARCH, START
from tests.conftest import Sandbox


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[FigmaPast]:
    """Make a file for each test."""
    with closing(FigmaHarness(sandbox)) as figma:
        past = FigmaPast(figma)
        with closing(past.archive):
            yield past


class TestConformance(ArchiveConformance):
    """Figma does what every archive does."""


def arrivals(past: FigmaPast, every: bool = False) -> list[Arrival | None]:
    """Read every thread of March."""
    return [past.archive.arrival(listed, every) for listed in past.archive.threads(past.place, MARCH)]


def test_the_last_call_counts_under_its_webhooks_key(harness: FigmaPast) -> None:
    """So a call that came by webhook is the same message."""
    root, _ = harness.figma.say(["@discubot first", "Two"], at=START)
    [last] = harness.figma.say(["@discubot second"], root, START + DAY)
    harness.figma.say(["Thanks"], root, START + 2 * DAY)
    [arrival] = arrivals(harness)
    webhook = harness.figma.door.open(harness.figma.config, {}, webhook_of(harness, last))
    assert isinstance(webhook, Arrival)
    assert arrival is not None
    assert (arrival.message_key, arrival.thread_id) == (webhook.message_key, webhook.thread_id)
    assert arrival.payload is not None
    assert arrival.payload["text"] == "@discubot second"


def webhook_of(past: FigmaPast, comment: str) -> bytes:
    """Give the body of a comment's webhook."""
    return json.dumps(past.figma.event(comment)).encode()


def test_what_the_bot_says_asks_for_nothing(harness: FigmaPast) -> None:
    """Neither its answers nor what else its account writes; a thread of its own is none of people's."""
    root, _ = harness.figma.say(["One", "Two"], at=START)
    harness.figma.say(["@discubot and all"], root, START + DAY, user=harness.figma.bot)
    harness.figma.say(["@discubot alone"], at=START + DAY, user=harness.figma.bot)
    assert arrivals(harness) == [None, None]
    thread, own = arrivals(harness, every=True)
    assert thread is not None
    assert (thread.thread_id, thread.message_key, own) == (f"{harness.place}:{root}", None, None)


def test_a_file_costs_one_call(harness: FigmaPast) -> None:
    """However many threads it has."""
    for day in range(5):
        harness.write(START + day * DAY, ["One", "Two"], mention="do it")
    assert len(arrivals(harness)) == 5
    assert harness.figma.calls(f"GET /files/{harness.place}/comments") == 1


def test_files_are_named_by_address_or_key(harness: FigmaPast) -> None:
    """Both are the same place."""
    address = f"{harness.figma.sandbox.url}/figma/design/{harness.place}/Checkout?node-id=1-2"
    assert harness.archive.places([address, harness.place]) == [harness.place]
    with pytest.raises(Permanent, match="none"):
        harness.archive.places([])


def test_errors_are_passed_on(harness: FigmaPast) -> None:
    """A file that is not shown is one for good; the pause that Figma asks for reaches whoever has the patience."""
    with pytest.raises(Permanent) as refused:
        list(harness.archive.threads("nowhere", MARCH))
    assert refused.value.reason == "not_found"
    with harness.figma.rate_limited(60), pytest.raises(Transient) as limited:
        list(harness.archive.threads(harness.place, MARCH))
    assert limited.value.retry_after == timedelta(minutes=1)
