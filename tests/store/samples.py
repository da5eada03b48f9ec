"""Values that the store's tests write, and a hand on the rows behind the stores' backs."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.analysis import DetectedTask
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.discussion import (
    Author,
    ConfiguredDiscussion,
    Message,
    ParsedDiscussion,
    Thread,
    ThreadRef,
    discussion_id,
)
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.domain.task import PlannedTask, task_key

THREAD = "C1:1763760000.000100"
STARTED = datetime(2026, 11, 21, 9, tzinfo=UTC)
ANNA = Author(id="U1", name="Anna", handle="anna", email="anna@acme.example", time_zone="Europe/Amsterdam")


def arrival(key: str = "Ev1", thread_id: str = THREAD, **more: Any) -> Arrival:
    """Make an arrival that asks for something."""
    return Arrival(**{"delivery_key": key, "thread_id": thread_id, "payload": {"text": f"asked in {key}"}} | more)


def parsed_of(config: SourceConfig, thread_id: str = THREAD, **more: Any) -> ParsedDiscussion:
    """Name a thread as the first stage does."""
    return ParsedDiscussion(
        team_id=config.team_id,
        team_name=config.team_name,
        discussion_id=discussion_id(config.team_id, config.source, thread_id),
        ref=ThreadRef(source=config.source, thread_id=thread_id, source_config_id=config.id),
        trigger=Trigger.WEBHOOK,
        **more,
    )


def message(number: int, text: str | None = None, author: Author = ANNA) -> Message:
    """Make one message of a thread."""
    sent_at = STARTED + timedelta(minutes=number)
    return Message(id=f"m{number}", author=author, text=f"message {number}" if text is None else text, sent_at=sent_at)


def thread_of(config: SourceConfig, messages: Iterable[Message] = (), **more: Any) -> Thread:
    """Make a thread as the third stage does."""
    configured = ConfiguredDiscussion(parsed=parsed_of(config), config_version=1)
    known: dict[str, Any] = {"title": "Header on phones", "url": "https://acme.slack.example/1"}
    return Thread(configured=configured, messages=tuple(messages), **known | more)


def planned(thread: Thread, output_id: UUID, title: str = "Fix the header", index: int = 0) -> PlannedTask:
    """Plan a task of a thread."""
    key = task_key(thread.configured.parsed.discussion_id, output_id, title)
    return PlannedTask(index=index, output_id=output_id, key=key, task=DetectedTask(title=title))


def rows(engine: sa.Engine, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Any]:
    """Read rows as they are, in the order they were made."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table).where(*where).order_by(table.c.created_at)))


def change(engine: sa.Engine, table: sa.Table, *where: sa.ColumnElement[bool], **values: Any) -> None:
    """Change rows behind the stores' backs."""
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(*where).values(**values))


def ago(**interval: float) -> sa.ColumnElement[datetime]:
    """Give a time before now, by the database's clock."""
    return sa.func.now() - timedelta(**interval)


SLACK, GENERIC = SourceType.SLACK, SourceType.GENERIC
