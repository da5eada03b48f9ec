"""What is asked of Dagster's record again and again goes by an index: nothing there reads the runs of long ago."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster import DagsterEventType, DagsterInstance, RunsFilter, RunStatusChangeRecordsFilter
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from discubot_pipeline.tracking.describe import TEAM
from discubot_pipeline.tracking.retries import PARENT
from discubot_pipeline.tracking.runs import ROOT, RUN_KEY, SENSOR, at_work, run_of_key
from discubot_pipeline.tracking.storages.indexes import add_indexes
from tests.tracking.ledger import Ledger, on_postgres

MANY = 20_000
FIRST_TEAM = md5(b"1").hexdigest()
FILL = f"""
INSERT INTO runs (run_id, pipeline_name, status, run_body)
  SELECT md5(n::text), 'discussion_job', (ARRAY['SUCCESS', 'SUCCESS', 'FAILURE'])[1 + n %% 3], run_body
  FROM generate_series(1, {MANY}) n, runs WHERE id = (SELECT min(id) FROM runs);
INSERT INTO run_tags (run_id, key, value)
  SELECT md5(n::text), (ARRAY['{RUN_KEY}', '{SENSOR}', '{ROOT}', '{PARENT}', '{TEAM}'])[k],
         (ARRAY[n || ':0', 'slack_inbox', md5((n - n %% 4)::text), md5((n - 1)::text), md5((n %% 4)::text)])[k]
  FROM generate_series(1, {MANY}) n, generate_series(1, 5) k;
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key)
  SELECT md5(n::text), '{{}}', (ARRAY['STEP_START', 'RUN_START', 'RUN_FAILURE', 'STEP_SUCCESS'])[1 + k %% 4], now(), 'x'
  FROM generate_series(1, {MANY}) n, generate_series(1, 8) k;
ANALYZE runs, run_tags, event_logs
"""
QUESTIONS: dict[str, Callable[[DagsterInstance], Any]] = {
    "the queue": lambda it: it.get_runs(RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])),
    "what the queue counts": lambda it: it.get_run_records(RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)),
    "runs at work": at_work,
    "the run of a key": lambda it: run_of_key(it, "slack_inbox", "7:0"),
    "the runs of many keys": lambda it: it.get_runs(
        RunsFilter(tags={RUN_KEY: [f"{n}:0" for n in range(50)], SENSOR: "slack_inbox"})
    ),
    "a run": lambda it: it.get_run_by_id("x"),
    "a chain": lambda it: it.get_runs(RunsFilter(tags={ROOT: "x"})),
    "a page of a team's": lambda it: it.get_run_records(RunsFilter(tags={TEAM: FIRST_TEAM}), limit=51),
    "a retry": lambda it: it.get_runs(RunsFilter(tags={PARENT: "x"}), limit=1),
    "what failed lately": lambda it: it.get_runs(
        RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(tz=UTC) + timedelta(minutes=1))
    ),
    "the newest failures": lambda it: it.fetch_run_status_changes(
        RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=10**9), limit=5
    ),
    "the events of a run": lambda it: it.all_logs("x"),
}


@pytest.fixture(scope="module")
def instance(database_url: str) -> Iterator[dg.DagsterInstance]:
    """Give a record of many old runs."""
    with on_postgres(database_url) as instance:
        Ledger(instance).run()
        add_indexes(instance)
        with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            for statement in FILL.split(";\n"):
                connection.exec_driver_sql(statement)
        yield instance


@pytest.fixture
def whole(instance: dg.DagsterInstance) -> Iterator[list[str]]:
    """Collect the plans of statements, where they read a table whole."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            with connection.connection.cursor() as own:
                own.execute(f"EXPLAIN {statement}", values)
                found.append("\n".join(line for [line] in own.fetchall()))

    engine = instance.run_storage._engine  # type: ignore[attr-defined]
    sa.event.listen(engine, "before_cursor_execute", explain)
    yield found
    sa.event.remove(engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_table_whole(instance: dg.DagsterInstance, whole: list[str], question: str) -> None:
    """Not of runs, not of their tags, not of their events."""
    QUESTIONS[question](instance)
    assert whole
    assert [plan for plan in whole if "Seq Scan on " in plan] == []


def test_a_team_that_was_not_the_last_to_work_is_not_looked_for_run_by_run(
    instance: dg.DagsterInstance, whole: list[str]
) -> None:
    """Its tags are read once, beside the runs."""
    instance.get_run_records(RunsFilter(tags={TEAM: FIRST_TEAM}), limit=51)
    assert "hashed SubPlan" in whole[-1]


@pytest.mark.parametrize(
    "other", [{}, {SENSOR: "slack_inbox"}, {TEAM: [FIRST_TEAM, "x"]}], ids=["alone", "a rare", "any"]
)
def test_runs_are_found_by_common_and_by_rare_tags(instance: dg.DagsterInstance, other: dict[str, Any]) -> None:
    """All tags have to be there, one value of those that are given."""
    tags = {TEAM: FIRST_TEAM, RUN_KEY: "5:0"} | other
    assert instance.get_run_ids(RunsFilter(tags=tags)) == [md5(b"5").hexdigest()]
    assert not instance.get_runs(RunsFilter(tags=tags | {TEAM: md5(b"2").hexdigest()}))
    assert instance.get_runs_count(RunsFilter(tags={TEAM: FIRST_TEAM})) == MANY / 4


def test_postgres_knows_that_a_team_has_many_runs(instance: dg.DagsterInstance) -> None:
    """By each column alone it would take the tag for a rare one, and read all runs of a team for a page of them."""
    asked = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM run_tags WHERE key = '{TEAM}' AND value = '{FIRST_TEAM}'"
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        [plan] = connection.exec_driver_sql(asked).scalar()
    assert plan["Plan"]["Plan Rows"] == pytest.approx(MANY / 4, rel=0.3)
