"""REST: jobs, what they said, how they stand, and how to steer them. The same facts as `discubot job`."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from discubot_pipeline.admin.steer import Helm, Retry
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.facts import JobDetails, JobFacts, JobQuery, JobStatus, Level, LogLine
from discubot_pipeline.domain.job import Scope, Stage, Trigger
from discubot_pipeline.store.steps import StepRecord
from discubot_pipeline.web.access import Here, Member, actor_of
from discubot_pipeline.web.pages import After, Limit, Moment, Page, RowId, Word, cursor, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api", tags=["jobs"])
FOUND = documented(404)


class Place(NamedTuple):
    """Where a page of jobs ended."""

    at: Moment
    id: UUID


class Line(NamedTuple):
    """Where a page of a log ended."""

    id: RowId


class Jobs(Page):
    """A page of jobs, the newest first. It may hold fewer than asked for, even none, and still have a next one."""

    jobs: list[JobFacts]


class Logs(Page):
    """A page of a job's log. `next` is null only when the job has ended and nothing more will come."""

    logs: list[LogLine]


class Steps(BaseModel):
    """What each step of a job was given, and what came of it."""

    steps: list[StepRecord]


class JobProgress(BaseModel):
    """How far a job has come."""

    job_id: str
    job_name: str
    status: JobStatus
    stage: str | None
    current: int
    total: int | None
    percent: int = Field(ge=0, le=100)
    message: str | None
    started_at: datetime | None


class JobOutcome(BaseModel):
    """What came of a job; all but its status and counters is null until it has ended."""

    status: JobStatus
    summary: str | None
    duration_ms: int | None
    finished_at: datetime | None
    counters: dict[str, Any]


class Cancel(BaseModel):
    """Why a job is cancelled."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=500)


class RetryBody(Retry):
    """How a discussion is to be retried."""

    model_config = ConfigDict(extra="forbid")


class Accepted(BaseModel):
    """The job that it is done by, or to."""

    job_id: str


@router.get("/jobs", responses=documented())
def list_jobs(
    bearer: Member,
    here: Here,
    status: JobStatus | None = None,
    source: SourceType | None = None,
    stage: Stage | None = None,
    trigger: Trigger | None = None,
    scope: Scope | None = None,
    job_name: Annotated[Word | None, Query(examples=["discussion_job"])] = None,
    discussion_id: UUID | None = None,
    since: Annotated[Moment | None, Query(description="Made after this time.")] = None,
    until: Annotated[Moment | None, Query(description="Made before this time.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Jobs:
    """List the team's jobs, the newest first."""
    query = JobQuery(
        team_id=bearer.team_id,
        status=status,
        source=source,
        stage=stage,
        trigger=trigger,
        scope=scope,
        job_name=job_name,
        discussion_id=discussion_id,
        since=since,
        until=until,
    )
    place = position(after, Place)
    jobs, there = here.jobs.search(query, limit, (place.at, str(place.id)) if place else None)
    return Jobs(jobs=list(jobs), next=cursor(there) if there else None)


@router.get("/jobs/{id}", responses=FOUND)
def show_job(id: UUID, bearer: Member, here: Here) -> JobDetails:
    """Show a job: how it stands, its attempts, what it made, and why it failed."""
    return here.jobs.details(str(id), bearer.team_id)


@router.get("/jobs/{id}/logs", responses=FOUND)
def read_logs(
    id: UUID,
    bearer: Member,
    here: Here,
    level: Annotated[Level, Query(description="The least that matters.")] = Level.INFO,
    limit: Limit = 100,
    after: After = None,
) -> Logs:
    """Read a job's log, the oldest line first. While it works, ask again with `next` for what has come since."""
    place = position(after, Line)
    page = here.jobs.log(str(id), level, limit, place.id if place else 0, bearer.team_id)
    return Logs(logs=page.lines, next=cursor(Line(page.last)) if page.has_more else None)


@router.get("/jobs/{id}/progress", responses=FOUND)
def show_progress(id: UUID, bearer: Member, here: Here) -> JobProgress:
    """Show how far a job has come."""
    facts, progress = here.jobs.progress(str(id), bearer.team_id)
    return JobProgress(
        **facts.model_dump(include=set(JobProgress.model_fields)),
        current=progress.get("current") or 0,
        total=progress.get("total"),
        message=progress.get("message"),
    )


@router.get("/jobs/{id}/outcome", responses=FOUND)
def show_outcome(id: UUID, bearer: Member, here: Here) -> JobOutcome:
    """Show what came of a job."""
    facts, result, counters = here.jobs.outcome(str(id), bearer.team_id)
    return JobOutcome(
        status=facts.status,
        summary=result.summary if result else None,
        duration_ms=result.duration_ms if result else None,
        finished_at=facts.finished_at,
        counters=counters,
    )


@router.get("/jobs/{id}/steps", responses=FOUND)
def show_steps(id: UUID, bearer: Member, here: Here) -> Steps:
    """Show what each step of a job was given, and what came of it."""
    here.jobs.facts(str(id), bearer.team_id)
    return Steps(steps=here.stores.steps.of_run(str(id)))


@router.post("/jobs/{id}/cancel", status_code=202, responses=documented(404, 409))
def cancel_job(id: UUID, bearer: Member, here: Here, wanted: Cancel | None = None) -> Accepted:
    """Cancel a job that waits or works; what it has made stays recorded."""
    reason = wanted.reason if wanted else None
    return Accepted(job_id=helm(here, bearer).cancel(str(id), bearer.team_id, reason))


@router.post("/discussions/{id}/retry", status_code=202, tags=["discussions"], responses=documented(404, 409))
def retry_discussion(id: UUID, bearer: Member, here: Here, wanted: RetryBody | None = None) -> Accepted:
    """Go on with a discussion that failed, is partial or was cancelled, in a new job."""
    return Accepted(job_id=helm(here, bearer).retry(id, wanted or RetryBody(), bearer.team_id))


def helm(here: Here, bearer: Member) -> Helm:
    """Steer in the name of a token's bearer."""
    return Helm(here.stores, here.jobs, here.dagster, actor_of(bearer))
