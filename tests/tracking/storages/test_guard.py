"""What has ended stays as it ended, in the run storage that `dagster.yaml` names; on Postgres, where it is used."""

import threading
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from dagster_postgres.run_storage import PostgresRunStorage

from discubot_pipeline.settings import Settings
from discubot_pipeline.tracking.retries import WILL_RETRY
from discubot_pipeline.tracking.storages.guard import GuardedRunStorage
from tests.tracking.ledger import RETRIES, Ledger
from tests.waiting import until

EVENTS = {
    "QUEUED": dg.DagsterEventType.RUN_ENQUEUED,
    "STARTING": dg.DagsterEventType.RUN_STARTING,
    "STARTED": dg.DagsterEventType.RUN_START,
    "CANCELING": dg.DagsterEventType.RUN_CANCELING,
    "SUCCESS": dg.DagsterEventType.RUN_SUCCESS,
    "FAILURE": dg.DagsterEventType.RUN_FAILURE,
    "CANCELED": dg.DagsterEventType.RUN_CANCELED,
}


@pytest.fixture(scope="module")
def storage(database_url: str) -> str:
    """Make room for Dagster's tables; gives the address."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    return Settings.model_validate({"database_url": database_url}).dagster_url


@pytest.fixture
def ledger(storage: str) -> Iterator[Ledger]:
    """Give an instance that keeps its runs in Postgres."""
    config = {"postgres_url": storage}
    runs = {"module": GuardedRunStorage.__module__, "class": GuardedRunStorage.__name__, "config": config}
    events = {"module": "dagster_postgres.event_log", "class": "PostgresEventLogStorage", "config": config}
    with dg.instance_for_test(overrides=RETRIES | {"run_storage": runs, "event_log_storage": events}) as instance:
        yield Ledger(instance)


def happen(ledger: Ledger, run_id: str, status: str) -> str:
    """Let the event happen that gives a run a status; gives the one it has then."""
    event = dg.DagsterEvent(event_type_value=EVENTS[status].value, job_name="discussion_job")
    ledger.instance.report_dagster_event(event, run_id)
    return ledger.get(run_id).status.value


def test_a_run_goes_its_way(ledger: Ledger) -> None:
    """From the queue to its end, with its times."""
    run_id = ledger.run("NOT_STARTED")
    for status in ("QUEUED", "STARTING", "STARTED", "SUCCESS"):
        assert happen(ledger, run_id, status) == status
    record = ledger.instance.get_run_record_by_id(run_id)
    assert record is not None
    assert record.start_time is not None
    assert record.end_time is not None
    assert record.start_time <= record.end_time


@pytest.mark.parametrize("final", ["SUCCESS", "FAILURE", "CANCELED"])
def test_what_has_ended_stays_as_it_ended(ledger: Ledger, final: str) -> None:
    """Whatever is told of it later, and so does the time of its end."""
    run_id = ledger.run("STARTED")
    happen(ledger, run_id, final)
    ended = ledger.instance.get_run_record_by_id(run_id)
    assert {happen(ledger, run_id, status) for status in EVENTS} == {final}
    later = ledger.instance.get_run_record_by_id(run_id)
    assert ended is not None
    assert later is not None
    assert later.end_time == ended.end_time


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ("QUEUED", "CANCELING"),
        ("STARTING", "CANCELING"),
        ("STARTED", "CANCELING"),
        ("CANCELED", "CANCELED"),
        ("SUCCESS", "SUCCESS"),
        ("FAILURE", "CANCELED"),
    ],
)
def test_a_run_that_is_being_cancelled_is_not_begun_again(ledger: Ledger, late: str, expected: str) -> None:
    """It may be done before the cancellation reaches it; but when its process dies it is cancelled, not retried."""
    run_id = ledger.run("STARTED")
    happen(ledger, run_id, "CANCELING")
    assert happen(ledger, run_id, late) == expected
    assert ledger.get(run_id).tags.get(WILL_RETRY) in (None, "false")


def test_two_ends_at_once_are_one_end(ledger: Ledger, storage: str) -> None:
    """Who comes second waits until the first is written, and sees it."""
    run_id = ledger.run("STARTED")
    plain, guarded = PostgresRunStorage(storage), ledger.instance.run_storage
    assert isinstance(guarded, GuardedRunStorage)
    late = threading.Thread(target=happen, args=(ledger, run_id, "SUCCESS"))
    with guarded._alone_with(run_id):
        late.start()
        until(lambda: someone_waits(storage))
        plain.handle_run_event(run_id, dg.DagsterEvent(EVENTS["CANCELED"].value, "discussion_job"))
    late.join(10)
    assert not late.is_alive()
    assert ledger.get(run_id).status is dg.DagsterRunStatus.CANCELED


def someone_waits(storage: str) -> bool:
    """Say whether somebody waits for a lock."""
    with psycopg.connect(storage.replace("+psycopg2", "")) as connection:
        waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool((waiting.fetchone() or [0])[0])
