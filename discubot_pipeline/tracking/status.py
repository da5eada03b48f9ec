"""Where a job stands, read off Dagster's record of its run: the one place that knows what its words mean to us."""

from datetime import UTC, datetime
from typing import NamedTuple

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord

from discubot_pipeline.domain.facts import JobStatus
from discubot_pipeline.domain.job import RunOutcome

OUTCOME = "discubot/outcome"
WILL_RETRY = "dagster/will_retry"
RETRIED_AS = "dagster/auto_retry_run_id"
RETRY_NUMBER = "dagster/retry_number"
WAITING = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED]
AT_WORK = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
OF_SUCCESS = {RunOutcome.PARTIAL: JobStatus.PARTIAL, RunOutcome.DEFERRED: JobStatus.DELAYED}
WAITS = {DagsterEventType.STEP_UP_FOR_RETRY, DagsterEventType.STEP_RESTARTED}


class Times(NamedTuple):
    """When a run was made, began and ended: never in another order, whatever the clocks of several processes said."""

    created: datetime
    started: datetime | None
    finished: datetime | None


def status_of(run: DagsterRun, is_waiting: bool = False) -> JobStatus:
    """Say where a job stands; `is_waiting` says that an op of a started run waits for its next try."""
    match run.status:
        case DagsterRunStatus.SUCCESS:
            return OF_SUCCESS.get(outcome_of(run), JobStatus.COMPLETED)
        case DagsterRunStatus.FAILURE:
            return JobStatus.DELAYED if has_retry_coming(run) else JobStatus.FAILED
        case DagsterRunStatus.CANCELED:
            return JobStatus.CANCELLED
        case DagsterRunStatus.STARTED if is_waiting:
            return JobStatus.DELAYED
        case DagsterRunStatus.STARTING | DagsterRunStatus.STARTED | DagsterRunStatus.CANCELING:
            return JobStatus.PROCESSING
        case _:
            return JobStatus.PENDING


def outcome_of(run: DagsterRun) -> RunOutcome:
    """Read how a run that succeeded ended; without a word on that it is completed."""
    named = run.tags.get(OUTCOME)
    return RunOutcome(named) if named in set(RunOutcome) else RunOutcome.COMPLETED


def has_retry_coming(run: DagsterRun) -> bool:
    """Say whether a failed run will be retried by Dagster, or may be as far as is known, and has not been yet."""
    return run.tags.get(WILL_RETRY) != "false" and RETRIED_AS not in run.tags


def is_waiting(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Say whether an op of a started run waits for its next try."""
    if run.status is not DagsterRunStatus.STARTED:
        return False
    last = instance.get_records_for_run(run.run_id, of_type=WAITS, limit=1, ascending=False).records
    return bool(last) and last[0].event_log_entry.dagster_event_type is DagsterEventType.STEP_UP_FOR_RETRY


def times_of(record: RunRecord) -> Times:
    """Read when a run was made, began and ended."""
    created = record.create_timestamp
    started = max(created, moment(record.start_time)) if record.start_time else None
    finished = max(started or created, moment(record.end_time)) if record.end_time else None
    return Times(created, started, finished)


def moment(seconds: float) -> datetime:
    """Read Unix time."""
    return datetime.fromtimestamp(seconds, UTC)
