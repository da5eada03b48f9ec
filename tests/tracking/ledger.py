"""Writes runs into a Dagster instance as if they had happened: in any status, of any age, in chains."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import dagster as dg
import psycopg
import sqlalchemy as sa
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.runs.schema import RunsTable

from discubot_pipeline.settings import Settings
from discubot_pipeline.tracking.instance import storages
from discubot_pipeline.tracking.runs import ROOT

RETRIES = {"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}}
"""Settings of an instance that retries crashed runs, as ours does."""
SERVER = GrpcServerCodeLocationOrigin(host="localhost", socket="code.sock", location_name="discubot")


@contextmanager
def on_postgres(database_url: str) -> Iterator[dg.DagsterInstance]:
    """Open an empty instance on our storages, in its own schema of the test database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    url = Settings.model_validate({"database_url": database_url}).dagster_url
    with dg.instance_for_test(overrides=RETRIES | storages(url)) as instance:
        instance.wipe()
        yield instance
        instance.wipe()


class Ledger:
    """An instance to write runs into."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def run(self, status: str = "SUCCESS", parent: str | None = None, tagged: bool = True, **tags: str) -> str:
        """Write a run; a parent makes it part of that one's chain, by tags too unless told otherwise."""
        root = (self.get(parent).root_run_id or parent) if parent else None
        family = {ROOT: root, "dagster/parent_run_id": parent} if root and parent and tagged else {}
        run = dg.DagsterRun(
            job_name="discussion_job",
            run_id=str(uuid4()),
            status=dg.DagsterRunStatus(status),
            tags=family | tags,
            root_run_id=root,
            parent_run_id=parent,
            remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(SERVER, "__repository__"), "discussion_job"),
        )
        return self.instance.add_run(run).run_id

    def get(self, run_id: str) -> dg.DagsterRun:
        """Give a run."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def touch(self, run_id: str, at: datetime) -> str:
        """Write that a run was last touched at some time; gives its id."""
        self._write(run_id, update_timestamp=at.replace(tzinfo=None))
        return run_id

    def end(self, run_id: str, at: datetime) -> str:
        """Write that a run ended at some time; gives its id."""
        self._write(run_id, end_time=at.timestamp())
        return run_id

    def begin(self, run_id: str, at: datetime) -> str:
        """Write that a run was made at some time; gives its id."""
        self._write(run_id, create_timestamp=at.replace(tzinfo=None))
        return run_id

    def time(self, run_id: str, created: datetime, start: float | None, end: float | None) -> None:
        """Write when a run was made, and how many seconds later it began and ended."""
        at = created.timestamp()
        times = {"start_time": start, "end_time": end}
        seconds = {name: None if value is None else at + value for name, value in times.items()}
        self._write(run_id, create_timestamp=created.replace(tzinfo=None), **seconds)

    def say(self, run_id: str, kind: dg.DagsterEventType, step: str | None = "build_thread", data: Any = None) -> None:
        """Write an event of a run's step."""
        event = dg.DagsterEvent(
            kind.value, "discussion_job", step_key=step, event_specific_data=data, message=kind.value
        )
        self.instance.report_dagster_event(event, run_id)

    def _write(self, run_id: str, **values: object) -> None:
        with self.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            connection.execute(sa.update(RunsTable).where(RunsTable.c.run_id == run_id).values(**values))
