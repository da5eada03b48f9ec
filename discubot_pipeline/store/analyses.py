"""Answers of language models that are kept: the same thread, prompts and model are not paid for twice."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.analysis import Findings
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import analyses


class Analyses:
    """The analyses table: one row for each team and key; a key names all that shapes an answer."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, team_id: UUID, key: bytes) -> Findings | None:
        """Give the findings that a team has for a key; None when there are none."""
        wanted = sa.select(analyses.c.findings).where(analyses.c.team_id == team_id, analyses.c.key == key)
        with single(self._engine) as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else Findings.model_validate(found)

    def keep(self, team_id: UUID, key: bytes, analyst: str, findings: Findings) -> None:
        """Keep findings, in place of older ones of that key."""
        row = {"analyst": analyst, "findings": findings.model_dump(mode="json")}
        insert = pg.insert(analyses).values(row | {"team_id": team_id, "key": key})
        newer = row | {"created_at": sa.func.now(), "updated_at": sa.func.now()}
        kept = insert.on_conflict_do_update(index_elements=[analyses.c.team_id, analyses.c.key], set_=newer)
        with single(self._engine) as connection:
            connection.execute(kept)
