"""The read model of jobs: Dagster's record of runs, with what our tables know of them. For web, cli and admin."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.errors import DagsterUserCodeUnreachableError

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.facts import Attempt, Fault, JobDetails, JobFacts, JobQuery, Level, Result, Standing
from discubot_pipeline.store.dossiers import Dossiers, Entry
from discubot_pipeline.tracking import describe
from discubot_pipeline.tracking.describe import Addresses, Told, team_of
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.lines import LogPage, failure_of, read_log
from discubot_pipeline.tracking.listing import Place, matching
from discubot_pipeline.tracking.runs import ROOT
from discubot_pipeline.tracking.status import AT_WORK, RETRIED_AS, WAITING, has_retry_coming, is_waiting

UNFINISHED = [*WAITING, *AT_WORK]
LONGEST_CHAIN = 200


class JobStore:
    """Answers questions about jobs; a team's questions are answered as if there were no other team."""

    def __init__(self, instance: Instance, dossiers: Dossiers, addresses: Addresses) -> None:
        self._instance, self._dossiers, self._addresses = instance, dossiers, addresses

    def close(self) -> None:
        """Give back the connections that were made."""
        self._instance.close()

    def search(
        self, query: JobQuery, limit: int, after: Place | None = None
    ) -> tuple[Sequence[JobFacts], Place | None]:
        """List jobs, the newest first, with the place to go on from when there may be more."""
        with self._instance.reading() as instance:
            return matching(instance, self._dossiers, query, limit, after)

    def facts(self, job_id: str, team_id: UUID | None = None) -> JobFacts:
        """Show a job as in a list; Permanent("not_found", …) for one of another team."""
        with self._instance.reading() as instance:
            return describe.facts_of(self._told(instance, job_id, team_id))

    def progress(self, job_id: str, team_id: UUID | None = None) -> tuple[JobFacts, dict[str, Any]]:
        """Show a job as in a list, with what its logger says of its progress."""
        with self._instance.reading() as instance:
            told = self._told(instance, job_id, team_id)
            return describe.facts_of(told), told.entry.progress if told.entry else {}

    def outcome(self, job_id: str, team_id: UUID | None = None) -> tuple[JobFacts, Result | None, dict[str, Any]]:
        """Show a job as in a list, with what came of it as soon as it has ended, and what it has counted so far."""
        with self._instance.reading() as instance:
            told = self._told(instance, job_id, team_id)
            facts = describe.facts_of(told)
            return facts, describe.result_of(told, facts, []), told.entry.counters if told.entry else {}

    def details(self, job_id: str, team_id: UUID | None = None) -> JobDetails:
        """Show all that is known of a job."""
        with self._instance.reading() as instance:
            told = self._told(instance, job_id, team_id)
            attempts = self._attempts(instance, told.record)
            return describe.details_of(told, attempts, failure(instance, told), self._dossiers, self._addresses)

    def attempts(self, job_id: str, team_id: UUID | None = None) -> list[Attempt]:
        """List all runs of a job's chain, the first one first: when, by whom, and what went wrong."""
        with self._instance.reading() as instance:
            return self._attempts(instance, self._told(instance, job_id, team_id).record)

    def log(self, job_id: str, level: Level, limit: int, after: int, team_id: UUID | None = None) -> LogPage:
        """Read a job's log from an event on. More may come as long as the job has not ended."""
        with self._instance.reading() as instance:
            told = self._told(instance, job_id, team_id)
            page = read_log(instance, job_id, level, limit, after)
            return page._replace(has_more=page.has_more or not told.record.dagster_run.is_finished)

    def standing(self, job_id: str, team_id: UUID | None = None) -> Standing:
        """Say how a job stands, for whoever steers it."""
        with self._instance.reading() as instance:
            told = self._told(instance, job_id, team_id)
            run, facts = told.record.dagster_run, describe.facts_of(told)
            return Standing(
                job_id=job_id,
                root_job_id=facts.root_job_id,
                job_name=run.job_name,
                team_id=facts.team_id,
                discussion_id=facts.discussion_id,
                trigger=facts.trigger,
                status=facts.status,
                is_over=run.is_finished,
                is_owed=run.status is DagsterRunStatus.FAILURE and has_retry_coming(run),
                is_stopping=run.status is DagsterRunStatus.CANCELING,
                tags=dict(run.tags),
                attempts=len(chain(instance, run)),
                most_retries=instance.run_retries_max_retries if instance.run_retries_enabled else 0,
                successor=run.tags.get(RETRIED_AS),
            )

    def exists(self, job_id: str) -> bool:
        """Say whether Dagster still knows a run: those that are old enough have been removed."""
        with self._instance.reading() as instance:
            return instance.get_run_record_by_id(job_id) is not None

    def unfinished(self, discussion_id: UUID) -> str | None:
        """Name a job of a discussion that waits or works, if there is one."""
        with self._instance.reading() as instance:
            mine = RunsFilter(tags={describe.DISCUSSION: str(discussion_id)}, statuses=UNFINISHED)
            return next((run.run_id for run in instance.get_runs(mine, limit=1)), None)

    def stop_starting(self, job_id: str) -> bool:
        """Cancel a job that is about to begin, which GraphQL refuses; False when it is not, or its launcher is away."""
        with self._instance.reading() as instance, suppress(DagsterUserCodeUnreachableError):
            run = instance.get_run_by_id(job_id)
            is_starting = run is not None and run.status is DagsterRunStatus.STARTING
            return is_starting and bool(instance.run_launcher.terminate(job_id))
        return False

    def _told(self, instance: DagsterInstance, job_id: str, team_id: UUID | None) -> Told:
        record = instance.get_run_record_by_id(job_id)
        entry = self._dossiers.entries([job_id]).get(job_id) if record else None
        if record is None or (team_id is not None and team_of(record.dagster_run, entry) != team_id):
            raise Permanent("not_found", f"there is no job {job_id}")
        return Told(record, entry, is_waiting(instance, record.dagster_run), self._team_name(record.dagster_run, entry))

    def _team_name(self, run: DagsterRun, entry: Entry | None) -> str | None:
        return entry.team_name if entry and entry.team_name else self._dossiers.team_name(team_of(run, entry))

    def _attempts(self, instance: DagsterInstance, record: RunRecord) -> list[Attempt]:
        records = chain(instance, record.dagster_run)
        entries = self._dossiers.entries([each.dagster_run.run_id for each in records])
        told = [
            Told(each, entries.get(each.dagster_run.run_id), is_waiting(instance, each.dagster_run)) for each in records
        ]
        return [describe.attempt_of(each, number, failure(instance, each)) for number, each in enumerate(told, 1)]


def chain(instance: DagsterInstance, run: DagsterRun) -> Sequence[RunRecord]:
    """List the records of a run's chain, the first one first."""
    root = run.root_run_id or run.run_id
    first = instance.get_run_records(RunsFilter(run_ids=[root]))
    return [*first, *instance.get_run_records(RunsFilter(tags={ROOT: root}), limit=LONGEST_CHAIN, ascending=True)]


def failure(instance: DagsterInstance, told: Told) -> Fault | None:
    """Say why a job failed: with the stack by Dagster's events, with the reason by our own note."""
    if told.run.status is not DagsterRunStatus.FAILURE:
        return None
    fault = failure_of(instance, told.run.run_id) or Fault(reason=None, message="Dagster says no more than that.")
    noted = told.entry.reason if told.entry else None
    return fault.model_copy(update={"reason": fault.reason or noted})
