"""REST: what ran with all its steps, why a step did what it did, and how such explanations fare."""

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.executions import Execution, ExecutionQuery, ExecutionStatus, ExecutionWithSteps
from discubot_pipeline.store.reasonings import Asked, ExplanationFigures
from discubot_pipeline.web.access import Here, Member, actor_of
from discubot_pipeline.web.pages import After, Limit, Moment, Page, Word, cut, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api", tags=["executions"])
FOUND = documented(404)


class Place(NamedTuple):
    """Where a page of executions ended."""

    at: Moment
    id: Word


class ExecutionPage(Page):
    """A page of executions, the newest first."""

    executions: list[Execution]


class Explaining(BaseModel):
    """For how many steps an explanation was asked for just now, and how those of the job stand."""

    asked: int = Field(ge=0)
    explanations: list[Asked]


@router.get("/executions", responses=documented())
def list_executions(
    bearer: Member,
    here: Here,
    thread: Annotated[Word | None, Query(description="Id of the thread that it was about.")] = None,
    project: Annotated[Word | None, Query(description="`discubot` for jobs, else the recorder's.")] = None,
    status: ExecutionStatus | None = None,
    limit: Limit = 50,
    after: After = None,
) -> ExecutionPage:
    """List what ran for the team, jobs and what others recorded, the newest first."""
    query = ExecutionQuery(team_id=bearer.team_id, thread=thread, project=project, status=status)
    found = here.stores.executions.last(query, limit, position(after, Place))
    page, following = cut(found, limit, lambda execution: Place(execution.started_at, execution.id))
    return ExecutionPage(executions=list(page), next=following)


@router.get("/executions/{id}", responses=FOUND)
def show_execution(id: UUID, bearer: Member, here: Here) -> ExecutionWithSteps:
    """Show an execution with all its steps: what each was given, what came of it, and why."""
    found = here.stores.executions.get(str(id), bearer.team_id)
    if found is None:
        raise Permanent("not_found", f"there is no execution {id}")
    return found


@router.post("/jobs/{id}/explain", status_code=202, tags=["jobs"], responses=FOUND)
def explain_job(id: UUID, bearer: Member, here: Here) -> Explaining:
    """Ask why the finished steps of a job or another execution did what they did; the answers come on its steps."""
    if here.stores.executions.get(str(id), bearer.team_id) is None:
        here.jobs.facts(str(id), bearer.team_id)
    asked = here.stores.reasonings.ask(str(id), actor_of(bearer))
    return Explaining(asked=asked, explanations=here.stores.reasonings.of_run(str(id)))


@router.get("/explanations/stats", tags=["statistics"], responses=documented())
def explanation_figures(bearer: Member, here: Here) -> ExplanationFigures:
    """Count the team's explanations by state, and say how long they take."""
    return here.stores.reasonings.figures(bearer.team_id)
