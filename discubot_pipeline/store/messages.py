"""The messages of discussions, as people read and add them, and as a job takes them up again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import Field

from discubot_pipeline.domain.contributions import NewMessage
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import Attachment, Author, Message, MessageRole
from discubot_pipeline.domain.job import Value
from discubot_pipeline.store.catalogue import missing
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.paging import oldest_first
from discubot_pipeline.store.records import by, refused
from discubot_pipeline.store.tables import discussions, messages


class MessagePlace(NamedTuple):
    """Where a page of messages ended."""

    position: Annotated[int, Field(ge=0, lt=2**31)]
    id: UUID


class MessageRecord(Value):
    """One message of a discussion; `is_added` when it was written here and not in the source."""

    id: UUID
    discussion_id: UUID
    source_message_id: str
    position: int
    is_added: bool
    role: MessageRole
    persona: str | None
    author_id: str
    author_name: str
    author_handle: str | None
    content: str
    url: str | None
    attachments: tuple[Attachment, ...]
    sent_at: datetime
    created_at: datetime
    created_by: str

    @property
    def place(self) -> MessagePlace:
        """Say where it stands in its discussion."""
        return MessagePlace(self.position, self.id)


class Messages:
    """The messages table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(self, discussion_id: UUID, after: MessagePlace | None, limit: int) -> list[MessageRecord]:
        """List one page of a discussion's messages and one more, in the order of the thread."""
        m = messages.c
        rows = sa.select(messages).where(m.discussion_id == discussion_id)
        with single(self._engine) as connection:
            return list(map(read, connection.execute(oldest_first(rows, (m.position, m.id), after, limit))))

    def add(self, discussion_id: UUID, team_id: UUID, new: Sequence[NewMessage], actor: str) -> list[MessageRecord]:
        """Add messages at the end of a team's discussion, all or none. `exists` when one is there already."""
        d, m = discussions.c, messages.c
        this = sa.select(discussions).where(d.id == discussion_id, d.team_id == team_id).with_for_update()
        end = sa.select(sa.func.coalesce(sa.func.max(m.position) + 1, 0)).where(m.discussion_id == discussion_id)
        there = {MESSAGE_KEY: ("exists", "this discussion has a message of that id already")}
        try:
            with transaction(self._engine) as connection:
                discussion = connection.execute(this).one_or_none()
                if discussion is None:
                    raise missing(discussion_id)
                if not new:
                    return []
                start = connection.execute(end).scalar_one()
                rows = [row_of(each, discussion, place, actor) for place, each in enumerate(new, start)]
                made = connection.execute(sa.insert(messages).values(rows).returning(messages)).all()
                connection.execute(grown(discussion, rows, actor))
        except sa.exc.IntegrityError as error:
            raise refused(error, there) from error
        return sorted(map(read, made), key=lambda message: message.place)

    def kept(self, discussion_id: UUID) -> list[Message]:
        """Give what was said of a discussion and its source cannot give: what was added here, or that it lives here."""
        m, d = messages.c, discussions.c
        here = m.is_added | (d.source_type == SourceType.GENERIC)
        rows = sa.select(messages).join(discussions, d.id == m.discussion_id)
        spoken = rows.where(d.id == discussion_id, here, m.role != MessageRole.SYSTEM).order_by(m.position, m.id)
        with single(self._engine) as connection:
            return list(map(message_of, connection.execute(spoken)))


MESSAGE_KEY = "uq_messages_discussion_id_source_message_id"


def row_of(new: NewMessage, discussion: Any, position: int, actor: str) -> dict[str, Any]:
    """Write a new message as a row."""
    return {
        "team_id": discussion.team_id,
        "discussion_id": discussion.id,
        "source_message_id": new.id or f"api:{uuid4()}",
        "position": position,
        "is_added": True,
        "role": new.role,
        "persona": new.persona,
        "author_id": new.author_id or new.author,
        "author_name": new.author,
        "content": new.content,
        "url": new.url,
        "sent_at": new.sent_at or sa.func.now(),
        **by(actor),
    }


def grown(discussion: Any, rows: Sequence[dict[str, Any]], actor: str) -> Any:
    """Say of a discussion what its new messages add to it; the first message of all opens it."""
    first = rows[0]
    opening = {"content": first["content"], "author_id": first["author_id"], "author_name": first["author_name"]}
    people = dict.fromkeys([*discussion.participants, *(row["author_name"] for row in rows)])
    grown = {"participants": list(people), "total_messages": discussion.total_messages + len(rows)}
    grown |= opening if discussion.author_id is None else {}
    return sa.update(discussions).where(discussions.c.id == discussion.id).values(**grown, updated_by=actor)


def read(row: Any) -> MessageRecord:
    """Turn a row into a value."""
    return MessageRecord.model_validate(row, from_attributes=True)


def message_of(row: Any) -> Message:
    """Turn a row into a message of a thread."""
    is_bot = row.role is MessageRole.ASSISTANT
    author = Author(id=row.author_id, name=row.author_name, handle=row.author_handle, is_bot=is_bot)
    return Message(
        id=row.source_message_id,
        author=author,
        text=row.content,
        sent_at=row.sent_at,
        url=row.url,
        attachments=tuple(map(Attachment.model_validate, row.attachments)),
    )
