"""REST: the tasks that were made of discussions of the token's team."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.paging import Place
from discubot_pipeline.store.tasklist import TaskRecord
from discubot_pipeline.web.access import Here, Member
from discubot_pipeline.web.filters import OfSource, Within
from discubot_pipeline.web.pages import After, Limit, Page, Word, cut, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api/tasks", tags=["tasks"])
State = Annotated[TaskState | None, Query(description="Only those that are so far.")]


class TaskPage(Page):
    """Tasks."""

    tasks: list[TaskRecord]


@router.get("", responses=documented())
def list_tasks(
    bearer: Member,
    here: Here,
    within: Within,
    state: State = None,
    source: OfSource = None,
    job: Word | None = None,
    limit: Limit = 50,
    after: After = None,
) -> TaskPage:
    """List the team's tasks, the newest first; all, or those that one job made."""
    place = position(after, Place)
    found = here.stores.tasklist.page(bearer.team_id, within, place, limit, state, source, job)
    page, following = cut(found, limit, lambda task: task.place)
    return TaskPage(tasks=list(page), next=following)


@router.get("/{id}", responses=documented(404))
def show_task(id: UUID, bearer: Member, here: Here) -> TaskRecord:
    """Show a task."""
    return here.stores.tasklist.get(id, bearer.team_id)
