"""People as their source knows them, remembered so that names need not be asked for again."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.tables import people

FRESH = timedelta(hours=24)


class People:
    """The people of one source config."""

    def __init__(self, engine: sa.Engine, config: SourceConfig) -> None:
        self._engine = engine
        self._team_id: UUID = config.team_id
        self._config_id: UUID = config.id

    def get(self, user_id: str) -> Author | None:
        """Give a person asked for within the last day."""
        p = people.c
        known = sa.select(people).where(
            p.source_config_id == self._config_id,
            p.source_user_id == user_id,
            p.fetched_at > sa.func.now() - FRESH,
        )
        with transaction(self._engine) as connection:
            row = connection.execute(known).one_or_none()
        if row is None:
            return None
        return Author(
            id=row.source_user_id,
            name=row.name,
            handle=row.handle,
            email=row.email,
            time_zone=row.time_zone,
            is_bot=row.is_bot,
        )

    def put(self, author: Author) -> None:
        """Remember a person."""
        seen = author.model_dump(exclude={"id"}) | {"fetched_at": sa.func.now()}
        key = {"team_id": self._team_id, "source_config_id": self._config_id, "source_user_id": author.id}
        insert = pg.insert(people).values(key | seen)
        upsert = insert.on_conflict_do_update(
            index_elements=[people.c.source_config_id, people.c.source_user_id],
            set_=seen | {"updated_at": sa.func.now()},
        )
        with transaction(self._engine) as connection:
            connection.execute(upsert)
