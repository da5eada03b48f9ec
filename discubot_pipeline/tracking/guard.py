"""Dagster's run storage with one change: a run that has ended stays as it ended. `dagster.yaml` names it.

Dagster writes each event's status as it comes, so a late one overwrites the last: FAILURE becomes SUCCESS when a run
that was given up ends after all, CANCELED becomes STARTING when the queue had just taken the run.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._serdes import ConfigurableClassData
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.utils import pg_url_from_config

from discubot_pipeline.tracking.runs import FINISHED

BEFORE_THE_END = [DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


class GuardedRunStorage(PostgresRunStorage):
    """Runs in Postgres, whose final statuses are final."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "GuardedRunStorage":
        """Build it from its part of `dagster.yaml`."""
        return cls(pg_url_from_config(config_value), inst_data=inst_data)

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        """Write what an event makes of a run, if it makes anything of it."""
        with self._alone_with(run_id):
            run = self._get_run_by_id(run_id)
            heard = as_heard(run.status, event) if run else None
            if heard:
                super().handle_run_event(run_id, heard, update_timestamp)

    @contextmanager
    def _alone_with(self, run_id: str) -> Iterator[None]:
        """Keep others from writing the status of the same run."""
        with self.connect() as connection:
            ours = connection.execution_options(isolation_level="READ COMMITTED")
            with ours.begin():
                ours.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (run_id,))
                yield


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
