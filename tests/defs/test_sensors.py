"""The sensors of the inboxes: they ask for runs when deliveries are due."""

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
from discubot_pipeline.domain.delivery import Arrival, DeliveryStatus
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.bell import ring_stop
from discubot_pipeline.store.tables import source_configs
from discubot_pipeline.tracking.runs import RUN_KEY
from tests.defs.ticks import by_hand, change, tick
from tests.defs.workshop import THREAD, Workshop
from tests.tracking.ledger import RETRIES
from tests.waiting import until

SLACK = sensors.inboxes[0]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


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
        "discubot/team_id": str(workshop.config.team_id),
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
    past = Arrival(delivery_key="b1", thread_id="C1:2.2", payload={})
    workshop.inbox.store(workshop.config, past, trigger=Trigger.BACKFILL)
    workshop.deliver()
    asked, imported = tick(workshop, SLACK).run_requests
    assert (imported.tags["discubot/trigger"], imported.tags["dagster/priority"]) == ("backfill", "-2")
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


def test_an_urgent_delivery_asks_for_an_urgent_run(workshop: Workshop) -> None:
    """Dagster's queue sorts by this tag; what is not urgent has none."""
    workshop.deliver()
    [normal] = tick(workshop, SLACK).run_requests
    change_preferences(workshop, priority="urgent")
    workshop.deliver("C1:2.2")
    [urgent] = tick(workshop, SLACK).run_requests
    assert (normal.tags.get("dagster/priority"), urgent.tags["dagster/priority"]) == (None, "2")


def change_preferences(workshop: Workshop, **values: str) -> None:
    """Let the source choose something."""
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.update(source_configs).values(preferences=values))
