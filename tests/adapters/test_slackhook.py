"""The end of a job is told to a channel once, whatever becomes of Slack's answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from discubot_pipeline.adapters.slackhook import SlackHerald
from discubot_pipeline.domain.errors import Permanent, Unanswered
from discubot_pipeline.domain.hook import HookEvent, Notice
from tests.adapters.slack_workspace import SlackHarness
from tests.conftest import Sandbox

JOB = {
    "job_name": "discussion_job",
    "title": "Header & footer",
    "summary": "2 tasks created.",
    "reason": None,
    "links": {"dagster": "https://dagster.example/runs/1", "thread": None, "tasks": ["https://notion.example/1"]},
}


@pytest.fixture
def harness(sandbox: Sandbox) -> Iterator[SlackHarness]:
    """Give a workspace."""
    opened = SlackHarness(sandbox)
    yield opened
    opened.close()


def herald(harness: SlackHarness, channel: str | None = None) -> SlackHerald:
    """Give what tells the channel."""
    return SlackHerald(harness.config, f"{harness.sandbox.url}/slack/api/", channel or harness.channel)


def notice(event: str = HookEvent.COMPLETED, **job: Any) -> Notice:
    """Make a notice of a job."""
    return Notice(id=uuid4(), type=event, timestamp=datetime.now(UTC), data=JOB | job)


def told(harness: SlackHarness) -> list[str]:
    """Read what the bot has said in the channel, the newest first."""
    said = harness.client.conversations_history(channel=harness.channel)["messages"] or []
    return [message["text"] for message in said if message.get("user") == harness.bot]


def test_an_end_is_told_in_words(harness: SlackHarness) -> None:
    """How it ended, title and summary, and links."""
    herald(harness).tell(notice(), is_repeated=False)
    [text] = told(harness)
    assert text.splitlines() == [
        "✅ A job is completed: Header &amp; footer",
        "2 tasks created.",
        "<https://notion.example/1|Task 1> · <https://dagster.example/runs/1|Job>",
    ]


def test_without_words_the_job_and_its_reason_are_told(harness: SlackHarness) -> None:
    """No word of the thread."""
    herald(harness).tell(notice(HookEvent.FAILED, title=None, summary=None, reason="crashed"), is_repeated=False)
    assert told(harness)[0].splitlines()[0] == "❌ A job has failed: discussion_job (crashed)"


def test_what_may_stand_there_is_looked_for(harness: SlackHarness) -> None:
    """A repetition finds its own message; one that never arrived is posted."""
    first, second = notice(), notice()
    herald(harness).tell(first, is_repeated=False)
    herald(harness).tell(first, is_repeated=True)
    assert len(told(harness)) == 1
    herald(harness).tell(second, is_repeated=True)
    assert len(told(harness)) == 2


def test_a_lost_answer_is_looked_into(harness: SlackHarness) -> None:
    """Slack took it and the connection broke: that is as good as an answer."""
    with harness.losing_the_answer():
        herald(harness).tell(notice(), is_repeated=False)
    assert len(told(harness)) == 1


def test_what_never_arrived_is_told_again_later(harness: SlackHarness) -> None:
    """Nobody knows yet whether it was carried out."""
    with (
        harness.sandbox.fault(service="slack", match="chat.postMessage", kind="drop_before"),
        pytest.raises(Unanswered),
    ):
        herald(harness).tell(notice(), is_repeated=False)
    assert told(harness) == []


def test_a_channel_that_is_not_there_is_final(harness: SlackHarness) -> None:
    """No retry helps."""
    with pytest.raises(Permanent, match="channel_not_found"):
        herald(harness, "C0NOWHERE").tell(notice(), is_repeated=False)


def test_a_test_says_that_it_is_one(harness: SlackHarness) -> None:
    """So that nobody looks for a job."""
    herald(harness).tell(Notice(id=uuid4(), type="hook.test", timestamp=datetime.now(UTC), data={}), is_repeated=False)
    assert "test" in told(harness)[0]
