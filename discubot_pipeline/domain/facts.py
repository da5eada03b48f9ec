"""What is told of a job – a Dagster run – to people and programs: the words of the API and of `discubot job`."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger, Value
from discubot_pipeline.domain.task import TaskState


class JobStatus(StrEnum):
    """Where a job stands. Completed, partial, failed and cancelled are final; a deferred job stays delayed."""

    PENDING = "pending"
    PROCESSING = "processing"
    DELAYED = "delayed"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Level(StrEnum):
    """How much a line of a job's log matters, least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Fault(Value):
    """Why a job failed: a constant reason, words for people, and the stack of what was raised where there is one."""

    reason: str | None
    message: str
    stage: str | None = None
    stack: list[str] | None = None


class Attempt(Value):
    """One run of a chain: a job, its automatic retries, and those that people asked for."""

    job_id: str
    number: int = Field(ge=1)
    status: JobStatus
    stage: str | None
    is_retry: bool
    retried_by: str | None = Field(description="`system` for Dagster's own retries; null for one from Dagster's UI.")
    retry_reason: str | None
    cancelled_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Fault | None


class JobFacts(Value):
    """A job in a list."""

    job_id: str
    root_job_id: str
    job_name: str
    status: JobStatus
    stage: str | None
    trigger: Trigger
    scope: Scope
    team_id: UUID | None
    team: str | None
    source: SourceType | None
    thread: str | None
    discussion_id: UUID | None
    is_retry: bool
    retried_by: str | None
    cancelled_by: str | None
    reason: str | None
    percent: int = Field(ge=0, le=100)
    not_before: datetime | None = Field(description="When a delayed job goes on, in a job of its own.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobTask(Value):
    """A task that a job made."""

    id: UUID
    title: str
    state: TaskState
    url: str | None


class Cost(Value):
    """What language models took."""

    prompt_tokens: int
    answer_tokens: int
    cost_usd: float


class Links(Value):
    """Where to go on from a job: addresses of this API, of Dagster's UI, and of the thread."""

    dagster: str
    discussion: str | None
    thread: str | None
    deliveries: list[str]
    tasks: list[str]
    source_config: str | None


class Result(Value):
    """What came of a job that has ended."""

    outcome: RunOutcome
    reason: str | None
    summary: str | None
    counters: dict[str, Any]
    task_ids: list[UUID]
    started_at: datetime | None
    finished_at: datetime
    duration_ms: int | None


class JobDetails(JobFacts):
    """A job with all that is known of it; `result` as soon as it has ended."""

    params: dict[str, Any]
    tags: dict[str, str]
    pipeline_version: str | None
    progress: dict[str, Any]
    retry_reason: str | None
    error: Fault | None
    result: Result | None
    attempts: list[Attempt]
    tasks: list[JobTask]
    delivery_ids: list[int]
    source_config_id: UUID | None
    cost: Cost
    links: Links


class LogLine(Value):
    """One line of a job's log."""

    id: int
    level: Level
    stage: str | None
    message: str
    context: dict[str, Any]
    created_at: datetime


class JobQuery(Value):
    """Which jobs are asked for; all that is None does not matter."""

    team_id: UUID | None = None
    status: JobStatus | None = None
    source: SourceType | None = None
    stage: Stage | None = None
    trigger: Trigger | None = None
    scope: Scope | None = None
    job_name: str | None = None
    discussion_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class Standing(Value):
    """A job as far as it takes to steer it.

    `is_over` says that Dagster has ended the run, `is_stopping` that it has begun to, `is_owed` that an automatic retry
    is still to come and `successor` which one that is; `attempts` counts the runs of its chain, `most_retries` is how
    often Dagster retries by itself.
    """

    job_id: str
    root_job_id: str
    job_name: str
    team_id: UUID | None
    discussion_id: UUID | None
    trigger: Trigger
    status: JobStatus
    is_over: bool
    is_stopping: bool
    is_owed: bool
    tags: dict[str, str]
    attempts: int
    most_retries: int
    successor: str | None
