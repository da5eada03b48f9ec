"""Indexes that Dagster's own tables lack. Called by `tracking/storage`."""

from typing import Final

from dagster import DagsterInstance

INDEXES: Final = ("CREATE INDEX IF NOT EXISTS discubot_runs_snapshot ON runs (snapshot_id)",)
"""The foreign key to `snapshots` has none: each snapshot that is removed would have all runs read."""


def add_indexes(instance: DagsterInstance) -> None:
    """Add those that are not there yet."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        for index in INDEXES:
            connection.exec_driver_sql(index)
