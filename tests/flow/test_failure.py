"""Failures by their size: seconds are waited for within the run, longer pauses end it green, the rest is told."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.tables import StepStatus, inboxes
from tests.flow.team import Thread
from tests.flow.town import Fault, Town


@dataclass(frozen=True)
class Trouble:
    """Three threads, each with another kind of trouble."""

    hiccup: Thread
    refused: Thread
    paused: Thread
    pause: Fault


@pytest.fixture(scope="module")
def trouble(town: Town) -> Iterator[Trouble]:
    """Let Slack hiccup once for one team, Notion refuse the token of another and pause a third."""
    with town.fault("slack", "conversations.replies", "ratelimit", retry_after=1) as hiccup:
        first = town.team("hiccup").thread("The door squeaks", "@bot oil the door")
        hiccup.strikes()
    second, third = town.team("refused"), town.team("paused")
    with (
        town.fault("notion", second.resolving, "status", status=401, times=None),
        town.fault("notion", third.resolving, "ratelimit", retry_after=60, times=None) as pause,
    ):
        refused = second.thread("The door is open", "@bot close the door")
        yield Trouble(first, refused, third.thread("The door is red", "@bot paint the door"), pause)


def test_a_pause_of_a_second_is_waited_for_within_the_run(trouble: Trouble, town: Town) -> None:
    """The step is tried again after Retry-After, and nobody hears of it."""
    [run] = trouble.hiccup.settled()
    assert (run.status, run.tags["discubot/outcome"]) == ("SUCCESS", "completed")
    assert run.attempts["build_thread"] == 2
    record = town.step_records(run.id)["build_thread"]
    assert (record.status, record.attempts, record.reason) == (StepStatus.COMPLETED, 2, None)
    assert trouble.hiccup.titles == ["Oil the door"]
    assert trouble.hiccup.reactions(trouble.hiccup.said[-1]) == {"eyes", "white_check_mark"}


def test_a_refused_token_fails_the_job_and_says_so_once(trouble: Trouble, town: Town) -> None:
    """Run, discussion and delivery fail with the same reason; the thread shows ❌ and one short answer."""
    [run] = trouble.refused.settled()
    assert (run.status, run.attempts["create_tasks"]) == ("FAILURE", 1)
    assert "token" in town.failure(run.id)
    [delivery] = trouble.refused.deliveries
    assert (delivery.status, delivery.reason) == ("failed", "unauthorized")
    discussion = trouble.refused.discussion
    assert discussion is not None
    assert (discussion.status, discussion.reason, discussion.active_run_id) == ("failed", "unauthorized", None)
    assert trouble.refused.failed_stage == "task_creation"
    [reply] = trouble.refused.replies
    assert reply.startswith("❌")
    assert "unauthorized" in reply
    assert trouble.refused.reactions(trouble.refused.said[-1]) == {"eyes", "x"}
    assert trouble.refused.titles == []
    record = town.step_records(run.id)["create_tasks"]
    assert (record.status, record.reason) == (StepStatus.FAILED, "unauthorized")


def test_a_long_pause_ends_green_and_goes_on_later_without_reading_the_thread_again(
    trouble: Trouble, town: Town
) -> None:
    """Deferred: nothing is posted, the delivery waits; the run after it takes thread and analysis from the first."""
    paused = trouble.paused
    delivery = paused.waits()
    [run] = paused.runs
    assert (run.status, run.tags["discubot/outcome"], run.tags["discubot/reason"]) == (
        "SUCCESS",
        "deferred",
        "rate_limited",
    )
    assert (delivery.status, delivery.generation) == ("pending", 1)
    assert 0 < (delivery.not_before - delivery.received_at).total_seconds() < 120
    note = town.here.stores.notes.get(run.id)
    assert note is not None
    assert (note.outcome, note.not_before) == ("deferred", delivery.not_before)
    assert (paused.replies, paused.titles) == ([], [])
    assert paused.status == "processing"

    town.sandbox.call("DELETE", f"/sandbox/faults/{trouble.pause.id}")
    before = town.mark()
    let_go(town, delivery.id)
    first, second = paused.settled(2)
    assert (first.id, second.status, second.tags["discubot/outcome"]) == (run.id, "SUCCESS", "completed")
    assert (paused.status, paused.titles) == ("completed", ["Paint the door"])
    assert "/conversations.replies" not in paused.team.slack_calls(before)
    assert len(paused.replies) == 1
    assert paused.reactions(paused.said[-1]) == {"eyes", "white_check_mark"}


def let_go(town: Town, delivery_id: int) -> None:
    """End a delivery's wait, and wake the sensor as the passing of time would."""
    table = inboxes[SourceType.SLACK]
    with town.here.engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == delivery_id).values(not_before=sa.func.now()))
        connection.execute(sa.select(sa.func.pg_notify("discubot_inbox", "slack")))
