"""What became of the deliveries that a backfill has written."""

from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.backfill import Standing
from discubot_pipeline.domain.delivery import DeliveryKind
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import inboxes


def writer_of(root_run_id: str) -> str:
    """Name a chain of import runs, for the column that says who wrote a row."""
    return f"backfill:{root_run_id}"


class Imports:
    """The deliveries of backfills, in all inboxes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def standing(self, root_run_id: str) -> Standing:
        """Count the deliveries that a chain of import runs has written, by how they stand."""
        mine = [
            sa.select(t.c.status).where(t.c.trigger == Trigger.BACKFILL, t.c.created_by == writer_of(root_run_id))
            for t in inboxes.values()
        ]
        rows = sa.union_all(*mine).subquery()
        counts = sa.select(rows.c.status, sa.func.count()).group_by(rows.c.status)
        with single(self._engine) as connection:
            return Standing.of((row[0], row[1]) for row in connection.execute(counts))

    def is_all_of(self, discussion_id: UUID) -> bool:
        """Say whether backfills alone have brought a discussion: nobody has asked in it since the bot came."""
        asked = [
            sa.select(t.c.trigger).where(t.c.discussion_id == discussion_id, t.c.kind == DeliveryKind.MENTION)
            for t in inboxes.values()
        ]
        with single(self._engine) as connection:
            return set(connection.execute(sa.union(*asked)).scalars()) == {Trigger.BACKFILL}
