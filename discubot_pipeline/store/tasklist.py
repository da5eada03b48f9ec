"""Tasks as people see them: all that a row says, listed by team, discussion or job."""

from datetime import date, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime, Field

from discubot_pipeline.domain.analysis import Priority, TaskType
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.catalogue import JobLink, is_kept, job_of
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.paging import Period, Place, newest_first, oldest_first
from discubot_pipeline.store.tables import discussions, tasks


class PlaceInDiscussion(NamedTuple):
    """Where a page of a discussion's tasks ended."""

    task_index: Annotated[int, Field(ge=0, lt=2**31)]
    at: AwareDatetime
    id: UUID


class TaskRecord(Value):
    """A task, the page that shows it, and what it was made of and by."""

    id: UUID
    key: str
    state: TaskState
    reason: str | None
    error: str | None
    discussion_id: UUID
    source_type: SourceType
    output_id: UUID | None
    job: JobLink | None
    notion_page_id: str | None
    notion_page_url: str | None
    title: str
    description: str
    status: str | None
    priority: Priority | None
    type: TaskType | None
    assignee: str | None
    due_date: date | None
    tags: tuple[str, ...]
    domain: str | None
    action_items: tuple[str, ...]
    summary: str
    source_url: str | None
    is_multi_task_child: bool
    task_index: int
    skipped: tuple[str, ...]
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    @property
    def place(self) -> Place:
        """Say where it stands in a list."""
        return Place(self.created_at, self.id)

    @property
    def place_in_discussion(self) -> PlaceInDiscussion:
        """Say where it stands among the tasks of its discussion."""
        return PlaceInDiscussion(self.task_index, self.created_at, self.id)


class TaskList:
    """The tasks table, for people."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(
        self,
        team_id: UUID,
        period: Period,
        after: Place | None,
        limit: int,
        state: TaskState | None = None,
        source: SourceType | None = None,
        job_id: str | None = None,
    ) -> list[TaskRecord]:
        """List one page of a team's tasks and one more, the newest first."""
        t = tasks.c
        where = [t.team_id == team_id, *period.of(t.created_at)]
        where += [t.state == state] if state else []
        where += [discussions.c.source_type == source] if source else []
        where += [t.run_id == job_id] if job_id else []
        return self._read(newest_first(shown().where(*where), (t.created_at, t.id), after, limit))

    def of_discussion(self, discussion_id: UUID, after: PlaceInDiscussion | None, limit: int) -> list[TaskRecord]:
        """List one page of a discussion's tasks and one more, in their order."""
        t = tasks.c
        rows = shown().where(t.discussion_id == discussion_id)
        return self._read(oldest_first(rows, (t.task_index, t.created_at, t.id), after, limit))

    def get(self, id: UUID, team_id: UUID) -> TaskRecord:
        """Give a task of a team; `not_found` for another team's."""
        found = self._read(shown().where(tasks.c.id == id, tasks.c.team_id == team_id))
        if not found:
            raise Permanent("not_found", f"there is no task {id}")
        return found[0]

    def _read(self, rows: sa.Select[Any]) -> list[TaskRecord]:
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(rows).mappings()]


def shown() -> sa.Select[Any]:
    """Select what a view of a task shows."""
    own = (column for name, column in tasks.c.items() if name in {*TaskRecord.model_fields, "run_id"})
    return sa.select(*own, discussions.c.source_type, is_kept(tasks.c.run_id)).join(discussions)


def read(row: Any) -> TaskRecord:
    """Turn a row into a value."""
    return TaskRecord.model_validate({**row, "job": job_of(row["run_id"], row["is_kept"])})
