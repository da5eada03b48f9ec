"""Dagster's storages share the connections of a process, which are replaced when they die, and tell of each event."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa
from dagster._core.events import StepMaterializationData

from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.storages.events import PooledEventLogStorage
from discubot_pipeline.tracking.storages.guard import GuardedRunStorage
from discubot_pipeline.tracking.storages.pool import once, pool
from discubot_pipeline.tracking.storages.schedules import PooledScheduleStorage
from tests.tracking.ledger import Ledger


@pytest.fixture
def instance(shared_instance: Instance) -> Iterator[dg.DagsterInstance]:
    """Give Dagster's instance as our processes open it."""
    with shared_instance.reading() as opened:
        yield opened


@pytest.fixture
def storage(instance: dg.DagsterInstance) -> Any:
    """Give its storage of events."""
    return instance.event_log_storage


@pytest.fixture
def statements(storage: Any) -> Iterator[list[str]]:
    """Collect what is sent to the database."""
    found: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        found.append(statement)

    sa.event.listen(storage._engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(storage._engine, "before_cursor_execute", note)


def test_all_storages_share_a_pool(storage: Any) -> None:
    """Also those of other instances, of which a process may make many."""
    made = [kind(storage.postgres_url) for kind in (GuardedRunStorage, PooledEventLogStorage, PooledScheduleStorage)]
    assert {each._engine for each in made} == {pool(storage.postgres_url)}


def test_a_statement_may_take_as_long_as_its_process_says(storage: Any) -> None:
    """A web server bounds it; runs do not."""
    assert [timeout_of(pool(storage.postgres_url, ms)) for ms in (0, 7_000)] == ["0", "7s"]


def timeout_of(engine: sa.Engine) -> str:
    """Ask how long a statement may take."""
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SHOW statement_timeout").scalar())


def test_a_connection_that_died_is_replaced(ledger: Ledger, storage: Any) -> None:
    """The database may have been started anew a moment ago."""
    run_id = ledger.run("STARTED")
    with psycopg.connect(storage.postgres_url.replace("+psycopg2", ""), autocommit=True) as connection:
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        ended = connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}").fetchall()
    assert (True,) in ended
    assert ledger.get(run_id).status is dg.DagsterRunStatus.STARTED


def test_an_event_is_told_of_by_the_statement_that_writes_it(
    ledger: Ledger, storage: Any, statements: list[str]
) -> None:
    """Who listens hears the run and the event's id, as from Dagster."""
    run_id = ledger.run("STARTED")
    with psycopg.connect(storage.postgres_url.replace("+psycopg2", ""), autocommit=True) as connection:
        connection.execute("LISTEN run_events")
        statements.clear()
        ledger.instance.report_engine_event("Something happened.", ledger.get(run_id))
        written = [each for each in statements if "event_logs" in each]
        [heard] = connection.notifies(timeout=5, stop_after=1)
    [record] = ledger.instance.get_records_for_run(run_id).records
    assert heard.payload == f"{run_id}_{record.storage_id}"
    assert len(written) == 1
    assert not any("NOTIFY" in each for each in statements)


def test_an_asset_is_recorded_as_dagster_does(ledger: Ledger) -> None:
    """Other jobs in the same database may have assets."""
    run_id = ledger.run("STARTED")
    made = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        "discussion_job",
        event_specific_data=StepMaterializationData(dg.AssetMaterialization("table")),
    )
    ledger.instance.report_dagster_event(made, run_id)
    assert ledger.instance.get_latest_materialization_event(dg.AssetKey("table")) is not None


def test_what_there_is_is_asked_once() -> None:
    """And what is not there yet is asked again."""
    answers = iter([False, True])
    fact = ("nowhere", "a table")
    assert [once(fact, lambda: next(answers)) for _ in range(4)] == [False, True, True, True]
