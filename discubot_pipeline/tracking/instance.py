"""Dagster's record of runs for processes that do no work in it: opened at the first question, connections pooled."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster_postgres.utils import DagsterPostgresException

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.store.engine import database_faults

STATEMENT_MS = 10_000
RECYCLE_SECONDS = 3_600
MOST_CONNECTIONS = 20


class Instance:
    """The instance of a state folder, over the database that is named: no environment is read."""

    def __init__(self, home: Path, url: str) -> None:
        self._home, self._url = home, url
        self._opening = Lock()
        self._opened: DagsterInstance | None = None

    @contextmanager
    def reading(self) -> Iterator[DagsterInstance]:
        """Give the instance; when its database does not answer that is Transient("database_down")."""
        try:
            with database_faults():
                yield self._open()
        except DagsterPostgresException as error:
            raise Transient("database_down", "the database does not answer") from error

    def close(self) -> None:
        """Give back what was opened."""
        with self._opening:
            if self._opened is not None:
                self._opened.dispose()
            self._opened = None

    def _open(self) -> DagsterInstance:
        with self._opening:
            if self._opened is None:
                opened = DagsterInstance.from_ref(InstanceRef.from_dir(str(self._home), overrides=storages(self._url)))
                opened.optimize_for_webserver(STATEMENT_MS, RECYCLE_SECONDS, MOST_CONNECTIONS)
                self._opened = opened
            return self._opened


def storages(url: str) -> dict[str, Any]:
    """Name the storages of `dagster.yaml` with a database of their own, instead of the one of the environment."""
    at = {"config": {"postgres_url": url}}
    return {
        "run_storage": {"module": "discubot_pipeline.tracking.storages.guard", "class": "GuardedRunStorage"} | at,
        "event_log_storage": {"module": "discubot_pipeline.tracking.storages.events", "class": "PooledEventLogStorage"}
        | at,
        "schedule_storage": {
            "module": "discubot_pipeline.tracking.storages.schedules",
            "class": "PooledScheduleStorage",
        }
        | at,
    }
