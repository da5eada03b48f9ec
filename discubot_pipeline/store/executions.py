"""Executions: what ran, of ours or of others, with its steps. A run's execution is its note; others open their own."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.job import RunOutcome, Trigger, Value
from discubot_pipeline.domain.redaction import Redaction
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.paging import newest_first
from discubot_pipeline.store.steps import StepRecord
from discubot_pipeline.store.steps import read as read_step
from discubot_pipeline.store.tables import discussions, notes, steps, teams

RECORDING = "recording"
"""The job name of what is no run of Dagster's."""


class ExecutionStatus(StrEnum):
    """How an execution ended; running while that is not known."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    DEFERRED = "deferred"
    IGNORED = "ignored"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Execution(Value):
    """One execution; its id is the run's, or the recorder's."""

    id: str
    project: str
    job_name: str
    team_id: UUID | None
    team: str | None
    discussion_id: UUID | None
    thread: str | None
    metadata: dict[str, Any]
    status: ExecutionStatus
    reason: str | None
    error: str | None
    started_at: datetime
    completed_at: datetime | None


class ExecutionWithSteps(Execution):
    """One execution with all its steps, in the order in which they began."""

    steps: list[StepRecord]


class ExecutionQuery(Value):
    """Which executions are looked for: those to which all that is given applies."""

    team_id: UUID | None = None
    project: str | None = None
    thread: str | None = None
    status: ExecutionStatus | None = None


class Executions:
    """Notes and steps, read as executions; and the notes of what others record."""

    def __init__(self, engine: sa.Engine, redaction: Redaction) -> None:
        self._engine = engine
        self._redaction = redaction

    def last(self, query: ExecutionQuery, limit: int, after: tuple[datetime, str] | None = None) -> list[Execution]:
        """List executions, the newest first: one page, and one more."""
        rows = selected().where(*conditions(query))
        page = newest_first(rows, (notes.c.created_at, notes.c.run_id), after, limit)
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(page)]

    def get(self, id: str, team_id: UUID | None = None) -> ExecutionWithSteps | None:
        """Give one execution with all its steps, if it is the team's."""
        mine = notes.c.team_id == team_id if team_id else sa.true()
        of_it = sa.select(steps).where(steps.c.run_id == id).order_by(steps.c.started_at, steps.c.created_at)
        with transaction(self._engine) as connection:
            row = connection.execute(selected().where(notes.c.run_id == id, mine)).one_or_none()
            if row is None:
                return None
            records = [read_step(step) for step in connection.execute(of_it)]
        return ExecutionWithSteps(**read(row).model_dump(), steps=records)

    def open(self, id: str, project: str, metadata: dict[str, Any], team: str | None, version: str) -> None:
        """Open an execution that is no run of Dagster's."""
        team_id = sa.select(teams.c.id).where(teams.c.name == team).scalar_subquery()
        row = {
            "run_id": id,
            "root_run_id": id,
            "project": project,
            "job_name": RECORDING,
            "trigger": Trigger.MANUAL,
            "team_id": team_id,
            "params": self._redaction.value(metadata),
            "pipeline_version": version,
        }
        with single(self._engine) as connection:
            connection.execute(sa.insert(notes).values(row))

    def close(self, id: str, outcome: RunOutcome, error: str | None = None) -> None:
        """Say how an execution that is no run of Dagster's ended."""
        told = {"outcome": outcome, "error": self._redaction.text(error) if error else None}
        which = sa.and_(notes.c.run_id == id, notes.c.job_name == RECORDING)
        with single(self._engine) as connection:
            connection.execute(sa.update(notes).where(which).values(**told, closed_at=sa.func.now()))


def selected() -> sa.Select[Any]:
    """Read notes as executions."""
    thread = sa.func.coalesce(discussions.c.source_thread_id, notes.c.params["thread"].astext).label("thread")
    joined = notes.outerjoin(teams, teams.c.id == notes.c.team_id).outerjoin(
        discussions, discussions.c.id == notes.c.discussion_id
    )
    return sa.select(notes, teams.c.name.label("team"), thread).select_from(joined)


def conditions(query: ExecutionQuery) -> list[sa.ColumnElement[bool]]:
    """Write what is looked for."""
    found = [notes.c.team_id == query.team_id] if query.team_id else []
    found += [notes.c.project == query.project] if query.project else []
    if query.thread:
        named = notes.c.params["thread"].astext == query.thread
        found.append(sa.or_(discussions.c.source_thread_id == query.thread, named))
    match query.status:
        case None:
            return found
        case ExecutionStatus.RUNNING:
            return [*found, notes.c.outcome.is_(None)]
        case _:
            return [*found, notes.c.outcome == RunOutcome(query.status.value)]


def read(row: Any) -> Execution:
    """Turn a row into a value."""
    told = {name: getattr(row, name) for name in Execution.model_fields if name in row._fields}
    return Execution(
        **told | {"metadata": row.params},
        id=row.run_id,
        status=ExecutionStatus(row.outcome.value) if row.outcome else ExecutionStatus.RUNNING,
        started_at=row.created_at,
        completed_at=row.closed_at,
    )
