"""Discussions and their messages. A run's writes are fenced by `active_run_id`: a run that lost it writes nothing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.analysis import Analysis, Usage
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus, Message, ParsedDiscussion, Thread
from discubot_pipeline.domain.errors import Ignored
from discubot_pipeline.domain.job import Stage, Value
from discubot_pipeline.store.columns import adding
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.tables import discussions, messages, teams

BATCH = 500
MOST_MS = 2**31 - 1


class Discussion(Value):
    """One row of the discussions table, as far as the pipeline reads it."""

    id: UUID
    team_id: UUID
    team_name: str
    source_config_id: UUID | None
    source: SourceType
    thread_id: str
    url: str | None
    title: str
    status: DiscussionStatus
    reason: str | None
    error: str | None
    run_id: str | None
    active_run_id: str | None
    total_messages: int


class Discussions:
    """The discussions table with its messages."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, id: UUID, team_id: UUID | None = None) -> Discussion | None:
        """Give one discussion, of one team where a team is named."""
        where = [discussions.c.id == id]
        if team_id is not None:
            where.append(discussions.c.team_id == team_id)
        found = self._select(*where)
        return found[0] if found else None

    def holder(self, id: UUID) -> str | None:
        """Name the run that a discussion belongs to at the moment."""
        with single(self._engine) as connection:
            return connection.execute(sa.select(discussions.c.active_run_id).where(discussions.c.id == id)).scalar()

    def at_work(self) -> list[Discussion]:
        """List the discussions that a run holds."""
        return self._select(discussions.c.active_run_id.is_not(None))

    def open(self, parsed: ParsedDiscussion, run_id: str, free: Sequence[str]) -> int:
        """Make the row of a discussion, or take it again; gives its version. Ignored("busy") when another run has it.

        `free` names the runs that may be followed: finished ones of the same chain.
        """
        row = {
            "id": parsed.discussion_id,
            "team_id": parsed.team_id,
            "source_config_id": parsed.ref.source_config_id,
            "source_type": parsed.ref.source,
            "source_thread_id": parsed.ref.thread_id,
            "run_id": run_id,
            "active_run_id": run_id,
            "started_at": sa.func.now(),
        }
        upsert = pg.insert(discussions).values(row)
        taken = upsert.on_conflict_do_update(
            index_elements=[discussions.c.id],
            set_={"source_config_id": parsed.ref.source_config_id, **taking(run_id)},
            where=is_free(run_id, free),
        ).returning(discussions.c.version)
        with single(self._engine) as connection:
            version = connection.execute(taken).scalar()
        if version is None:
            raise busy()
        return int(version)

    def take(self, id: UUID, run_id: str, free: Sequence[str]) -> bool:
        """Give a discussion to a run if it is free; False when there is no such discussion.

        Raises Ignored("busy") when another run has it.
        """
        take = sa.update(discussions).where(discussions.c.id == id, is_free(run_id, free)).values(taking(run_id))
        with transaction(self._engine) as connection:
            if connection.execute(take).rowcount:
                return True
            if connection.execute(sa.select(discussions.c.id).where(discussions.c.id == id)).scalar() is None:
                return False
        raise busy()

    def release(self, id: UUID, run_id: str) -> None:
        """Give a discussion back without changing how it stands."""
        self._write(id, run_id, active_run_id=None)

    def record_thread(self, thread: Thread, run_id: str) -> None:
        """Store a thread's messages and what they say of the discussion, in one transaction."""
        id, root = thread.configured.parsed.discussion_id, (thread.messages + thread.mentions)[:1]
        author = root[0].author if root else None
        with transaction(self._engine) as connection:
            update = self._fenced(id, run_id).values(
                title=sa.case((discussions.c.is_renamed, discussions.c.title), else_=thread.title),
                source_url=thread.url,
                content=root[0].text if root else "",
                author_id=author.id if author else None,
                author_handle=author.handle if author else None,
                author_name=author.name if author else None,
                participants=[person.name for person in thread.participants],
                total_messages=len(thread.messages),
            )
            team_id = connection.execute(update.returning(discussions.c.team_id)).scalar()
            if team_id is None:
                raise busy()
            said = list({message.id: message for message in thread.messages}.values())
            for start in range(0, len(said), BATCH):
                batch = said[start : start + BATCH]
                connection.execute(upsert_messages(id, team_id, start, batch))

    def record_analysis(self, analysis: Analysis, run_id: str) -> None:
        """Store what the analyst found."""
        findings = analysis.findings
        self._write(
            analysis.discussion_id,
            run_id,
            ai_summary=findings.summary,
            ai_key_points=list(findings.key_points),
            ai_action_items=[item for task in findings.tasks for item in task.action_items or (task.title,)],
            sentiment=findings.sentiment,
            confidence=findings.confidence,
            analyst=analysis.analyst,
            is_multi_task=len(findings.tasks) > 1,
        )

    def spend(self, id: UUID, run_id: str, usage: Usage) -> None:
        """Add what a language model took to the discussion, over all its jobs."""
        self._write(id, run_id, **adding(discussions, usage))

    def finish(
        self,
        id: UUID,
        run_id: str,
        status: DiscussionStatus,
        *,
        reason: str | None = None,
        error: str | None = None,
        failed_stage: Stage | None = None,
    ) -> bool:
        """End the run's hold on a discussion with its final status; False when the run no longer had it."""
        done = status in (DiscussionStatus.COMPLETED, DiscussionStatus.PARTIAL)
        spent = sa.func.extract("epoch", sa.func.now() - discussions.c.started_at) * 1000
        return self._write(
            id,
            run_id,
            status=status,
            reason=reason,
            error=error,
            failed_stage=failed_stage,
            active_run_id=None,
            completed_at=sa.func.now() if done else None,
            processing_ms=sa.cast(sa.func.least(spent, MOST_MS), sa.Integer),
            version=discussions.c.version + 1,
        )

    def cancel_free(self, id: UUID, run_id: str) -> None:
        """Note that the run which a discussion waited for was cancelled before it began, if no other run holds it."""
        free = (discussions.c.id == id, discussions.c.active_run_id.is_(None))
        cancelled = {
            "status": DiscussionStatus.CANCELLED,
            "reason": "cancelled",
            "run_id": run_id,
            "completed_at": None,
        }
        with single(self._engine) as connection:
            connection.execute(
                sa.update(discussions).where(*free).values(**cancelled, version=discussions.c.version + 1)
            )

    def messages_of(self, id: UUID) -> int:
        """Count the stored messages of a discussion."""
        with single(self._engine) as connection:
            count = sa.select(sa.func.count()).where(messages.c.discussion_id == id)
            return int(connection.execute(count).scalar_one())

    def _select(self, *where: sa.ColumnElement[bool]) -> list[Discussion]:
        joined = sa.select(discussions, teams.c.name.label("team_name")).join(teams).where(*where)
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(joined)]

    def _fenced(self, id: UUID, run_id: str) -> Any:
        return sa.update(discussions).where(discussions.c.id == id, discussions.c.active_run_id == run_id)

    def _write(self, id: UUID, run_id: str, **values: Any) -> bool:
        with single(self._engine) as connection:
            return bool(connection.execute(self._fenced(id, run_id).values(**values)).rowcount)


def is_free(run_id: str, free: Sequence[str]) -> sa.ColumnElement[bool]:
    """Say that a run may take the discussion: nobody has it, or itself, or a run it follows."""
    return discussions.c.active_run_id.is_(None) | discussions.c.active_run_id.in_([run_id, *free])


def taking(run_id: str) -> dict[str, Any]:
    """List what changes when a run takes a discussion."""
    return {
        "active_run_id": run_id,
        "run_id": run_id,
        "status": DiscussionStatus.PROCESSING,
        "reason": None,
        "error": None,
        "failed_stage": None,
        "started_at": sa.case((discussions.c.active_run_id == run_id, discussions.c.started_at), else_=sa.func.now()),
        "completed_at": None,
        "updated_at": sa.func.now(),
    }


def busy() -> Ignored:
    """Say that another run is at work on the discussion."""
    return Ignored("busy", "another run is at work on this discussion, or has taken it over")


def upsert_messages(id: UUID, team_id: UUID, start: int, batch: Sequence[Message]) -> Any:
    """Write messages over their earlier versions: one row a source message, whatever is sent twice."""
    rows = [
        {
            "team_id": team_id,
            "discussion_id": id,
            "source_message_id": message.id,
            "position": position,
            "author_id": message.author.id,
            "author_name": message.author.name,
            "author_handle": message.author.handle,
            "content": message.text,
            "url": message.url,
            "attachments": [attachment.model_dump() for attachment in message.attachments],
            "sent_at": message.sent_at,
        }
        for position, message in enumerate(batch, start)
    ]
    insert = pg.insert(messages).values(rows)
    newer = ("position", "author_name", "author_handle", "content", "url", "attachments")
    return insert.on_conflict_do_update(
        index_elements=[messages.c.discussion_id, messages.c.source_message_id],
        set_={name: insert.excluded[name] for name in newer} | {"updated_at": sa.func.now()},
    )


def read(row: Any) -> Discussion:
    """Turn a row into a value."""
    return Discussion(
        id=row.id,
        team_id=row.team_id,
        team_name=row.team_name,
        source_config_id=row.source_config_id,
        source=row.source_type,
        thread_id=row.source_thread_id,
        url=row.source_url,
        title=row.title,
        status=row.status,
        reason=row.reason,
        error=row.error,
        run_id=row.run_id,
        active_run_id=row.active_run_id,
        total_messages=row.total_messages,
    )
