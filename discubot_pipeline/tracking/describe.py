"""Puts a run's record and its note together: what is told of a job, in a list and by itself. Called by `jobs`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from dagster import DagsterRun, RunRecord

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.facts import Attempt, Fault, JobDetails, JobFacts, JobStatus, JobTask, Links, Result
from discubot_pipeline.domain.job import RunOutcome, Scope, Trigger
from discubot_pipeline.store.columns import SYSTEM
from discubot_pipeline.store.dossiers import Dossiers, Entry
from discubot_pipeline.tracking.status import RETRY_NUMBER, Times, outcome_of, status_of, times_of

TEAM = "discubot/team_id"
TEAM_NAME = "discubot/team"
SOURCE = "discubot/source"
THREAD = "discubot/thread"
DISCUSSION = "discubot/discussion"
TRIGGER = "discubot/trigger"
SCOPE = "discubot/scope"
SCHEDULE = "dagster/schedule_name"
WHOLE = (JobStatus.COMPLETED, JobStatus.PARTIAL)


class Told(NamedTuple):
    """A run's record with its note, if there is one yet, and whether it waits for an op's next try."""

    record: RunRecord
    entry: Entry | None
    is_waiting: bool = False
    team_name: str | None = None

    @property
    def run(self) -> DagsterRun:
        """Give the run itself."""
        return self.record.dagster_run

    @property
    def status(self) -> JobStatus:
        """Say where it stands."""
        return status_of(self.run, self.is_waiting)


class Addresses(NamedTuple):
    """Where the API and Dagster's UI are."""

    api: str
    dagster: str


def facts_of(told: Told) -> JobFacts:
    """Tell of a job as in a list."""
    run, entry, times = told.run, told.entry, times_of(told.record)
    return JobFacts(
        job_id=run.run_id,
        root_job_id=run.root_run_id or run.run_id,
        job_name=run.job_name,
        status=told.status,
        stage=stage_of(entry),
        trigger=trigger_of(run, entry),
        scope=scope_of(run, entry),
        team_id=team_of(run, entry),
        team=(entry and entry.team_name) or told.team_name or run.tags.get(TEAM_NAME),
        source=source_of(run, entry),
        thread=(entry and entry.thread) or run.tags.get(THREAD),
        discussion_id=discussion_of(run, entry),
        is_retry=run.parent_run_id is not None,
        retried_by=retried_by(run, entry),
        cancelled_by=entry.cancelled_by if entry else None,
        reason=entry.reason if entry else None,
        percent=percent_of(told),
        not_before=entry.not_before if entry else None,
        created_at=times.created,
        started_at=times.started,
        finished_at=times.finished,
    )


def details_of(
    told: Told, attempts: Sequence[Attempt], error: Fault | None, dossiers: Dossiers, at: Addresses
) -> JobDetails:
    """Tell all that is known of a job."""
    run, entry, facts = told.run, told.entry, facts_of(told)
    tasks, deliveries = dossiers.tasks(run.run_id), dossiers.deliveries(run.run_id)
    return JobDetails(
        **facts.model_dump(),
        params=entry.params if entry else {},
        tags={key: value for key, value in run.tags.items() if not key.startswith(".")},
        pipeline_version=entry.pipeline_version if entry else None,
        progress=entry.progress if entry else {},
        retry_reason=reason_given(entry),
        error=error,
        result=result_of(told, facts, tasks),
        attempts=list(attempts),
        tasks=tasks,
        delivery_ids=deliveries,
        source_config_id=entry.source_config_id if entry else None,
        cost=dossiers.cost(run.run_id),
        links=links_of(facts, entry, tasks, deliveries, at),
    )


def attempt_of(told: Told, number: int, error: Fault | None) -> Attempt:
    """Tell of a job as one of its chain."""
    facts = facts_of(told)
    shown = facts.model_dump(include=set(Attempt.model_fields) & set(JobFacts.model_fields))
    return Attempt(**shown, number=number, retry_reason=reason_given(told.entry), error=error)


def result_of(told: Told, facts: JobFacts, tasks: Sequence[JobTask]) -> Result | None:
    """Tell what came of a job that has ended."""
    if facts.finished_at is None:
        return None
    entry = told.entry
    return Result(
        outcome=ending_of(told),
        reason=facts.reason,
        summary=entry.summary if entry else None,
        counters=entry.counters if entry else {},
        task_ids=[task.id for task in tasks],
        started_at=facts.started_at,
        finished_at=facts.finished_at,
        duration_ms=duration_of(times_of(told.record)),
    )


def ending_of(told: Told) -> RunOutcome:
    """Say how an ended run ended, by Dagster's word."""
    match told.status:
        case JobStatus.CANCELLED:
            return RunOutcome.CANCELLED
        case JobStatus.COMPLETED | JobStatus.PARTIAL:
            return outcome_of(told.run)
        case _:
            return outcome_of(told.run) if told.run.is_success else RunOutcome.FAILED


def links_of(
    facts: JobFacts, entry: Entry | None, tasks: Sequence[JobTask], deliveries: Sequence[int], at: Addresses
) -> Links:
    """Say where to go on from a job."""
    config = entry.source_config_id if entry else None
    return Links(
        dagster=f"{at.dagster}/runs/{facts.job_id}",
        discussion=f"{at.api}/discussions/{facts.discussion_id}" if facts.discussion_id else None,
        thread=entry.thread_url if entry else None,
        deliveries=[f"{at.api}/inbox/{id}" for id in deliveries],
        tasks=[task.url for task in tasks if task.url],
        source_config=f"{at.api}/sources/{config}" if config else None,
    )


def percent_of(told: Told) -> int:
    """Say how far a job has come; one that is completed has come all the way."""
    percent = told.entry.progress.get("percent") if told.entry else None
    return 100 if told.status in WHOLE else min(max(int(percent or 0), 0), 100)


def stage_of(entry: Entry | None) -> str | None:
    """Name the stage that a run is in, or ended in."""
    if entry is None:
        return None
    return entry.stage or entry.progress.get("stage")


def trigger_of(run: DagsterRun, entry: Entry | None) -> Trigger:
    """Say what started a run. One that goes on with another is a retry, whatever its inherited tags say."""
    if run.parent_run_id:
        return Trigger.RETRY
    if entry:
        return entry.trigger
    named = run.tags.get(TRIGGER)
    if named in set(Trigger):
        return Trigger(named)
    return Trigger.SCHEDULE if SCHEDULE in run.tags else Trigger.MANUAL


def scope_of(run: DagsterRun, entry: Entry | None) -> Scope:
    """Say whom a run works for."""
    return entry.scope if entry else Scope(run.tags.get(SCOPE, Scope.TEAM.value))


def team_of(run: DagsterRun, entry: Entry | None) -> UUID | None:
    """Name the team that a run is about; before it has begun, by its tag."""
    return (entry and entry.team_id) or uuid_of(run.tags.get(TEAM))


def discussion_of(run: DagsterRun, entry: Entry | None) -> UUID | None:
    """Name the discussion that a run is about; before it has begun, by its tag."""
    return (entry and entry.discussion_id) or uuid_of(run.tags.get(DISCUSSION))


def source_of(run: DagsterRun, entry: Entry | None) -> SourceType | None:
    """Name the source that a run's thread is in."""
    named = run.tags.get(SOURCE)
    return (entry and entry.source) or (SourceType(named) if named in set(SourceType) else None)


def retried_by(run: DagsterRun, entry: Entry | None) -> str | None:
    """Name who asked for a run that goes on with another; by our own note, since tags are inherited."""
    if run.parent_run_id is None:
        return None
    return (entry and entry.retried_by) or (SYSTEM if RETRY_NUMBER in run.tags else None)


def reason_given(entry: Entry | None) -> str | None:
    """Give the words with which a person retried or cancelled."""
    return entry.note_reason if entry else None


def duration_of(times: Times) -> int | None:
    """Count the milliseconds that a run worked."""
    if times.started is None or times.finished is None:
        return None
    return (times.finished - times.started) // timedelta(milliseconds=1)


def uuid_of(text: str | None) -> UUID | None:
    """Read an id in a tag, which anybody may have written in Dagster's UI."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
