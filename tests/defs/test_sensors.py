"""The sensors: they ask for runs when deliveries are due, and close what nobody else closes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa

from discubot_pipeline.defs import sensors
from discubot_pipeline.domain.delivery import Arrival, DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.bell import ring_stop
from discubot_pipeline.store.tables import inboxes
from discubot_pipeline.tracking.runs import RUN_KEY, SENSOR, WILL_RETRY
from tests.defs.conftest import RETRIES
from tests.defs.workshop import THREAD, Workshop
from tests.waiting import until

SLACK = sensors.inboxes[0]
FINAL = {WILL_RETRY: "false"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


def tick(workshop: Workshop, sensor: dg.SensorDefinition, *, number: str = "17") -> Any:
    """Evaluate a sensor as the daemon does; `number` is the tick's, which a test by hand has not."""
    context = dg.SensorEvaluationContext(
        instance_ref=workshop.instance.get_ref(),
        instance=workshop.instance,
        sensor_name=sensor.name,
        repository_name="__repository__",
        log_key=["__repository__", sensor.name, number],
        resources={"services": dg.ResourceDefinition.hardcoded_resource(workshop.services)},
    )
    with context:
        return sensor.evaluate_tick(context)


def by_hand(workshop: Workshop, sensor: dg.SensorDefinition) -> Any:
    """Evaluate a sensor as the UI's "Test sensor" does."""
    return tick(workshop, sensor, number="20260302_090000")


def change(workshop: Workshop, id: int, **values: Any) -> None:
    """Change an inbox row behind everyone's back."""
    table = inboxes[SourceType.SLACK]
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == id).values(**values))


def leased(workshop: Workshop) -> tuple[int, str]:
    """Give a delivery whose lease has run out, and its run key."""
    id = workshop.deliver()
    [run] = workshop.inbox.lease(1, timedelta(minutes=1))
    change(workshop, id, leased_until=sa.func.now() - timedelta(seconds=1))
    return id, run.run_key


@contextmanager
def in_the_background(workshop: Workshop) -> Iterator[list[Any]]:
    """Evaluate the sensor in a thread until the block ends it."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(tick(workshop, SLACK)))
    thread.start()
    try:
        yield results
    finally:
        ring_stop(workshop.services.settings.listen_url)
        thread.join(10)
        assert not thread.is_alive()


def someone_listens(workshop: Workshop) -> bool:
    """Say whether a sensor waits for the bell."""
    wanted = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'discubot-bell' AND query LIKE 'LISTEN%'"
    with psycopg.connect(workshop.services.settings.listen_url) as connection:
        row = connection.execute(wanted).fetchone()
    return bool(row and row[0])


def test_a_due_delivery_becomes_a_run_request(workshop: Workshop) -> None:
    """It names the delivery's id and is tagged with what people search by; no text of the thread is in it."""
    id = workshop.deliver(words="a secret plan")
    [request] = tick(workshop, SLACK).run_requests
    assert request.run_key == f"{id}:0"
    assert request.run_config == {"ops": {"validate_discussion": {"config": {"delivery_ids": [id]}}}}
    ours = {name: value for name, value in request.tags.items() if name.startswith("discubot/")}
    assert ours == {
        "discubot/team": "acme",
        "discubot/source": "slack",
        "discubot/thread": THREAD,
        "discubot/discussion": str(workshop.id),
        "discubot/trigger": "webhook",
    }
    assert "secret" not in str(request)
    assert workshop.delivery(id).status == DeliveryStatus.REQUESTED


def test_deliveries_of_one_thread_fold_into_one_run(workshop: Workshop) -> None:
    """Two threads make two runs, in the order in which they came."""
    ids = [workshop.deliver(), workshop.deliver("C1:2.2"), workshop.deliver()]
    first, second = tick(workshop, SLACK).run_requests
    assert first.run_config["ops"]["validate_discussion"]["config"]["delivery_ids"] == [ids[0], ids[2]]
    assert second.run_config["ops"]["validate_discussion"]["config"]["delivery_ids"] == [ids[1]]


def test_imported_threads_run_when_nobody_else_wants_to(workshop: Workshop) -> None:
    """Their runs have a lower priority in Dagster's queue; those of mentions have the usual one."""
    workshop.inbox.store(workshop.config, Arrival(delivery_key="b1", thread_id="C1:2.2", payload={}), Trigger.BACKFILL)
    workshop.deliver()
    asked, imported = tick(workshop, SLACK).run_requests
    assert (imported.tags["discubot/trigger"], imported.tags["dagster/priority"]) == ("backfill", "-1")
    assert "dagster/priority" not in asked.tags


def test_a_request_that_a_run_has_claimed_completes(workshop: Workshop) -> None:
    """From inbox to completion with what the sensor itself has asked for."""
    id = workshop.deliver()
    [request] = tick(workshop, SLACK).run_requests
    ended = workshop.launch(
        {**request.tags, RUN_KEY: request.run_key}, **request.run_config["ops"]["validate_discussion"]["config"]
    )
    assert (ended.status, workshop.delivery(id).status) == ("SUCCESS", "done")
    assert ended.tags["discubot/trigger"] == "webhook"


def test_no_more_runs_are_asked_for_than_the_queue_takes(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the bound stays in the inbox."""
    monkeypatch.setattr(sensors, "QUEUE_BOUND", 2)
    ids = [workshop.deliver(f"C1:{number}.0") for number in range(3)]
    assert len(tick(workshop, SLACK).run_requests) == 2
    assert not tick(workshop, SLACK).run_requests
    assert [workshop.delivery(id).status for id in ids] == ["requested", "requested", "pending"]


def test_a_sensor_wakes_up_when_a_delivery_arrives(workshop: Workshop) -> None:
    """It waits on LISTEN, not on a clock."""
    with in_the_background(workshop) as results:
        until(lambda: someone_listens(workshop))
        id = workshop.deliver()
        [result] = until(lambda: results)
    assert [request.run_key for request in result.run_requests] == [f"{id}:0"]


def test_a_sensor_wakes_up_when_everything_stops(workshop: Workshop) -> None:
    """Nobody has to wait for its time-out to stop the system."""
    with in_the_background(workshop) as results:
        until(lambda: someone_listens(workshop))
        ring_stop(workshop.services.settings.listen_url)
        [result] = until(lambda: results)
    assert not result.run_requests


def test_a_sensor_wakes_up_when_a_wait_is_over(workshop: Workshop) -> None:
    """A deferred delivery is taken when its time has come, with nobody ringing."""
    id = workshop.deliver()
    change(workshop, id, not_before=sa.func.now() + timedelta(milliseconds=300))
    [request] = tick(workshop, SLACK).run_requests
    assert request.run_key == f"{id}:0"


def test_a_test_by_hand_takes_nothing_and_waits_for_nothing(workshop: Workshop) -> None:
    """It names what is due; the row stays as it is, for the daemon."""
    assert by_hand(workshop, SLACK).skip_message == "A test takes nothing. Due: nothing."
    id = workshop.deliver()
    result = by_hand(workshop, SLACK)
    assert (result.skip_message, result.run_requests) == (f"A test takes nothing. Due: {THREAD}.", [])
    assert workshop.delivery(id).status == DeliveryStatus.PENDING


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
        sensors.look_after_leases(context, workshop.inbox)


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
