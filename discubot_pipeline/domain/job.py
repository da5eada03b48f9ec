"""Names of a job's stages, states and ends. A job is a Dagster run."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that crosses between ops, rows and adapters."""

    model_config = ConfigDict(frozen=True)


class Stage(StrEnum):
    """The six stages of a discussion, in their order, as shown to people."""

    INGESTION = "ingestion"
    CONFIG_LOADING = "config_loading"
    THREAD_BUILDING = "thread_building"
    AI_ANALYSIS = "ai_analysis"
    TASK_CREATION = "task_creation"
    NOTIFICATION = "notification"


STAGE_OF = {
    "validate_discussion": Stage.INGESTION,
    "load_config": Stage.CONFIG_LOADING,
    "build_thread": Stage.THREAD_BUILDING,
    "analyze_thread": Stage.AI_ANALYSIS,
    "create_tasks": Stage.TASK_CREATION,
    "finalize_discussion": Stage.NOTIFICATION,
}
"""Which stage an op of the discussion's job is shown as."""


class RunOutcome(StrEnum):
    """How a run ended, where Dagster's own status does not say enough."""

    COMPLETED = "completed"
    PARTIAL = "partial"
    DEFERRED = "deferred"
    IGNORED = "ignored"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Value):
    """The run that works: `run_key` where a sensor asked for it, `parent_run_id` where it goes on with an earlier one.

    `is_last_attempt` says that a failure of this op would not be tried again within the run.
    """

    run_id: str
    root_run_id: str
    parent_run_id: str | None = None
    run_key: str | None = None
    is_last_attempt: bool = False


class Outcome(Value):
    """Output of finalize_discussion: how the job ended, for people."""

    outcome: RunOutcome
    reply: str | None = None
    reason: str | None = None


class Trigger(StrEnum):
    """What started a run."""

    WEBHOOK = "webhook"
    MANUAL = "manual"
    SCHEDULE = "schedule"
    RETRY = "retry"
    BACKFILL = "backfill"


class Scope(StrEnum):
    """Whom a run works for."""

    TEAM = "team"
    SYSTEM = "system"


class Priority(StrEnum):
    """How urgent the jobs of a team or a source are: the higher one overtakes what waits."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def weight(self) -> int:
        """Give the number by which queues are sorted, the highest first; 0 is what has no priority at all."""
        return list(Priority).index(self) - 1


BACKFILL_WEIGHT = Priority.LOW.weight - 1
"""What is imported of the past waits for all that is new."""


def foremost(triggers: Sequence[Trigger]) -> Trigger:
    """Give the trigger that a run of several deliveries goes by: the first, but a backfill only when all are."""
    return next((trigger for trigger in triggers if trigger is not Trigger.BACKFILL), triggers[0])


MAX_OP_RETRIES = 2
"""Retries of one op within its run."""

LONGEST_WAIT = timedelta(seconds=15)
"""A longer wait than this ends the run as deferred: an op's wait cannot be interrupted."""


def backoff(retry: int, jitter: float) -> timedelta:
    """Give the wait before retry number `retry` (from 0): 2 s, 4 s, 8 s, plus up to half of it by `jitter` (0 to 1)."""
    seconds: float = 2.0 * 2.0**retry
    return timedelta(seconds=seconds * (1 + jitter / 2))
