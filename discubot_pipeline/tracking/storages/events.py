"""Dagster's storage of events, with pooled connections and one statement for each. `dagster.yaml` names it."""

import sqlalchemy as sa
from dagster import EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable as Events
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.event_log.event_log import CHANNEL_NAME

from discubot_pipeline.tracking.storages.pool import Pooled

OF_ASSETS = ASSET_EVENTS | ASSET_CHECK_EVENTS
COLUMNS = ("run_id", "event", "dagster_event_type", "timestamp", "step_key", "asset_key", "partition")


def _store() -> sa.Executable:
    """Write an event and tell of it as Dagster does, made once: making it costs more than running it."""
    rows = sa.insert(Events).values({name: sa.bindparam(name) for name in COLUMNS})
    stored = rows.returning(Events.c.run_id, Events.c.id).cte("stored")
    return sa.select(sa.func.pg_notify(CHANNEL_NAME, stored.c.run_id + "_" + sa.cast(stored.c.id, sa.Text)))


STORE = _store()


class PooledEventLogStorage(Pooled, PostgresEventLogStorage):  # type: ignore[misc]
    """Events of runs; writing one, and telling those who listen, is one statement."""

    def store_event(self, event: EventLogEntry) -> None:
        """Write an event and NOTIFY `run_events`."""
        if event.is_dagster_event and event.dagster_event_type in OF_ASSETS:
            super().store_event(event)
            return
        with self._connect() as connection:
            connection.execute(STORE, self._event_to_row(event))
