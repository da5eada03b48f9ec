"""What runs leave open is closed: leases that nobody claimed, discussions and deliveries of runs that crashed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from discubot_pipeline.defs import sensors
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.tracking.retries import MAX_RETRIES, MOST_REMINDERS, REMINDER, WILL_RETRY, failures
from discubot_pipeline.tracking.runs import RUN_KEY, SENSOR
from tests.defs.ticks import by_hand, change, tick
from tests.defs.workshop import THREAD, Workshop
from tests.tracking.ledger import RETRIES

SLACK = sensors.inboxes[0]
FINAL = {WILL_RETRY: "false", MAX_RETRIES: "0"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


def leased(workshop: Workshop) -> tuple[int, str]:
    """Give a delivery whose lease has run out, and its run key."""
    id = workshop.deliver()
    [run] = workshop.inbox.lease(1, timedelta(minutes=1))
    change(workshop, id, leased_until=sa.func.now() - timedelta(seconds=1))
    return id, run.run_key


def test_a_lease_of_a_run_that_lives_is_renewed(workshop: Workshop) -> None:
    """It waits in the queue, or its code server is slow: no second run is asked for."""
    id, key = leased(workshop)
    workshop.ledger.run("QUEUED", **{RUN_KEY: key, SENSOR: SLACK.name})
    look_after(workshop)
    row = workshop.delivery(id)
    assert (row.status, row.run_key, row.expiries) == (DeliveryStatus.REQUESTED, key, 0)
    assert row.leased_until > workshop.paper.clock.now()


def test_a_lease_of_a_cancelled_run_is_dropped(workshop: Workshop) -> None:
    """Who cancels a queued run does not want another one."""
    id, key = leased(workshop)
    workshop.ledger.run("CANCELED", **{RUN_KEY: key, SENSOR: SLACK.name})
    look_after(workshop)
    row = workshop.delivery(id)
    assert (row.status, row.reason) == (DeliveryStatus.FAILED, "cancelled")
    assert row.finished_at is not None


@pytest.mark.parametrize("status", [None, "SUCCESS", "FAILURE"], ids=["never made", "ended green", "ended red"])
def test_a_lease_of_a_run_that_is_gone_is_asked_for_again(workshop: Workshop, status: str | None) -> None:
    """As the next generation, since Dagster skips a run key that it has seen; dead after the third time."""
    id, key = leased(workshop)
    for expiries in (1, 2, 3):
        if status:
            tags = {RUN_KEY: key, SENSOR: SLACK.name, **FINAL}
            workshop.ledger.run(status, **tags)
        look_after(workshop)
        row = workshop.delivery(id)
        assert (row.expiries, row.generation, row.run_key) == (expiries, expiries, None)
        if expiries < 3:
            assert row.status == DeliveryStatus.PENDING
            [run] = workshop.inbox.lease(1, timedelta(minutes=1))
            key = run.run_key
            assert key == f"{id}:{expiries}"
            change(workshop, id, leased_until=sa.func.now() - timedelta(seconds=1))
    assert (row.status, row.reason) == (DeliveryStatus.DEAD, "never_claimed")


def look_after(workshop: Workshop) -> None:
    """Look after the leases, and do nothing else."""
    context = dg.build_sensor_context(instance=workshop.instance, sensor_name=SLACK.name)
    with context:
        sensors.look_after_leases(context, workshop.inbox, workshop.services)


def crashed(workshop: Workshop, status: str, **tags: str) -> tuple[dg.DagsterRun, int]:
    """Give a run that ended while it held a discussion and a delivery, and closed neither."""
    workshop.paper.troubles["fetch"] = [Permanent("x", "y")]
    first = workshop.launch(delivery_ids=[workshop.deliver()])
    run = workshop.ledger.get(workshop.ledger.run(status, **tags))
    id = workshop.deliver()
    workshop.inbox.claim([id], run.run_id, None)
    stores = workshop.services.stores
    stores.notes.open(run.run_id, run.run_id, "webhook", {}, "test")  # type: ignore[arg-type]
    stores.notes.stage(run.run_id, "ai_analysis", discussion_id=workshop.id)  # type: ignore[arg-type]
    assert stores.discussions.take(workshop.id, run.run_id, ())
    workshop.paper.replies.clear()
    assert first.status == "FAILURE"
    return run, id


def told(workshop: Workshop, sensor: Any, run: dg.DagsterRun, kind: str) -> None:
    """Tell a run-status sensor of a run's end."""
    event = dg.DagsterEvent(event_type_value=kind, job_name=run.job_name)
    context = dg.build_run_status_sensor_context(
        sensor.name, event, workshop.instance, run, resources={"services": workshop.services}
    )
    sensor(context)


def test_a_crashed_run_that_is_not_retried_is_closed(workshop: Workshop) -> None:
    """Discussion and delivery fail, and the thread is told."""
    run, id = crashed(workshop, "FAILURE", **FINAL)
    told(workshop, sensors.failed_runs, run, "PIPELINE_FAILURE")
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", "crashed")
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.active_run_id) == ("failed", None)
    assert [reply[0] for reply in workshop.paper.replies[THREAD]] == ["❌"]
    told(workshop, sensors.failed_runs, run, "PIPELINE_FAILURE")
    assert len(workshop.paper.replies[THREAD]) == 1


@pytest.mark.parametrize("tags", [{WILL_RETRY: "true"}, {}], ids=["will be retried", "not known yet"])
def test_a_crashed_run_that_may_be_retried_is_left_alone(workshop: Workshop, tags: dict[str, str]) -> None:
    """Its successor takes over what it holds; a missing word on the retry means to wait for it."""
    run, id = crashed(workshop, "FAILURE", **tags)
    told(workshop, sensors.failed_runs, run, "PIPELINE_FAILURE")
    assert workshop.delivery(id).status == "running"
    assert workshop.services.stores.discussions.holder(workshop.id) == run.run_id
    assert workshop.paper.replies == {}


def fail(workshop: Workshop, run: dg.DagsterRun) -> dg.DagsterRun:
    """Let a run's process die, as the code server reports it; gives the run as Dagster has it then."""
    workshop.instance.report_run_failed(run)
    return workshop.run(run.run_id)


def test_a_promised_retry_that_does_not_come_is_insisted_on(workshop: Workshop) -> None:
    """Dagster is told of the failure once more, after a grace; once it has made the retry nobody insists any more."""
    run, id = crashed(workshop, "STARTED")
    run = fail(workshop, run)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 1 runs at work."
    workshop.paper.clock.ahead = timedelta(seconds=21)
    reminded = "Closed 0 of 1 runs at work. Started 0 and insisted on 1."
    assert tick(workshop, sensors.unfinished_work).skip_message == reminded
    assert [event.message for event in workshop.ended(run.run_id).events] == [run_failed(), REMINDER]
    assert workshop.delivery(id).status == "running"
    workshop.ledger.run("QUEUED", run.run_id)
    workshop.paper.clock.ahead = timedelta(minutes=2)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 1 runs at work."


def run_failed() -> str:
    """Give Dagster's own words for a run whose process died."""
    return "This run has been marked as failed from outside the execution context."


def test_a_retry_that_dagster_has_taken_back_is_insisted_on(workshop: Workshop) -> None:
    """Its view of our code was in error when it looked: the tag says no then, and the thread is told of no failure."""
    run, id = crashed(workshop, "STARTED")
    fail(workshop, run)
    workshop.instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})
    told(workshop, sensors.failed_runs, workshop.run(run.run_id), "PIPELINE_FAILURE")
    workshop.paper.clock.ahead = timedelta(minutes=1)
    tick(workshop, sensors.unfinished_work)
    assert workshop.run(run.run_id).tags[WILL_RETRY] == "true"
    assert workshop.delivery(id).status == "running"
    assert workshop.paper.replies == {}


def test_a_retry_that_never_comes_ends_the_job(workshop: Workshop) -> None:
    """After ten minutes of reminders the run has failed for good, for everyone who asks."""
    run, id = crashed(workshop, "STARTED")
    run = fail(workshop, run)
    workshop.paper.clock.ahead = timedelta(minutes=1)
    for _ in range(MOST_REMINDERS):
        tick(workshop, sensors.unfinished_work)
    assert len(failures(workshop.instance, run)) == 1 + MOST_REMINDERS
    assert workshop.delivery(id).status == "running"
    tick(workshop, sensors.unfinished_work)
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", "crashed")
    assert workshop.run(run.run_id).tags[WILL_RETRY] == "false"


def test_a_run_that_nobody_waits_for_is_retried_too(workshop: Workshop) -> None:
    """A person launched it, and it died before it held anything."""
    run = fail(workshop, workshop.run(workshop.ledger.run("STARTING")))
    workshop.paper.clock.ahead = timedelta(minutes=1)
    assert "insisted on 1" in tick(workshop, sensors.unfinished_work).skip_message
    assert len(failures(workshop.instance, run)) == 2


def test_an_op_that_failed_is_not_insisted_on(workshop: Workshop) -> None:
    """Its verdict has decided on its retries already."""
    workshop.paper.troubles["fetch"] = [Permanent("x", "y")]
    failed = workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.paper.clock.ahead = timedelta(minutes=1)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 0 runs at work."
    assert len(failures(workshop.instance, failed.run)) == 1


def test_a_run_that_was_made_and_not_queued_is_started(workshop: Workshop) -> None:
    """The daemon died in between: the retry is there, and nobody else would look for it."""
    run, id = crashed(workshop, "FAILURE", **{WILL_RETRY: "true"})
    retry, other = workshop.ledger.run("NOT_STARTED", run.run_id), workshop.ledger.run("NOT_STARTED")
    workshop.ledger.begin(retry, workshop.paper.clock.now() - timedelta(minutes=1))
    assert "Started 1 and" in tick(workshop, sensors.unfinished_work).skip_message
    assert workshop.run(retry).status is dg.DagsterRunStatus.QUEUED
    assert workshop.run(other).status is dg.DagsterRunStatus.NOT_STARTED
    assert workshop.delivery(id).status == "running"


@pytest.mark.parametrize(("status", "reason"), [("CANCELED", "cancelled"), ("FAILURE", "crashed")])
def test_what_a_failed_run_holds_ends_with_its_retry(workshop: Workshop, status: str, reason: str) -> None:
    """A retry that was cancelled in the queue, or died before its first op, has taken nothing over."""
    run, id = crashed(workshop, "FAILURE", **{WILL_RETRY: "true"})
    end(workshop, run, timedelta(minutes=1))
    workshop.ledger.run(status, run.run_id, **FINAL)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 1 of 1 runs at work."
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", reason)
    assert workshop.services.stores.discussions.holder(workshop.id) is None


def test_a_delivery_of_a_run_that_is_cancelled_in_the_queue_does_not_wait(workshop: Workshop) -> None:
    """Its lease is not waited for."""
    id, key = leased(workshop)
    run = workshop.run(workshop.ledger.run("CANCELED", **{RUN_KEY: key, SENSOR: SLACK.name}))
    told(workshop, sensors.cancelled_runs, run, "PIPELINE_CANCELED")
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", "cancelled")


def test_a_retry_that_is_owed_before_the_claim_is_insisted_on(workshop: Workshop) -> None:
    """The run died before it claimed its delivery, whose lease is renewed for the retry."""
    id, key = leased(workshop)
    run = fail(workshop, workshop.run(workshop.ledger.run("STARTING", **{RUN_KEY: key, SENSOR: SLACK.name})))
    workshop.paper.clock.ahead = timedelta(minutes=1)
    look_after(workshop)
    assert (workshop.delivery(id).status, workshop.delivery(id).run_key) == (DeliveryStatus.REQUESTED, key)
    assert len(failures(workshop.instance, run)) == 2


def test_a_cancelled_run_is_closed_without_a_word(workshop: Workshop) -> None:
    """The thread hears nothing of it."""
    run, id = crashed(workshop, "CANCELED")
    told(workshop, sensors.cancelled_runs, run, "PIPELINE_CANCELED")
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", "cancelled")
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.reason) == ("cancelled", "cancelled")
    assert workshop.paper.replies == {}


def end(workshop: Workshop, run: dg.DagsterRun, ago: timedelta) -> None:
    """Write into Dagster's record that a run ended some time ago."""
    workshop.ledger.end(run.run_id, workshop.paper.clock.now() - ago)


def test_forgotten_runs_are_closed_by_the_sweep(workshop: Workshop) -> None:
    """Who missed the event, or came up after it, still finds what is held; a test by hand closes nothing."""
    run, id = crashed(workshop, "FAILURE", **FINAL)
    end(workshop, run, timedelta(minutes=1))
    assert by_hand(workshop, sensors.unfinished_work).skip_message == "A test closes nothing."
    assert workshop.delivery(id).status == "running"
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 1 of 1 runs at work."
    assert workshop.delivery(id).status == "failed"
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 0 runs at work."


def test_the_sweep_leaves_time_to_those_who_come_first(workshop: Workshop) -> None:
    """A run that ended just now is its hook's and the status sensors'."""
    run, id = crashed(workshop, "FAILURE", **FINAL)
    end(workshop, run, timedelta(seconds=5))
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 1 runs at work."
    assert workshop.delivery(id).status == "running"


def test_the_sweep_leaves_runs_at_work_alone(workshop: Workshop) -> None:
    """However long they take."""
    _, id = crashed(workshop, "STARTED")
    workshop.paper.clock.ahead = timedelta(days=1)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 0 of 1 runs at work."
    assert workshop.delivery(id).status == "running"


def test_the_sweep_closes_what_a_deleted_run_held(workshop: Workshop) -> None:
    """A run that somebody deleted while it worked comes to no other end."""
    run, id = crashed(workshop, "STARTED")
    workshop.instance.delete_run(run.run_id)
    assert tick(workshop, sensors.unfinished_work).skip_message == "Closed 1 of 1 runs at work."
    assert (workshop.delivery(id).status, workshop.delivery(id).reason) == ("failed", "run_gone")
    assert workshop.services.stores.discussions.holder(workshop.id) is None


def test_a_run_that_ended_green_and_left_something_open_is_closed_too(workshop: Workshop) -> None:
    """Its last write may have failed."""
    run, id = crashed(workshop, "SUCCESS")
    end(workshop, run, timedelta(minutes=1))
    tick(workshop, sensors.unfinished_work)
    assert workshop.delivery(id).status == "failed"


def test_one_discussion_of_many_does_not_hold_up_the_others(workshop: Workshop) -> None:
    """A thread with a run at work waits; the next thread does not."""
    crashed(workshop, "STARTED")
    waiting, other = workshop.deliver(), workshop.deliver("C1:2.2")
    [request] = tick(workshop, SLACK).run_requests
    assert request.tags["discubot/discussion"] == str(
        discussion_id(workshop.config.team_id, SourceType.SLACK, "C1:2.2")
    )
    assert [workshop.delivery(id).status for id in (waiting, other)] == ["pending", "requested"]
