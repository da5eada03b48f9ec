"""Notes: what is worth knowing of a run and what Dagster has no place for. One row a run."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger, Value
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.tables import notes


class Note(Value):
    """One row of the notes table."""

    run_id: str
    root_run_id: str
    team_id: UUID | None
    discussion_id: UUID | None
    trigger: Trigger
    stage: Stage | None
    outcome: RunOutcome | None
    reason: str | None
    error: str | None
    not_before: datetime | None
    counters: dict[str, Any]
    closed_at: datetime | None


class Notes:
    """The notes table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open(self, run_id: str, root_run_id: str, trigger: Trigger, params: dict[str, Any], version: str) -> None:
        """Open the note of a run; again does nothing."""
        row = {
            "run_id": run_id,
            "root_run_id": root_run_id,
            "trigger": trigger,
            "params": params,
            "pipeline_version": version,
        }
        self._run(pg.insert(notes).values(row).on_conflict_do_nothing())

    def stage(self, run_id: str, stage: Stage, **links: Any) -> None:
        """Say which stage a run is in, and what it is about as far as that is known."""
        self._run(sa.update(notes).where(notes.c.run_id == run_id).values(stage=stage, **links))

    def close(
        self,
        run_id: str,
        outcome: RunOutcome,
        *,
        reason: str | None = None,
        error: str | None = None,
        not_before: datetime | None = None,
        counters: dict[str, Any] | None = None,
    ) -> bool:
        """Write how a run ended; False when that is known already. The first word is the last."""
        values: dict[str, Any] = {
            "outcome": outcome,
            "reason": reason,
            "error": error,
            "not_before": not_before,
        }
        values |= {"counters": counters or {}, "closed_at": sa.func.now()}
        unclosed = sa.and_(notes.c.run_id == run_id, notes.c.closed_at.is_(None))
        with transaction(self._engine) as connection:
            return bool(connection.execute(sa.update(notes).where(unclosed).values(values)).rowcount)

    def get(self, run_id: str) -> Note | None:
        """Give the note of a run."""
        with transaction(self._engine) as connection:
            row = connection.execute(sa.select(notes).where(notes.c.run_id == run_id)).one_or_none()
        return read(row) if row else None

    def root_of(self, run_id: str | None) -> str | None:
        """Name the first run of a run's chain."""
        with transaction(self._engine) as connection:
            return connection.execute(sa.select(notes.c.root_run_id).where(notes.c.run_id == run_id)).scalar()

    def of_discussion(self, discussion_id: UUID) -> list[Note]:
        """List the runs of a discussion, the first one first."""
        rows = sa.select(notes).where(notes.c.discussion_id == discussion_id).order_by(notes.c.created_at)
        with transaction(self._engine) as connection:
            return [read(row) for row in connection.execute(rows)]

    def _run(self, statement: Any) -> None:
        with transaction(self._engine) as connection:
            connection.execute(statement)


def read(row: Any) -> Note:
    """Turn a row into a value."""
    return Note(**{name: getattr(row, name) for name in Note.model_fields})
