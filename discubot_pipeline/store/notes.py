"""Notes: what is worth knowing of a run and what Dagster has no place for. One row a run."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger, Value
from discubot_pipeline.domain.progress import Progress
from discubot_pipeline.domain.redaction import NO_SECRETS, Redaction
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.outbox import announcing, ringing
from discubot_pipeline.store.tables import notes, teams

CHANNEL = "discubot_jobs"
"""Tells the run id of each note whose stage, progress or outcome has changed."""

LINKS = (notes.c.run_id, notes.c.team_id, notes.c.discussion_id, notes.c.source_config_id)


class Note(Value):
    """One row of the notes table."""

    run_id: str
    root_run_id: str
    job_name: str
    scope: Scope
    team_id: UUID | None
    discussion_id: UUID | None
    trigger: Trigger
    stage: Stage | None
    outcome: RunOutcome | None
    reason: str | None
    error: str | None
    not_before: datetime | None
    params: dict[str, Any]
    progress: Progress
    counters: dict[str, Any]
    summary: str | None
    closed_at: datetime | None


class Notes:
    """The notes table."""

    def __init__(self, engine: sa.Engine, redaction: Redaction = NO_SECRETS) -> None:
        self._engine = engine
        self._redaction = redaction

    def open(
        self,
        run_id: str,
        root_run_id: str,
        trigger: Trigger,
        params: dict[str, Any],
        version: str,
        job_name: str = "discussion_job",
        scope: Scope = Scope.TEAM,
        team_name: str | None = None,
    ) -> None:
        """Open the note of a run, or say what it is in one that somebody else has begun; its state stays."""
        team_id = sa.select(teams.c.id).where(teams.c.name == team_name).scalar_subquery()
        origin = {
            "root_run_id": root_run_id,
            "job_name": job_name,
            "scope": scope,
            "trigger": trigger,
            "params": self._redaction.value(params),
            "pipeline_version": version,
        }
        insert = pg.insert(notes).values(run_id=run_id, team_id=team_id, **origin)
        known = {"team_id": sa.func.coalesce(notes.c.team_id, insert.excluded.team_id)}
        self._run(insert.on_conflict_do_update(index_elements=[notes.c.run_id], set_=origin | known))

    def stage(self, run_id: str, stage: Stage, **links: Any) -> None:
        """Say which stage a run is in, and what it is about as far as that is known."""
        self._write(notes.c.run_id == run_id, {"stage": stage, **links})

    def track(self, run_id: str, progress: Progress, counters: dict[str, Any], summary: str | None) -> None:
        """Write how far a run has come; counters of other names stay, and so does a summary until there is another."""
        values = {
            "stage": Stage(progress.stage) if progress.stage in set(Stage) else notes.c.stage,
            "progress": progress.model_dump(mode="json"),
            "counters": notes.c.counters.concat(counters),
            "summary": sa.func.coalesce(sa.cast(summary, sa.Text), notes.c.summary),
        }
        self._write(notes.c.run_id == run_id, values)

    def close(
        self,
        run_id: str,
        outcome: RunOutcome,
        *,
        reason: str | None = None,
        error: str | None = None,
        not_before: datetime | None = None,
        counters: dict[str, Any] | None = None,
        summary: str | None = None,
    ) -> bool:
        """Write how a run ended, and who is to be told; False when that is known already. The first word is the last.

        What the run itself has counted and summed up stays.
        """
        values = {
            "outcome": outcome,
            "reason": reason,
            "error": self._redaction.text(error) if error else None,
            "not_before": not_before,
            "counters": notes.c.counters.concat(counters or {}),
            "summary": sa.func.coalesce(notes.c.summary, sa.cast(summary, sa.Text)),
            "closed_at": sa.func.now(),
        }
        return self._write(sa.and_(notes.c.run_id == run_id, notes.c.closed_at.is_(None)), values, outcome)

    def get(self, run_id: str) -> Note | None:
        """Give the note of a run."""
        with single(self._engine) as connection:
            row = connection.execute(sa.select(notes).where(notes.c.run_id == run_id)).one_or_none()
        return read(row) if row else None

    def root_of(self, run_id: str | None) -> str | None:
        """Name the first run of a run's chain."""
        with single(self._engine) as connection:
            return connection.execute(sa.select(notes.c.root_run_id).where(notes.c.run_id == run_id)).scalar()

    def of_discussion(self, discussion_id: UUID) -> list[Note]:
        """List the runs of a discussion, the first one first."""
        rows = sa.select(notes).where(notes.c.discussion_id == discussion_id).order_by(notes.c.created_at)
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(rows)]

    def _write(self, which: sa.ColumnElement[bool], values: dict[str, Any], outcome: RunOutcome | None = None) -> bool:
        """Change a note and tell those who listen, in one statement; says whether there was one to change.

        With an outcome the hooks that want to hear of it are put into the outbox too.
        """
        written = sa.update(notes).where(which).values(values).returning(*LINKS).cte("written")
        told = announcing(written, outcome) if outcome else None
        rings = [] if told is None else [ringing(told)]
        with single(self._engine) as connection:
            changed = sa.select(sa.func.pg_notify(CHANNEL, written.c.run_id), written.c.run_id, *rings)
            return connection.execute(changed).first() is not None

    def _run(self, statement: Any) -> None:
        with single(self._engine) as connection:
            connection.execute(statement)


def read(row: Any) -> Note:
    """Turn a row into a value."""
    return Note(**{name: getattr(row, name) for name in Note.model_fields})
