"""Many discussions at once, in a few statements a batch: written, deleted, read. One transaction a batch."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.discussion import Attachment, DiscussionStatus, discussion_id, title_of
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.operations import PortableDiscussion, PortableMessage, Selection
from discubot_pipeline.store.catalogue import drop_waiting, forget_words, open_among
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.records import by
from discubot_pipeline.store.tables import discussions, inboxes, messages


class Deleted(Value):
    """What became of a batch: how many are gone, which are missing or at work, and the last one looked at."""

    count: int
    missing: tuple[UUID, ...]
    at_work: tuple[UUID, ...]
    last: UUID | None


class Exported(Value):
    """A batch of discussions, which are missing, and the last one looked at."""

    discussions: tuple[PortableDiscussion, ...]
    missing: tuple[UUID, ...]
    last: UUID | None


class Bulk:
    """The discussions table with its messages, by the thousand."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def write(self, team_id: UUID, wanted: Iterable[PortableDiscussion], actor: str) -> tuple[int, int]:
        """Write discussions that are not there yet, each with all its messages; gives how many of both."""
        known = {discussion_id(team_id, each.source, each.thread): each for each in wanted}
        rows = [discussion_row(id, team_id, each, actor) for id, each in known.items()]
        with transaction(self._engine) as connection:
            made = connection.scalars(insert(discussions, rows).returning(discussions.c.id)).all() if rows else []
            said = [
                message_row(id, team_id, position, message, actor)
                for id in made
                for position, message in enumerate(known[id].messages)
            ]
            if said:
                connection.execute(insert(messages, said))
        return len(made), len(said)

    def delete(self, team_id: UUID, wanted: Selection, after: UUID | None, limit: int) -> Deleted:
        """Delete the next discussions of a selection with all that was kept of their words; those at work stay."""
        d = discussions.c
        with transaction(self._engine) as connection:
            looked, rows = following(connection, team_id, wanted, after, limit, [d.id, d.source_type, d.active_run_id])
            by_source: dict[Any, set[UUID]] = defaultdict(set)
            for row in rows:
                by_source[row.source_type].add(row.id)
            busy = {row.id for row in rows if row.active_run_id is not None}
            for source, ids in by_source.items():
                busy |= clear(connection, inboxes[source], ids - busy)
            gone = {row.id for row in rows} - busy
            connection.execute(sa.delete(discussions).where(d.id.in_(gone)))
        missing = tuple(id for id in looked if id not in gone | busy)
        return Deleted(
            count=len(gone), missing=missing, at_work=tuple(sorted(busy)), last=looked[-1] if looked else None
        )

    def read(self, team_id: UUID, wanted: Selection, after: UUID | None, limit: int) -> Exported:
        """Read the next discussions of a selection, with their messages."""
        m = messages.c
        with transaction(self._engine) as connection:
            looked, rows = following(connection, team_id, wanted, after, limit, [discussions])
            spoken = sa.select(messages).where(m.discussion_id.in_([row.id for row in rows]))
            said: dict[UUID, list[PortableMessage]] = defaultdict(list)
            for row in connection.execute(spoken.order_by(m.discussion_id, m.position, m.id)):
                said[row.discussion_id].append(message_of(row))
        there = {row.id for row in rows}
        return Exported(
            discussions=tuple(discussion_of(row, said[row.id]) for row in rows),
            missing=tuple(id for id in looked if id not in there),
            last=looked[-1] if looked else None,
        )

    def count(self, team_id: UUID, wanted: Selection) -> int:
        """Count the discussions of a selection."""
        where = sa.select(sa.func.count()).select_from(discussions).where(*meant(team_id, wanted))
        with single(self._engine) as connection:
            return int(connection.execute(where).scalar_one())


def following(
    connection: sa.Connection, team_id: UUID, wanted: Selection, after: UUID | None, limit: int, columns: Sequence[Any]
) -> tuple[list[UUID], Sequence[Any]]:
    """Lock and read the next discussions by id; gives all ids looked for, those that are not there too."""
    d = discussions.c
    where = meant(team_id, wanted) + ([d.id > after] if after else [])
    if wanted.ids is not None:
        named = sorted(id for id in set(wanted.ids) if after is None or id > after)[:limit]
        where.append(d.id.in_(named))
    found = sa.select(*columns).where(*where).order_by(d.id).limit(limit).with_for_update(of=discussions)
    rows = connection.execute(found).all()
    return (named if wanted.ids is not None else [row.id for row in rows]), rows


def meant(team_id: UUID, wanted: Selection) -> list[sa.ColumnElement[bool]]:
    """Say which discussions of a team are meant."""
    d = discussions.c
    where = [d.team_id == team_id]
    where += [d.id.in_(wanted.ids)] if wanted.ids is not None else []
    where += [d.status.in_(wanted.status)] if wanted.status is not None else []
    where += [d.source_type == wanted.source] if wanted.source is not None else []
    where += [d.created_at >= wanted.since] if wanted.since is not None else []
    return where + ([d.created_at < wanted.until] if wanted.until is not None else [])


def clear(connection: sa.Connection, inbox: sa.Table, ids: Collection[UUID]) -> set[UUID]:
    """Drop what waits for discussions, and forget their words; gives those that a run was asked for, which stay.

    Looked at twice: what waited may have been asked for in between.
    """
    busy = open_among(connection, inbox, ids)
    free = set(ids) - busy
    drop_waiting(connection, inbox, free)
    busy |= open_among(connection, inbox, free)
    forget_words(connection, inbox, free - busy)
    return busy


def insert(table: sa.Table, rows: Sequence[dict[str, Any]]) -> Any:
    """Write rows in one statement with one parameter, however many they are; what is there already stays."""
    columns = [sa.column(name, table.c[name].type) for name in rows[0]]
    given = sa.func.jsonb_to_recordset(sa.literal(list(rows), pg.JSONB)).table_valued(*columns, name="given")
    typed = given.render_derived(with_types=True)
    return pg.insert(table).from_select(list(rows[0]), sa.select(*typed.c)).on_conflict_do_nothing()


def discussion_row(id: UUID, team_id: UUID, wanted: PortableDiscussion, actor: str) -> dict[str, Any]:
    """Write an imported discussion as a row; no run is at work on it, whatever it was when it was exported."""
    first = wanted.messages[0] if wanted.messages else None
    is_idle = wanted.status is not DiscussionStatus.PROCESSING
    return {
        "id": str(id),
        "team_id": str(team_id),
        "source_type": wanted.source,
        "source_thread_id": wanted.thread,
        "source_url": wanted.url,
        "title": wanted.title or title_of(first.content if first else ""),
        "content": first.content if first else "",
        "author_id": first.author_id if first else None,
        "author_handle": first.author_handle if first else None,
        "author_name": first.author_name if first else None,
        "participants": list(dict.fromkeys(message.author_name for message in wanted.messages)),
        "status": wanted.status if is_idle else DiscussionStatus.NEW,
        "total_messages": len(wanted.messages),
        **by(actor),
    }


def message_row(id: UUID, team_id: UUID, position: int, message: PortableMessage, actor: str) -> dict[str, Any]:
    """Write an imported message as a row."""
    own = message.model_dump(mode="json", exclude={"id"})
    ids = {"team_id": str(team_id), "discussion_id": str(id), "source_message_id": message.id}
    return {**ids, "position": position, **own, **by(actor)}


def discussion_of(row: Any, said: Sequence[PortableMessage]) -> PortableDiscussion:
    """Turn a row into what is exported; what was stored is not checked again."""
    return PortableDiscussion.model_construct(
        source=row.source_type,
        thread=row.source_thread_id,
        title=row.title,
        url=row.source_url,
        status=row.status,
        messages=tuple(said),
    )


def message_of(row: Any) -> PortableMessage:
    """Turn a row into what is exported."""
    own = {name: getattr(row, name) for name in PortableMessage.model_fields if name not in ("id", "attachments")}
    attachments = tuple(map(Attachment.model_validate, row.attachments))
    return PortableMessage.model_construct(id=row.source_message_id, attachments=attachments, **own)
