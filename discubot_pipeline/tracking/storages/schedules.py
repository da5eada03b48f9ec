"""Dagster's storage of sensors' and schedules' states and ticks, with pooled connections. `dagster.yaml` names it."""

import sqlalchemy as sa
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from discubot_pipeline.tracking.storages.pool import Pooled


class PooledScheduleStorage(Pooled, PostgresScheduleStorage):  # type: ignore[misc]
    """Ticks and states of sensors and schedules."""

    def has_instigators_table(self) -> bool:
        """Say whether the table is there."""
        return self._once("instigators", super().has_instigators_table)

    def _has_instigators_table(self, conn: sa.Connection) -> bool:
        return self._once("instigators", lambda: super(PooledScheduleStorage, self)._has_instigators_table(conn))

    def has_built_index(self, migration_name: str) -> bool:
        """Say whether a migration of data was made."""
        return self._once(migration_name, lambda: super(PooledScheduleStorage, self).has_built_index(migration_name))
