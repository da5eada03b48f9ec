"""Puts deliveries to the threads that they turn out to belong to, once a run has read them. Used by stage 1."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.delivery import Delivery, DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.ports import Mention
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.inbox import CHANNEL
from discubot_pipeline.store.tables import inboxes, source_configs


class Sorting:
    """The inbox tables, as far as a message may come into several of them, or a delivery tell of several threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def assign(self, delivery: Delivery, mention: Mention, run_id: str) -> bool:
        """Note which thread and message a delivery is about; False when another delivery of its inbox is about it."""
        table = inboxes[delivery.source]
        found = {
            "thread_id": mention.thread_id,
            "discussion_id": discussion_id(delivery.team_id, delivery.source, mention.thread_id),
            "message_key": mention.message_key,
            "payload": table.c.payload.op("||")(sa.cast(pin(mention), pg.JSONB)),
        }
        mine = sa.update(table).where(table.c.id == delivery.id, table.c.run_id == run_id).values(found)
        with transaction(self._engine) as connection:
            try:
                with connection.begin_nested():
                    connection.execute(mine)
            except sa.exc.IntegrityError as error:
                if constraint(error) != f"uq_{table.name}_source_config_id_message_key":
                    raise
                return False
        return True

    def split(self, delivery: Delivery, mention: Mention) -> None:
        """Write a row of its own for a further thread of which a delivery tells; safe to repeat."""
        table, key = inboxes[delivery.source], f"#{mention.message_key}"
        t = table.c
        copy = sa.select(
            t.team_id,
            t.source_config_id,
            t.trigger,
            t.delivery_key + key,
            sa.literal(mention.thread_id),
            sa.literal(discussion_id(delivery.team_id, delivery.source, mention.thread_id)),
            t.payload.op("||")(sa.cast(pin(mention), pg.JSONB)),
            t.received_at,
        ).where(t.id == delivery.id)
        columns = ["team_id", "source_config_id", "trigger", "delivery_key", "thread_id", "discussion_id", "payload"]
        insert = pg.insert(table).from_select([*columns, "received_at"], copy).on_conflict_do_nothing()
        with transaction(self._engine) as connection:
            connection.execute(insert)
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, delivery.source.value)))

    def has_come(
        self, message_key: str, team_id: UUID, sources: Collection[SourceType], states: Collection[DeliveryStatus]
    ) -> bool:
        """Tell whether a message of a team has come into one of these inboxes, and stands in one of these states."""
        configs = sa.select(source_configs.c.id).where(source_configs.c.team_id == team_id)
        rows = [
            sa.select(t.id).where(
                t.source_config_id.in_(configs), t.message_key == message_key, t.status.in_(list(states))
            )
            for t in (inboxes[source].c for source in sources)
        ]
        with transaction(self._engine) as connection:
            return any(connection.execute(row.limit(1)).scalar() is not None for row in rows)


def pin(mention: Mention) -> dict[str, Any]:
    """Write what a payload keeps of a reading, so that no later one comes to another result."""
    return {"resolved": mention.model_dump(include={"thread_id", "message_id"})}


def constraint(error: sa.exc.IntegrityError) -> str | None:
    """Name the constraint that a statement has violated."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)
