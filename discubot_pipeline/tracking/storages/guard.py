"""Dagster's run storage with two changes: a run that has ended stays as it ended, and a page of a team's runs is quick.

Dagster writes each event's status as it comes, so a late one overwrites the last: FAILURE becomes SUCCESS when a run
that was given up ends after all, CANCELED becomes STARTING when the queue had just taken the run.

And it looks for a tag by joining the tags. For one that many runs have Postgres then probes each run, the newest first,
until the page is full: slow for a team that was not the last to work. `dagster.yaml` names this storage.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import lru_cache
from threading import local
from typing import Any

import sqlalchemy as sa
from dagster import DagsterEvent, DagsterEventType, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._serdes import ConfigurableClassData, deserialize_value
from dagster_postgres.run_storage import PostgresRunStorage

from discubot_pipeline.tracking.runs import FINISHED
from discubot_pipeline.tracking.storages.pool import Pooled

MOST_READ = 512
COMMON = frozenset(("discubot/team", "discubot/team_id"))
"""Tags that many runs share, but not all of the newest."""
Tags = Mapping[str, str | Sequence[str]]
BEFORE_THE_END = [DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


class GuardedRunStorage(Pooled, PostgresRunStorage):
    """Runs in Postgres, whose final statuses are final, with pooled connections."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._held = local()
        super().__init__(postgres_url, inst_data)

    def connect(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection: while a run's status is written, the one that holds its lock."""
        held: sa.Connection | None = getattr(self._held, "connection", None)
        return nullcontext(held) if held else super().connect()

    def _row_to_run(self, row: dict[str, Any]) -> DagsterRun:
        return read(row["run_body"]).with_status(DagsterRunStatus(row["status"]))

    def has_run_stats_index_cols(self) -> bool:
        """Say whether the table of runs has their times."""
        return self._once("times", super().has_run_stats_index_cols)

    def has_built_index(self, migration_name: str) -> bool:
        """Say whether a migration of data was made."""
        return self._once(migration_name, lambda: super(GuardedRunStorage, self).has_built_index(migration_name))

    def _apply_tags_table_filters(self, table: sa.FromClause, tags: Tags) -> Any:
        rare = {key: value for key, value in tags.items() if key not in COMMON}
        return super()._apply_tags_table_filters(table, rare)

    def _add_filters_to_query(self, query: Any, filters: RunsFilter) -> Any:
        query = super()._add_filters_to_query(query, filters)
        return query.where(*[has(key, value) for key, value in filters.tags.items() if key in COMMON])

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        """Write what an event makes of a run, if it makes anything of it."""
        if event.event_type not in EVENT_TYPE_TO_PIPELINE_RUN_STATUS:
            return
        with self._alone_with(run_id):
            run = self._get_run_by_id(run_id)
            heard = as_heard(run.status, event) if run else None
            if heard:
                super().handle_run_event(run_id, heard, update_timestamp)

    @contextmanager
    def _alone_with(self, run_id: str) -> Iterator[None]:
        """Keep others from writing the status of the same run."""
        with super().connect() as connection:
            ours = connection.execution_options(isolation_level="READ COMMITTED")
            with ours.begin():
                ours.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (run_id,))
                self._held.connection = ours
                try:
                    yield
                finally:
                    self._held.connection = None


def has(key: str, value: str | Sequence[str]) -> sa.ColumnElement[bool]:
    """Ask whether a run has a tag, as a question that Postgres may answer by reading all such tags once.

    It would make a join of a bare EXISTS.
    """
    t, values = RunTagsTable.c, [value] if isinstance(value, str) else value
    tag = sa.select(t.id).where(t.run_id == RunsTable.c.run_id, t.key == key, t.value.in_(values))
    return tag.correlate(RunsTable).exists().is_(sa.true())


@lru_cache(maxsize=MOST_READ)
def read(body: str) -> DagsterRun:
    """Read a run as it is stored; the queue looks at the same ones again and again."""
    return deserialize_value(body, DagsterRun)


def as_heard(status: DagsterRunStatus, event: DagsterEvent) -> DagsterEvent | None:
    """Say what an event means to a run in a status: nothing after its end; a failure while it is cancelled is that."""
    becomes = EVENT_TYPE_TO_PIPELINE_RUN_STATUS.get(event.event_type)
    if status in FINISHED:
        return None
    if status is DagsterRunStatus.CANCELING and becomes in BEFORE_THE_END:
        return None
    if status is DagsterRunStatus.CANCELING and becomes is DagsterRunStatus.FAILURE:
        return DagsterEvent(DagsterEventType.RUN_CANCELED.value, event.job_name, message=event.message)
    return event
