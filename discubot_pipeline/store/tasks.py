"""Tasks and the replies that tell of them: a row is committed before the outside effect, and closed after it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.task import Page, PlannedTask, Standing, TaskRow, TaskState
from discubot_pipeline.store.discussions import busy
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.tables import discussions, replies, tasks


class Tasks:
    """The tasks table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, planned: PlannedTask, thread: Thread, summary: str, run_id: str, is_multi: bool) -> TaskRow | None:
        """Commit the row of a task before its page is made, or give the row that is there.

        None when the run no longer holds the discussion.
        """
        parsed, task = thread.configured.parsed, planned.task
        row = {
            "team_id": parsed.team_id,
            "discussion_id": parsed.discussion_id,
            "output_id": planned.output_id,
            "run_id": run_id,
            "key": planned.key,
            "title": task.title,
            "description": task.description,
            "status": task.status,
            "priority": task.priority,
            "type": task.type,
            "assignee": task.assignee,
            "due_date": task.due_date,
            "tags": list(task.tags),
            "domain": task.domain,
            "action_items": list(task.action_items),
            "summary": summary,
            "source_url": thread.url,
            "is_multi_task_child": is_multi,
            "task_index": planned.index,
        }
        held = is_held(parsed.discussion_id, run_id)
        names = list(row)
        values = sa.select(*[sa.literal(row[name], tasks.c[name].type) for name in names]).where(held)
        insert = pg.insert(tasks).from_select(names, values)
        with transaction(self._engine) as connection:
            made = connection.execute(insert.on_conflict_do_nothing().returning(tasks)).one_or_none()
            if made is None and not connection.execute(sa.select(held)).scalar():
                return None
            there = sa.select(tasks).where(tasks.c.key == planned.key)
            return read(made, is_new=True) if made else read(connection.execute(there).one())

    def paged(self, row: TaskRow, page: Page, skipped: Sequence[str]) -> None:
        """Note the page of a task, as soon as it is known: it may still lack blocks."""
        values = {
            "state": TaskState.CREATING,
            "notion_page_id": page.id,
            "notion_page_url": page.url,
            "page_created_at": page.created_at,
            "skipped": list(skipped),
            "reason": None,
            "error": None,
        }
        self._write(row, values)

    def created(self, row: TaskRow) -> None:
        """Note that a task's page is whole."""
        self._write(row, {"state": TaskState.CREATED})

    def failed(self, row: TaskRow, reason: str, error: str) -> None:
        """Note why a task has no page; a later run tries again."""
        self._write(row, {"state": TaskState.FAILED, "reason": reason, "error": error})

    def of_discussion(self, discussion_id: UUID) -> list[TaskRow]:
        """List the tasks of a discussion in their order."""
        rows = (
            sa.select(tasks)
            .where(tasks.c.discussion_id == discussion_id)
            .order_by(tasks.c.task_index, tasks.c.created_at)
        )
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(rows)]

    def of_page(self, page_id: str, team_id: UUID) -> TaskRow | None:
        """Give the task of a page, if it is one of the team's."""
        mine = sa.select(tasks).where(tasks.c.notion_page_id == page_id, tasks.c.team_id == team_id)
        with single(self._engine) as connection:
            row = connection.execute(mine).one_or_none()
        return read(row) if row else None

    def follow(self, row: TaskRow, standing: Standing) -> TaskRow:
        """Note how a task's page stands; being done counts once, until the task is open again."""
        t, is_done = tasks.c, sa.literal(standing.is_done)
        newly_done = sa.and_(is_done, t.completed_at.is_(None))
        values = {
            "status": standing.status,
            "completed_at": sa.case((is_done, sa.func.coalesce(t.completed_at, sa.func.now())), else_=None),
            "completions": t.completions + sa.case((newly_done, 1), else_=0),
        }
        with single(self._engine) as connection:
            return read(
                connection.execute(sa.update(tasks).where(t.id == row.id).values(values).returning(tasks)).one()
            )

    def _write(self, row: TaskRow, values: dict[str, Any]) -> None:
        unmade = sa.and_(tasks.c.id == row.id, tasks.c.state != TaskState.CREATED)
        with single(self._engine) as connection:
            connection.execute(sa.update(tasks).where(unmade).values(**values))


class Replies:
    """The replies table: which answers were begun, and which are known to stand in their thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, key: str, team_id: UUID, discussion_id: UUID, run_id: str) -> bool | None:
        """Commit that an answer is about to be posted. True the first time, False for a repeat, None when posted.

        Raises Ignored("busy") when the run no longer holds the discussion.
        """
        with single(self._engine) as connection:
            if not connection.execute(sa.select(is_held(discussion_id, run_id))).scalar():
                raise busy()
            return self.begin_news(key, team_id, discussion_id, run_id)

    def begin_news(self, key: str, team_id: UUID, discussion_id: UUID, run_id: str) -> bool | None:
        """Commit the same of news that are no answer: who tells them need not hold the discussion."""
        row = {"key": key, "team_id": team_id, "discussion_id": discussion_id, "run_id": run_id}
        insert = pg.insert(replies).values(row).on_conflict_do_nothing().returning(replies.c.key)
        with transaction(self._engine) as connection:
            if connection.execute(insert).scalar():
                return True
            posted = connection.execute(sa.select(replies.c.posted_at).where(replies.c.key == key)).scalar_one()
            return None if posted else False

    def posted(self, key: str) -> None:
        """Note that an answer stands in its thread."""
        with single(self._engine) as connection:
            connection.execute(sa.update(replies).where(replies.c.key == key).values(posted_at=sa.func.now()))


def is_held(discussion_id: UUID, run_id: str) -> sa.ColumnElement[bool]:
    """Say that a run still holds a discussion."""
    return sa.exists().where(discussions.c.id == discussion_id, discussions.c.active_run_id == run_id)


def read(row: Any, is_new: bool = False) -> TaskRow:
    """Turn a row into a value."""
    return TaskRow(
        id=row.id,
        team_id=row.team_id,
        discussion_id=row.discussion_id,
        key=row.key,
        state=row.state,
        output_id=row.output_id,
        run_id=row.run_id,
        task_index=row.task_index,
        title=row.title,
        page_id=row.notion_page_id,
        page_url=row.notion_page_url,
        page_created_at=row.page_created_at,
        skipped=tuple(row.skipped),
        reason=row.reason,
        created_at=row.created_at,
        status=row.status,
        completed_at=row.completed_at,
        completions=row.completions,
        is_new=is_new,
    )
