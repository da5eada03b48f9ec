"""What Dagster's own tables lack: an index, and statistics. Called by `tracking/storage`."""

from typing import Final

from dagster import DagsterInstance

ADDED: Final = (
    "CREATE INDEX IF NOT EXISTS discubot_runs_snapshot ON runs (snapshot_id)",
    "CREATE STATISTICS IF NOT EXISTS discubot_run_tags (mcv) ON key, value FROM run_tags",
)
"""The foreign key to `snapshots` has no index: each snapshot that is removed would have all runs read. Without
statistics of both columns Postgres takes each tag for a rare one: for a page all runs of a team would be read."""


def add_indexes(instance: DagsterInstance) -> None:
    """Add what is not there yet."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        for statement in ADDED:
            connection.exec_driver_sql(statement)
