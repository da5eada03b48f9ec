"""Dagster's storage of events, with pooled connections and one statement for each. `dagster.yaml` names it."""

import sqlalchemy as sa
from dagster import EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable as Events
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.event_log.event_log import CHANNEL_NAME

from discubot_pipeline.tracking.storages.pool import Pooled

OF_ASSETS = ASSET_EVENTS | ASSET_CHECK_EVENTS


class PooledEventLogStorage(Pooled, PostgresEventLogStorage):  # type: ignore[misc]
    """Events of runs; writing one, and telling those who listen, is one statement."""

    def store_event(self, event: EventLogEntry) -> None:
        """Write an event and NOTIFY `run_events`, as Dagster does."""
        if event.is_dagster_event and event.dagster_event_type in OF_ASSETS:
            super().store_event(event)
            return
        stored = self.prepare_insert_event(event).returning(Events.c.run_id, Events.c.id).cte("stored")
        told = stored.c.run_id + "_" + sa.cast(stored.c.id, sa.Text)
        with self._connect() as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL_NAME, told)))
