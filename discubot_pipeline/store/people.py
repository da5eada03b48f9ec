"""People as their source knows them, remembered so that names need not be asked for again; who they are in Notion."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.people import Match
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.records import by
from discubot_pipeline.store.tables import people, source_configs

FRESH = timedelta(hours=24)
NEVER = sa.text("'epoch'")
"""When a person was asked for whom only we were told of: so the source is asked at the next chance."""


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
        with single(self._engine) as connection:
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
        with single(self._engine) as connection:
            connection.execute(upsert)


class KnownPeople:
    """Who the people of one source config are in Notion, for the trackers of its outputs."""

    def __init__(self, engine: sa.Engine, source_config_id: UUID) -> None:
        self._engine = engine
        self._config_id = source_config_id

    def notion_users(self, source_user_ids: Sequence[str], name: str) -> set[str | None]:
        """Give what is known of some people, or with no ids of those who bear a name.

        Of each it is a Notion user's id, "" for somebody who is never to be assigned, None where nothing is known.
        """
        p = people.c
        bears = sa.or_(*(sa.func.lower(column) == name.lower() for column in (p.name, p.handle, p.email)))
        who = p.source_user_id.in_(source_user_ids) if source_user_ids else bears
        answer = sa.case((p.active, p.notion_user_id), else_="")
        with single(self._engine) as connection:
            return set(connection.scalars(sa.select(answer).where(p.source_config_id == self._config_id, who)))


class Person(Value):
    """A person of a source, and who they are in Notion."""

    id: UUID
    source_config_id: UUID
    source_name: str
    source_user_id: str
    name: str
    handle: str | None
    email: str | None
    is_bot: bool
    notion_user_id: str | None
    match: Match | None
    confidence: float | None
    active: bool
    updated_at: datetime
    updated_by: str


class Mapping(Value):
    """Who a person of a source is in Notion, as somebody said or was found; None as user for nobody."""

    source_user_id: str
    notion_user_id: str | None
    match: Match
    confidence: float
    name: str | None = None
    email: str | None = None
    active: bool = True


class AllPeople:
    """The people of all sources, for those who map them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_team(self, team_id: UUID, source_config_id: UUID | None = None) -> list[Person]:
        """List a team's people, of one source where that is named, by name."""
        where = [people.c.team_id == team_id]
        where += [people.c.source_config_id == source_config_id] if source_config_id else []
        return self._select(*where)

    def get(self, id: UUID, team_id: UUID) -> Person:
        """Give one person of a team; `not_found` for another team's."""
        found = self._select(people.c.id == id, people.c.team_id == team_id)
        if not found:
            raise Permanent("not_found", f"there is no person {id}")
        return found[0]

    def map(self, config: SourceConfig, mappings: Sequence[Mapping], actor: str) -> None:
        """Say who people are in Notion, all or none of them; who was not known yet is known from then on."""
        with transaction(self._engine) as connection:
            for mapping in mappings:
                connection.execute(upsert(config, mapping, actor))

    def found(self, person: Person, mapping: Mapping, actor: str) -> bool:
        """Note who was found by e-mail or name, unless a person has said it meanwhile; False where nothing changed."""
        p = people.c
        by_hand = p.match.in_([Match.MANUAL, Match.IMPORTED])
        newer = {"notion_user_id": mapping.notion_user_id, "match": mapping.match, "confidence": mapping.confidence}
        changed = p.notion_user_id.is_distinct_from(mapping.notion_user_id) | p.match.is_distinct_from(mapping.match)
        where = (p.id == person.id) & (by_hand.is_(None) | ~by_hand) & changed
        with single(self._engine) as connection:
            update = sa.update(people).where(where).values(**newer, updated_by=actor)
            return bool(connection.execute(update).rowcount)

    def remove(self, id: UUID, team_id: UUID) -> None:
        """Forget a person and who they are in Notion."""
        with single(self._engine) as connection:
            if not connection.execute(sa.delete(people).where(people.c.id == id, people.c.team_id == team_id)).rowcount:
                raise Permanent("not_found", f"there is no person {id}")

    def _select(self, *where: sa.ColumnElement[bool]) -> list[Person]:
        source = source_configs.c.name.label("source_name")
        rows = sa.select(people, source).join(source_configs, source_configs.c.id == people.c.source_config_id)
        with single(self._engine) as connection:
            found = connection.execute(rows.where(*where).order_by(source, people.c.name, people.c.id))
            return [Person.model_validate(row, from_attributes=True) for row in found]


def upsert(config: SourceConfig, mapping: Mapping, actor: str) -> Any:
    """Write one mapping over what was known of the person; name and address only where they are given."""
    said = {
        "notion_user_id": mapping.notion_user_id,
        "match": mapping.match if mapping.notion_user_id else None,
        "confidence": mapping.confidence if mapping.notion_user_id else None,
        "active": mapping.active,
    }
    told = {name: value for name in ("name", "email") if (value := getattr(mapping, name))}
    key = {"team_id": config.team_id, "source_config_id": config.id, "source_user_id": mapping.source_user_id}
    first = {"name": mapping.source_user_id, "fetched_at": NEVER, **by(actor)}
    insert = pg.insert(people).values(key | first | said | told)
    return insert.on_conflict_do_update(
        index_elements=[people.c.source_config_id, people.c.source_user_id],
        set_=said | told | {"updated_at": sa.func.now(), "updated_by": actor},
    )
