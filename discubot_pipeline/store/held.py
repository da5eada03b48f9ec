"""Deliveries that are held because their source is paused, or waits for a person: released or dropped as one says."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.job import Value
from discubot_pipeline.store.deliveries import possible
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.inbox import CHANNEL
from discubot_pipeline.store.tables import inboxes


class HeldDelivery(Value):
    """A delivery that waits for a person's word."""

    id: int
    thread_id: str
    discussion_id: UUID
    reason: str | None


class Held:
    """What is held, of all inboxes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def count(self, config: SourceConfig) -> int:
        """Count what is held of a source."""
        table = inboxes[config.source]
        with single(self._engine) as connection:
            count = sa.select(sa.func.count()).select_from(table).where(self._of(config, None))
            return int(connection.execute(count).scalar_one())

    def of(self, config: SourceConfig, limit: int = 200) -> list[HeldDelivery]:
        """List what is held of a source, oldest first."""
        t = inboxes[config.source].c
        rows = sa.select(t.id, t.thread_id, t.discussion_id, t.reason).where(self._of(config, None))
        with single(self._engine) as connection:
            found = connection.execute(rows.order_by(t.id).limit(limit))
            return [HeldDelivery.model_validate(row, from_attributes=True) for row in found]

    def release(self, config: SourceConfig, actor: str, ids: Sequence[int] | None = None) -> int:
        """Let held deliveries be worked on, all or some, and wake the sensor; gives how many there were."""
        ring = sa.select(sa.func.pg_notify(CHANNEL, config.source.value))
        free = {"status": DeliveryStatus.PENDING, "reason": None, "not_before": sa.func.now()}
        with transaction(self._engine) as connection:
            count = self._move(connection, config, ids, free | {"updated_by": actor})
            connection.execute(ring)
        return count

    def drop(self, config: SourceConfig, actor: str, ids: Sequence[int] | None = None) -> int:
        """Close held deliveries unread, all or some; gives how many there were."""
        closed = {"status": DeliveryStatus.IGNORED, "reason": "dropped", "finished_at": sa.func.now()}
        with transaction(self._engine) as connection:
            return self._move(connection, config, ids, closed | {"updated_by": actor})

    def _of(self, config: SourceConfig, ids: Sequence[int] | None) -> sa.ColumnElement[bool]:
        t = inboxes[config.source].c
        where = (t.source_config_id == config.id) & (t.status == DeliveryStatus.HELD)
        return where if ids is None else where & t.id.in_(possible(ids))

    def _move(
        self, connection: sa.Connection, config: SourceConfig, ids: Sequence[int] | None, values: dict[str, Any]
    ) -> int:
        return connection.execute(
            sa.update(inboxes[config.source]).where(self._of(config, ids)).values(values)
        ).rowcount
