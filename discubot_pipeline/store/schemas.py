"""The schemas of Notion databases as they were read last, for all processes. A change of the output forgets its own."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import Output
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import schemas

FRESH = timedelta(minutes=10)


class KeptSchema:
    """The schema of one output, as this version of the output sees it."""

    def __init__(self, engine: sa.Engine, output: Output) -> None:
        self._engine = engine
        self._output = output

    def get(self) -> dict[str, Any] | None:
        """Give the schema that was read within the last ten minutes."""
        s = schemas.c
        kept = sa.select(s.target).where(
            s.output_id == self._output.id,
            s.output_version == self._output.version,
            s.fetched_at > sa.func.now() - FRESH,
        )
        with single(self._engine) as connection:
            target: dict[str, Any] | None = connection.execute(kept).scalar()
            return target

    def put(self, target: dict[str, Any]) -> None:
        """Keep the schema in place of the one before; nothing where the output is gone."""
        row = {"output_version": self._output.version, "target": target, "fetched_at": sa.func.now()}
        insert = pg.insert(schemas).values(output_id=self._output.id, **row)
        try:
            with single(self._engine) as connection:
                connection.execute(insert.on_conflict_do_update(index_elements=[schemas.c.output_id], set_=row))
        except sa.exc.IntegrityError:
            return

    def drop(self) -> None:
        """Forget the schema."""
        with single(self._engine) as connection:
            connection.execute(sa.delete(schemas).where(schemas.c.output_id == self._output.id))
