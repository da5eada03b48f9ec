"""What is still to do in all inboxes, and since when. Read by `/metrics`."""

from typing import Any

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.job import Trigger, Value
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.tables import inboxes

PATIENCE = "2s"
"""How long the database may count."""


class Waiting(Value):
    """Deliveries of one source that stand alike: how many, and the age in seconds of the one that waits longest."""

    source: SourceType
    status: DeliveryStatus
    trigger: Trigger
    count: int
    oldest_seconds: float


class Backlog:
    """All inbox tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def read(self) -> list[Waiting]:
        """Count what is open by way of the indexes that hold just that. Raises Transient when it takes too long."""
        with transaction(self._engine) as connection:
            connection.execute(sa.select(sa.func.set_config("statement_timeout", PATIENCE, True)))
            rows = connection.execute(sa.union_all(*(part for source in SourceType for part in waiting(source))))
            return [Waiting.model_validate(row, from_attributes=True) for row in rows]


def waiting(source: SourceType) -> list[sa.Select[Any]]:
    """Select what waits in one inbox, and what is at work: each has an index of its own."""
    t = inboxes[source].c
    age = sa.extract("epoch", sa.func.now() - sa.func.min(sa.func.coalesce(t.replayed_at, t.received_at)))
    figures = (sa.literal(source.value).label("source"), t.status, t.trigger, sa.func.count().label("count"))
    counted = sa.select(*figures, age.label("oldest_seconds")).group_by(t.status, t.trigger)
    return [counted.where(sa.text(where)) for where in ("status = 'pending'", "status IN ('requested', 'running')")]
