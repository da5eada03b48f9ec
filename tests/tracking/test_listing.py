"""Lists stay quick with many jobs: counted in the runs that are read for a page, and in how the database finds them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.facts import JobQuery, JobStatus
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking.describe import TEAM
from discubot_pipeline.tracking.jobs import JobStore
from discubot_pipeline.tracking.listing import MOST_READ
from discubot_pipeline.tracking.status import OUTCOME
from tests.tracking.ledger import Ledger

RUNS = 2_000
COPIES = """
WITH model AS (SELECT * FROM runs WHERE run_id = :model),
made AS (
  INSERT INTO runs (run_id, pipeline_name, status, run_body, create_timestamp, update_timestamp)
  SELECT copy, pipeline_name, status, replace(run_body, run_id, copy), create_timestamp, update_timestamp
  FROM (SELECT md5(run_id || n)::uuid::text AS copy, model.* FROM generate_series(1, :runs) n, model) copies
  RETURNING run_id)
INSERT INTO run_tags (run_id, key, value)
SELECT made.run_id, key, value FROM made, run_tags WHERE run_tags.run_id = :model"""


def fill(ledger: Ledger, model: str, runs: int = RUNS) -> None:
    """Write many runs like one."""
    with ledger.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.text(COPIES), {"model": model, "runs": runs})
        connection.execute(sa.text("ANALYZE runs, run_tags"))


@contextmanager
def counted(ledger: Ledger) -> Iterator[dict[str, list[Any]]]:
    """Note each statement inside the block that asks Dagster's storage for runs, and how many rows came of it."""
    seen: dict[str, list[Any]] = {"rows": [], "statements": []}
    engine = ledger.instance.run_storage._engine  # type: ignore[attr-defined]

    def note(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if "FROM runs" in statement:
            seen["rows"].append(cursor.rowcount)
            seen["statements"].append((statement, parameters))

    sa.event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "after_cursor_execute", note)


@pytest.fixture
def team(slack_config: SourceConfig) -> UUID:
    """Give a team."""
    return slack_config.team_id


@pytest.mark.parametrize("status", [None, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING])
def test_a_page_reads_no_more_runs_than_it_shows(
    jobs: JobStore, ledger: Ledger, team: UUID, status: JobStatus | None
) -> None:
    """One more, to know whether there is a next page; whatever else there is, and on every page."""
    fill(ledger, ledger.run("SUCCESS", **{TEAM: str(team)}))
    place = None
    for _ in range(3):
        with counted(ledger) as seen:
            page, place = jobs.search(JobQuery(team_id=team, status=status), 50, place)
        assert sum(seen["rows"]) <= 51 + 1  # the run that the last page ended with is looked for
        assert len(seen["rows"]) <= 3
        if place is None:
            break
    assert len(page) == (0 if status in (JobStatus.FAILED, JobStatus.PENDING) else 50)


def test_a_stage_is_found_at_the_notes(jobs: JobStore, ledger: Ledger, stores: Stores, team: UUID) -> None:
    """Two of many: only their runs are read."""
    fill(ledger, ledger.run("SUCCESS", **{TEAM: str(team)}))
    rare = [ledger.run("SUCCESS", **{TEAM: str(team)}) for _ in range(2)]
    for run_id in rare:
        stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0")
        stores.notes.stage(run_id, Stage.AI_ANALYSIS, team_id=team)
    with counted(ledger) as seen:
        page, place = jobs.search(JobQuery(team_id=team, stage=Stage.AI_ANALYSIS), 50)
    assert ([job.job_id for job in page], place) == (rare[::-1], None)
    assert sum(seen["rows"]) == 2


def test_what_is_rare_is_looked_for_in_steps(jobs: JobStore, ledger: Ledger, team: UUID) -> None:
    """A page never reads more than it may; it is then shorter, and says where to go on."""
    wanted = ledger.run("SUCCESS", **{TEAM: str(team)})
    fill(ledger, ledger.run("SUCCESS", **{TEAM: str(team), OUTCOME: "partial"}))
    found, pages, place = [], 0, None
    while place or not pages:
        with counted(ledger) as seen:
            page, place = jobs.search(JobQuery(team_id=team, status=JobStatus.COMPLETED), 200, place)
        assert sum(seen["rows"]) <= MOST_READ + 2 * 201
        found, pages = [*found, *page], pages + 1
    assert [job.job_id for job in found] == [wanted]
    assert pages == 3


def test_no_list_reads_all_runs_or_tags(jobs: JobStore, ledger: Ledger, team: UUID) -> None:
    """The database has an index for each way to ask: no table of Dagster's is read from end to end."""
    fill(ledger, ledger.run("SUCCESS", **{TEAM: "somebody else"}), 20_000)
    fill(ledger, ledger.run("SUCCESS", **{TEAM: str(team)}), 500)
    with counted(ledger) as seen:
        for status in (None, *JobStatus):
            jobs.search(JobQuery(team_id=team, status=status), 50)
            jobs.search(JobQuery(team_id=team, status=status, job_name="discussion_job"), 50)
    with ledger.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        for statement, parameters in seen["statements"]:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
            assert not [line for line in plan if "Seq Scan on run" in line], "\n".join(plan)
