"""Completion hooks: who is told when a job has ended, what they are told, and when it is tried again."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, SecretStr

from discubot_pipeline.domain.config import Credentials
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.facts import JobDetails, JobStatus, Links
from discubot_pipeline.domain.job import RunOutcome, Trigger, Value


class HookKind(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    SLACK = "slack"


class HookEvent(StrEnum):
    """What is told: how a job ended."""

    COMPLETED = "job.completed"
    PARTIAL = "job.partial"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"


class HookStatus(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


EVENT_OF = {
    RunOutcome.COMPLETED: HookEvent.COMPLETED,
    RunOutcome.PARTIAL: HookEvent.PARTIAL,
    RunOutcome.FAILED: HookEvent.FAILED,
    RunOutcome.CANCELLED: HookEvent.CANCELLED,
}
"""Which event an end is; one that is ignored or deferred is none."""
BY_DEFAULT = (HookEvent.COMPLETED, HookEvent.PARTIAL, HookEvent.FAILED)
FINAL = (JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED)
MOST_TRIES = 10
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=6)
SETTLING, PATIENCE = timedelta(seconds=1), timedelta(minutes=2)
"""How soon to look again at a job whose run has not quite ended, and how long to put up with that."""


class HookCredentials(Credentials):
    """The secret that a webhook is signed with (Standard Webhooks, `whsec_…`); Slack's hooks use their source's."""

    signing_secret: SecretStr | None = None


class Hook(Value):
    """One target that hears of the ends of a team's jobs, or of one source's; `sender_id` is the Slack source used."""

    id: UUID
    team_id: UUID
    source_config_id: UUID | None
    sender_id: UUID | None
    name: str
    kind: HookKind
    url: str | None
    channel: str | None
    events: tuple[HookEvent, ...]
    has_text: bool
    active: bool
    reason: str | None
    credentials: HookCredentials
    created_at: datetime
    created_by: str


class HookDelivery(Value):
    """One row of the outbox: one hook is told of one job. Its id is the `webhook-id`."""

    id: UUID
    hook_id: UUID
    run_id: str
    event: HookEvent
    status: HookStatus
    tries: int
    not_before: datetime
    reason: str | None
    error: str | None
    sent_at: datetime | None
    created_at: datetime


class Ended(Value):
    """What is told of a job: ids, numbers and links. `title` and `summary` only to hooks that ask for words."""

    job_id: str
    root_job_id: str
    job_name: str
    status: JobStatus
    stage: str | None
    trigger: Trigger
    team_id: UUID | None
    team: str | None
    source: SourceType | None
    thread: str | None
    discussion_id: UUID | None
    is_retry: bool
    retried_by: str | None
    cancelled_by: str | None
    reason: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    counters: dict[str, Any]
    task_ids: list[UUID]
    links: Links
    title: str | None
    summary: str | None


class Notice(Value):
    """What is sent. A repetition has the same id."""

    id: UUID
    type: str = Field(description="A `HookEvent`, or `hook.test`.")
    timestamp: datetime
    data: dict[str, Any]

    @property
    def body(self) -> str:
        """Write it as a webhook's body."""
        return self.model_dump_json(include={"type", "timestamp", "data"})


def ended(job: JobDetails, title: str | None, has_text: bool) -> Ended:
    """Tell of a job without the words of its thread, but for title and summary where they are asked for."""
    result = job.result
    shown = job.model_dump(include=set(Ended.model_fields) & set(JobDetails.model_fields))
    return Ended(
        **shown,
        duration_ms=result.duration_ms if result else None,
        counters=result.counters if result else {},
        task_ids=[task.id for task in job.tasks],
        title=title if has_text else None,
        summary=result.summary if result and has_text else None,
    )


def wait_after(tries: int, jitter: float, asked: timedelta | None = None) -> timedelta:
    """Give the wait after so many tries: 5 s, 20 s, 80 s … up to 6 h, or longer where the target asked for that.

    A fifth of it at most is added by `jitter` (0 to 1); nobody can ask for more than a day.
    """
    grown: timedelta = min(FIRST_WAIT * 4 ** min(tries - 1, MOST_TRIES), LONGEST_WAIT)
    return max(grown * (1 + jitter / 5), min(asked or grown, timedelta(days=1)))
