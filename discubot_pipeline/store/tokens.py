"""Bearer tokens of the API: shown once when made, kept as a hash."""

import hashlib
import secrets
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.job import Value
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import Role, tokens


class Bearer(Value):
    """Who holds a token: a name within a team, and what it may do."""

    team_id: UUID
    name: str
    role: Role


class Tokens:
    """The tokens table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def make(self, team_id: UUID, name: str, role: Role, actor: str) -> str:
        """Make a token; one of that name is replaced. The text is given here and never again."""
        token = f"dbt_{secrets.token_urlsafe(32)}"
        row: dict[str, Any] = {"role": role, "hash": digest(token), "updated_by": actor}
        insert = pg.insert(tokens).values(team_id=team_id, name=name, created_by=actor, **row)
        with single(self._engine) as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=[tokens.c.team_id, tokens.c.name], set_=row))
        return token

    def bearer(self, token: str) -> Bearer | None:
        """Say who a token belongs to."""
        with single(self._engine) as connection:
            row = connection.execute(sa.select(tokens).where(tokens.c.hash == digest(token))).one_or_none()
        return Bearer(team_id=row.team_id, name=row.name, role=row.role) if row else None


def digest(token: str) -> bytes:
    """Hash a token; it is random enough that no salt is needed."""
    return hashlib.sha256(token.encode()).digest()
