"""The retries that Dagster owes to crashed runs. Its daemon makes one at once or never; here it is reminded of it.

`dagster/_daemon/auto_run_reexecution` looks at each failure event once. When it cannot reach the code server just then
– for up to 10 s after a restart – it says that it will not retry after all. A second failure event makes it look again,
and it makes no second retry where it finds one. See docs/decisions/0020-retries-are-insisted-on.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run

PARENT = "dagster/parent_run_id"
RETRIED_BY = "dagster/auto_retry_run_id"
WILL_RETRY = "dagster/will_retry"
MAX_RETRIES = "dagster/max_retries"
FAILURE_REASON = "dagster/failure_reason"
GRACE = timedelta(seconds=20)
"""How long Dagster may take to do what it does at once when all is well."""
MOST_REMINDERS = 20
"""At one in 30 s (the grace, and the interval of who reminds) Dagster is let off after ten minutes."""
LATELY = timedelta(minutes=15)
REMINDER = "The retry of this run has not come: Dagster is reminded of it."


def successor(instance: DagsterInstance, run: DagsterRun) -> DagsterRun | None:
    """Give the run that goes on with a failed one: Dagster's retry, or a person's."""
    retry = run.tags.get(RETRIED_BY)
    found = instance.get_run_by_id(retry) if retry else None
    return found or next(iter(instance.get_runs(RunsFilter(tags={PARENT: run.run_id}), limit=1)), None)


def is_owed(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Say whether a failed run without a successor is still to be retried: by Dagster's rule, whatever its tag says."""
    reason = run.tags.get(FAILURE_REASON)
    return instance.run_retries_enabled and bool(
        auto_reexecution_should_retry_run(instance, run, RunFailureReason(reason) if reason else None)
    )


def insist(instance: DagsterInstance, run: DagsterRun, now: datetime) -> bool:
    """Remind Dagster of a retry that it has owed for a while, or let it off for good; True when it was reminded."""
    if not is_owed(instance, run) or successor(instance, run):
        return False
    known = failures(instance, run)
    if known and now.timestamp() - known[-1] < GRACE.total_seconds():
        return False
    if len(known) > MOST_REMINDERS:
        let_off(instance, run)
        return False
    instance.report_run_failed(run, REMINDER)
    return True


def let_off(instance: DagsterInstance, run: DagsterRun) -> None:
    """Leave no retry to a failed run."""
    instance.add_run_tags(run.run_id, {MAX_RETRIES: "0", WILL_RETRY: "false"})


def failures(instance: DagsterInstance, run: DagsterRun) -> Sequence[float]:
    """List when a run's failure was reported, first and as reminders, the first one first; in Unix time."""
    events = instance.get_records_for_run(run.run_id, of_type=DagsterEventType.RUN_FAILURE).records
    return [event.event_log_entry.timestamp for event in events]


def failed_lately(instance: DagsterInstance, now: datetime) -> Sequence[DagsterRun]:
    """List the runs that failed in the last quarter of an hour and may have a retry coming."""
    return instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.FAILURE], updated_after=now - LATELY))


def failed_among(instance: DagsterInstance, run_ids: Sequence[str]) -> Sequence[DagsterRun]:
    """List those of some runs that failed."""
    return instance.get_runs(RunsFilter(run_ids=run_ids, statuses=[DagsterRunStatus.FAILURE])) if run_ids else []


def submit_stranded(instance: DagsterInstance, now: datetime) -> int:
    """Put into the queue what was made and not put there, because who made it died in between; gives how many."""
    made = RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED], created_before=now - GRACE)
    stranded = instance.get_runs(made)
    for run in stranded:
        instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)
    return len(stranded)
