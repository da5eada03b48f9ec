"""Dossiers: what our tables know of jobs, for whoever is told of them. Dagster's own record is `tracking/jobs`'s."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.facts import Cost, JobTask
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger, Value
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import discussions, inboxes, notes, steps, tasks, teams

FIRST = "validate_discussion"


class Entry(Value):
    """What is noted of a run beside Dagster's record."""

    run_id: str
    scope: Scope
    team_id: UUID | None
    team_name: str | None
    discussion_id: UUID | None
    source_config_id: UUID | None
    source: SourceType | None
    thread: str | None
    thread_url: str | None
    trigger: Trigger
    stage: Stage | None
    outcome: RunOutcome | None
    reason: str | None
    error: str | None
    not_before: datetime | None
    params: dict[str, Any]
    progress: dict[str, Any]
    counters: dict[str, Any]
    summary: str | None
    retried_by: str | None
    cancelled_by: str | None
    note_reason: str | None
    pipeline_version: str
    created_at: datetime


class Dossiers:
    """Reads what belongs to jobs, whichever table it is in."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def entries(self, run_ids: Sequence[str]) -> dict[str, Entry]:
        """Give what is noted of some runs."""
        return {entry.run_id: entry for entry in self._entries(notes.c.run_id.in_(run_ids))} if run_ids else {}

    def noted(
        self, after: tuple[datetime, str] | None, limit: int, *, team_id: UUID | None = None, **wanted: Any
    ) -> list[Entry]:
        """List what is noted of runs, the newest note first; `wanted` names columns and what they must hold."""
        where = [notes.c[name] == value for name, value in wanted.items() if value is not None]
        where += [notes.c.team_id == team_id] if team_id else []
        if after:
            where.append(sa.tuple_(notes.c.created_at, notes.c.run_id) < sa.tuple_(*map(sa.literal, after)))
        return self._entries(sa.and_(sa.true(), *where), limit)

    def team_name(self, team_id: UUID | None) -> str | None:
        """Name a team."""
        with single(self._engine) as connection:
            return connection.execute(sa.select(teams.c.name).where(teams.c.id == team_id)).scalar()

    def cost(self, run_id: str) -> Cost:
        """Sum what language models took for a run."""
        sums = [sa.func.coalesce(sa.func.sum(steps.c[name]), 0).label(name) for name in Cost.model_fields]
        with single(self._engine) as connection:
            row = connection.execute(sa.select(*sums).where(steps.c.run_id == run_id)).mappings().one()
        return Cost.model_validate({**row})

    def tasks(self, run_id: str) -> list[JobTask]:
        """List the tasks that a run made, in their order."""
        columns = (tasks.c.id, tasks.c.title, tasks.c.state, tasks.c.notion_page_url.label("url"))
        wanted = sa.select(*columns).where(tasks.c.run_id == run_id).order_by(tasks.c.task_index, tasks.c.created_at)
        with single(self._engine) as connection:
            return [JobTask.model_validate({**row}) for row in connection.execute(wanted).mappings()]

    def deliveries(self, run_id: str) -> list[int]:
        """List the ids of the deliveries that a run works or worked on."""
        return self._ids(lambda t: t.c.run_id == run_id)

    def usable(self, delivery_ids: Sequence[int]) -> list[int]:
        """List which deliveries still have their payload."""
        return self._ids(lambda t: t.c.id.in_(delivery_ids) & t.c.payload.is_not(None)) if delivery_ids else []

    def is_parsed(self, root_run_id: str) -> bool:
        """Say whether a run of a chain knows which thread it is about, so that the next one need not ask."""
        mine = sa.select(notes.c.run_id).where(notes.c.root_run_id == root_run_id)
        known = (steps.c.run_id.in_(mine), steps.c.step == FIRST, steps.c.output.is_not(None))
        with single(self._engine) as connection:
            return bool(connection.execute(sa.select(sa.exists().where(*known))).scalar())

    def _ids(self, where: Callable[[sa.Table], sa.ColumnElement[bool]]) -> list[int]:
        with single(self._engine) as connection:
            return sorted(
                connection.scalars(sa.union_all(*[sa.select(t.c.id).where(where(t)) for t in inboxes.values()]))
            )

    def _entries(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[Entry]:
        columns = (
            *(notes.c[name] for name in Entry.model_fields if name in notes.c),
            teams.c.name.label("team_name"),
            discussions.c.source_type.label("source"),
            discussions.c.source_thread_id.label("thread"),
            discussions.c.source_url.label("thread_url"),
        )
        joined = notes.outerjoin(teams, teams.c.id == notes.c.team_id).outerjoin(
            discussions, discussions.c.id == notes.c.discussion_id
        )
        newest = (notes.c.created_at.desc(), notes.c.run_id.desc())
        wanted = sa.select(*columns).select_from(joined).where(where).order_by(*newest).limit(limit)
        with single(self._engine) as connection:
            return [Entry.model_validate({**row}) for row in connection.execute(wanted).mappings()]
