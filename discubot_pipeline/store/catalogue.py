"""Discussions as people see them: listed with what belongs to them, made, renamed and deleted by hand."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.analysis import Sentiment
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus, discussion_id
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import Stage, Value
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.paging import Period, Place, newest_first
from discubot_pipeline.store.records import by
from discubot_pipeline.store.tables import discussions, inboxes, messages, notes, steps, tasks

logger = logging.getLogger(__name__)
COUNT_WITHIN = "2s"
"""How long a list may take before it is given without counts."""


class JobLink(Value):
    """A job; `expired` when it is no longer kept, and cannot be looked at any more."""

    id: str
    expired: bool


class DiscussionBrief(Value):
    """A discussion, and what belongs to it."""

    id: UUID
    source_type: SourceType
    source_thread_id: str
    source_url: str | None
    source_config_id: UUID | None
    title: str
    status: DiscussionStatus
    reason: str | None
    author_name: str | None
    participants: tuple[str, ...]
    message_count: int | None = Field(description="Null where counting failed; `warning` says so.")
    job: JobLink | None = Field(description="The last job that worked on it.")
    job_ids: tuple[str, ...] = Field(description="All jobs that are kept, the first one first.")
    task_ids: tuple[UUID, ...]
    is_multi_task: bool
    completed_at: datetime | None
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    @property
    def place(self) -> Place:
        """Say where it stands in a list."""
        return Place(self.created_at, self.id)


class DiscussionRecord(DiscussionBrief):
    """A discussion with all that is known of it."""

    content: str
    author_id: str | None
    author_handle: str | None
    error: str | None
    failed_stage: Stage | None
    active_run_id: str | None = Field(description="The job that is at work on it.")
    ai_summary: str | None
    ai_key_points: tuple[str, ...]
    ai_action_items: tuple[str, ...]
    sentiment: Sentiment | None
    confidence: float | None
    analyst: str | None
    prompt_tokens: int
    answer_tokens: int
    cost_usd: float
    total_messages: int = Field(description="How many messages its thread had when it was read.")
    started_at: datetime | None
    processing_ms: int | None


class Listing(Value):
    """One page of discussions and one more; `warning` where they could not be counted out."""

    discussions: tuple[DiscussionBrief, ...]
    warning: str | None = None


class Catalogue:
    """The discussions table, for people."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(
        self,
        team_id: UUID,
        period: Period,
        after: Place | None,
        limit: int,
        statuses: Sequence[DiscussionStatus] = (),
        source: SourceType | None = None,
    ) -> Listing:
        """List a team's discussions, the newest first, in one query; where counting fails, without counts."""
        d = discussions.c
        where = [d.team_id == team_id, *period.of(d.created_at)]
        where += [d.status.in_(statuses)] if statuses else []
        where += [d.source_type == source] if source else []

        def wanted(count: sa.ColumnElement[Any]) -> sa.Select[Any]:
            return newest_first(shown(DiscussionBrief, count).where(*where), (d.created_at, d.id), after, limit)

        try:
            return Listing(discussions=tuple(self._read(DiscussionBrief, wanted(counted()), COUNT_WITHIN)))
        except (Transient, sa.exc.DBAPIError) as error:
            found = tuple(self._read(DiscussionBrief, wanted(sa.null())))  # raises too if it was not the counting
            logger.warning("count_failed", extra={"reason": type(error).__name__})
            return Listing(discussions=found, warning="the messages could not be counted just now")

    def get(self, id: UUID, team_id: UUID) -> DiscussionRecord:
        """Give a discussion of a team; `not_found` for another team's."""
        d = discussions.c
        found: list[DiscussionRecord] = self._read(
            DiscussionRecord, shown(DiscussionRecord, counted()).where(d.id == id, d.team_id == team_id)
        )
        if not found:
            raise missing(id)
        return found[0]

    def make(
        self, team_id: UUID, thread: str, title: str, url: str | None, source_config_id: UUID | None, actor: str
    ) -> UUID:
        """Make the row of a discussion that no source has; gives its id. `exists` when the thread has one."""
        row = {
            "id": discussion_id(team_id, SourceType.GENERIC, thread),
            "team_id": team_id,
            "source_config_id": source_config_id,
            "source_type": SourceType.GENERIC,
            "source_thread_id": thread,
            "source_url": url,
            "title": title,
            "status": DiscussionStatus.NEW,
            **by(actor),
        }
        insert = pg.insert(discussions).values(row).on_conflict_do_nothing().returning(discussions.c.id)
        with single(self._engine) as connection:
            made: UUID | None = connection.execute(insert).scalar()
        if made is None:
            raise Permanent("exists", f"this thread has a discussion already: {row['id']}")
        return made

    def rename(self, id: UUID, team_id: UUID, version: int, title: str, actor: str) -> None:
        """Give a discussion another title; `conflict` when it is not the version that was looked at any more."""
        d = discussions.c
        this = (d.id == id) & (d.team_id == team_id)
        newer = {"title": title, "is_renamed": True, "version": d.version + 1, "updated_by": actor}
        with transaction(self._engine) as connection:
            if connection.execute(sa.update(discussions).where(this, d.version == version).values(newer)).rowcount:
                return
            now = connection.execute(sa.select(d.version).where(this)).scalar()
        raise missing(id) if now is None else lost(now)

    def remove(self, id: UUID, team_id: UUID, version: int | None) -> None:
        """Delete a discussion with its messages, tasks and all that was kept of its words; what waits is dropped.

        `at_work` while a run has it, or was asked for it.
        """
        d = discussions.c
        this = sa.select(discussions).where(d.id == id, d.team_id == team_id).with_for_update()
        with transaction(self._engine) as connection:
            row = connection.execute(this).one_or_none()
            if row is None:
                raise missing(id)
            if version not in (None, row.version):
                raise lost(row.version)
            drop_waiting(connection, inboxes[row.source_type], [id])
            if row.active_run_id is not None or open_among(connection, inboxes[row.source_type], [id]):
                raise Permanent("at_work", "a job works on this discussion, or was asked for it: cancel it, or wait")
            forget_words(connection, inboxes[row.source_type], [id])
            connection.execute(sa.delete(discussions).where(d.id == id))

    def _read(self, kind: type[Any], rows: sa.Select[Any], within: str | None = None) -> list[Any]:
        with transaction(self._engine) as connection:
            if within:
                connection.execute(sa.select(sa.func.set_config("statement_timeout", within, True)))
            return [read(kind, row) for row in connection.execute(rows).mappings()]


def shown(kind: type[BaseModel], count: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select what a view of a discussion shows, its jobs and tasks with it."""
    d = discussions.c
    runs = sa.select(notes.c.run_id).where(notes.c.discussion_id == d.id).order_by(notes.c.created_at)
    made = sa.select(tasks.c.id).where(tasks.c.discussion_id == d.id).order_by(tasks.c.task_index, tasks.c.created_at)
    return sa.select(
        *(column for name, column in d.items() if name in kind.model_fields),
        d.run_id,
        is_kept(d.run_id),
        count.label("message_count"),
        sa.func.array(runs.scalar_subquery(), type_=pg.ARRAY(sa.Text)).label("job_ids"),
        sa.func.array(made.scalar_subquery(), type_=pg.ARRAY(pg.UUID(as_uuid=True))).label("task_ids"),
    )


def counted() -> sa.ColumnElement[Any]:
    """Count the messages of a discussion."""
    return sa.select(sa.func.count()).where(messages.c.discussion_id == discussions.c.id).scalar_subquery()


def read(kind: type[BaseModel], row: Any) -> BaseModel:
    """Turn a row into a value."""
    return kind.model_validate({**row, "job": job_of(row["run_id"], row["is_kept"])})


def is_kept(run_id: sa.ColumnElement[Any]) -> sa.Label[Any]:
    """Say whether a run is kept. An EXISTS would be answered from all notes there are, hashed."""
    return sa.select(notes.c.run_id).where(notes.c.run_id == run_id).scalar_subquery().is_not(None).label("is_kept")


def job_of(run_id: str | None, is_kept: bool) -> JobLink | None:
    """Point to a job, if there was one: a run has a note for as long as it is kept."""
    return JobLink(id=run_id, expired=not is_kept) if run_id else None


def drop_waiting(connection: sa.Connection, inbox: sa.Table, ids: Collection[UUID]) -> None:
    """Close the deliveries of discussions that wait, so that none makes them anew."""
    waits = inbox.c.status.in_([DeliveryStatus.PENDING, DeliveryStatus.HELD])
    closed = {"status": DeliveryStatus.IGNORED, "reason": "deleted", "finished_at": sa.func.now()}
    connection.execute(sa.update(inbox).where(inbox.c.discussion_id.in_(ids), waits).values(closed))


def open_among(connection: sa.Connection, inbox: sa.Table, ids: Collection[UUID]) -> set[UUID]:
    """Tell which discussions have deliveries that a run has, or was asked for."""
    taken = inbox.c.status.in_([DeliveryStatus.REQUESTED, DeliveryStatus.RUNNING])
    wanted = sa.select(inbox.c.discussion_id).where(inbox.c.discussion_id.in_(ids), taken)
    return set(connection.scalars(wanted.distinct()))


def forget_words(connection: sa.Connection, inbox: sa.Table, ids: Collection[UUID]) -> None:
    """Delete what deliveries and step records have of the discussions' words."""
    connection.execute(sa.update(inbox).where(inbox.c.discussion_id.in_(ids)).values(payload=sa.null()))
    connection.execute(sa.delete(steps).where(steps.c.discussion_id.in_(ids)))


def missing(id: UUID) -> Permanent:
    """Say that a discussion is not there, or not this team's."""
    return Permanent("not_found", f"there is no discussion {id}")


def lost(version: int) -> Permanent:
    """Say that somebody was faster."""
    return Permanent("conflict", f"somebody has changed this discussion: it has version {version} now, look again")
