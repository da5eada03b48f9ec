"""Lists jobs by what they are: starting at Dagster's indexes, or at our notes where only they know. Called by `jobs`.

Either way a page is the work of a few small queries; what is rare is looked for over at most `MOST_READ` runs, so that
a page may hold fewer jobs than asked for and still have a next one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter

from discubot_pipeline.domain.facts import JobFacts, JobQuery, JobStatus
from discubot_pipeline.domain.job import RunOutcome, Scope, Trigger
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.tracking.describe import DISCUSSION, SOURCE, TEAM, TRIGGER, Told, facts_of
from discubot_pipeline.tracking.status import AT_WORK, OUTCOME, WAITING, WILL_RETRY, is_waiting

Place = tuple[datetime, str]
"""Where a page ended: when its last job was made or noted, and that job's id."""
MOST_READ = 1_000
Status = DagsterRunStatus
Narrow = tuple[Sequence[DagsterRunStatus], dict[str, str]]
LIVE = (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.DELAYED)
KINDS: dict[JobStatus, Sequence[Narrow]] = {
    JobStatus.PENDING: [(WAITING, {})],
    JobStatus.PROCESSING: [(AT_WORK, {})],
    JobStatus.DELAYED: [
        ([Status.SUCCESS], {OUTCOME: RunOutcome.DEFERRED.value}),
        ([Status.FAILURE], {WILL_RETRY: "true"}),
        ([Status.STARTED], {}),
    ],
    JobStatus.COMPLETED: [([Status.SUCCESS], {})],
    JobStatus.PARTIAL: [([Status.SUCCESS], {OUTCOME: RunOutcome.PARTIAL.value})],
    JobStatus.FAILED: [([Status.FAILURE], {})],
    JobStatus.CANCELLED: [([Status.CANCELED], {})],
}
"""Which runs may have a status, as Dagster can look for them; which of them do is looked at afterwards."""


def matching(
    instance: DagsterInstance, dossiers: Dossiers, query: JobQuery, limit: int, after: Place | None
) -> tuple[Sequence[JobFacts], Place | None]:
    """List the jobs that a query asks for, the newest first, and the place to go on from when there may be more."""
    walk = noted if needs_notes(query) else recorded
    found: list[JobFacts] = []
    read, place = 0, after
    for records in walk(instance, dossiers, query, limit, after):
        told = tell(instance, dossiers, [record for record, _ in records])
        for facts, (_, here) in zip(told, records, strict=True):
            if len(found) == limit or read >= MOST_READ:
                return found, place
            read, place = read + 1, here
            found += [facts] if fits(facts, query) else []
    return found, None


def needs_notes(query: JobQuery) -> bool:
    """Say whether only our notes can find what is asked for; what lives is few enough to be looked at one by one."""
    by_note = query.stage or query.scope is Scope.SYSTEM or query.trigger not in (None, Trigger.WEBHOOK)
    return bool(by_note) and query.status not in LIVE


Read = Sequence[tuple[RunRecord, Place]]


def recorded(
    instance: DagsterInstance, _: Dossiers, query: JobQuery, limit: int, after: Place | None
) -> Iterator[Read]:
    """Read runs as Dagster lists them, a page and one more at a time; where the last page's end is gone, by time."""
    is_gone = after is not None and instance.get_run_record_by_id(after[1]) is None
    filters = filters_of(query, after[0] if after and is_gone else None)
    cursor = after[1] if after and not is_gone else None
    while True:
        records = page(instance, filters, cursor, limit + 1)
        yield [(record, (record.create_timestamp, record.dagster_run.run_id)) for record in records]
        if len(records) <= limit:
            return
        cursor = records[-1].dagster_run.run_id


def page(instance: DagsterInstance, filters: Sequence[RunsFilter], cursor: str | None, limit: int) -> list[RunRecord]:
    """Read the newest runs of several kinds."""
    found = {
        record.storage_id: record
        for each in filters
        for record in instance.get_run_records(each, limit=limit, cursor=cursor)
    }
    return [found[id] for id in sorted(found, reverse=True)[:limit]]


def filters_of(query: JobQuery, before: datetime | None = None) -> list[RunsFilter]:
    """Write a query as Dagster's filters: a run is asked for if it passes one of them."""
    named = {
        TEAM: query.team_id and str(query.team_id),
        SOURCE: query.source,
        DISCUSSION: query.discussion_id and str(query.discussion_id),
        TRIGGER: query.trigger if query.trigger is Trigger.WEBHOOK else None,
    }
    tags = {key: str(value) for key, value in named.items() if value}
    until = min((each for each in (query.until, before) if each), default=None)
    kinds: Sequence[Narrow] = KINDS[query.status] if query.status else [([], {})]
    return [
        RunsFilter(
            job_name=query.job_name,
            statuses=statuses,
            tags=tags | narrow,
            created_after=query.since,
            created_before=until,
        )
        for statuses, narrow in kinds
    ]


def noted(
    instance: DagsterInstance, dossiers: Dossiers, query: JobQuery, limit: int, after: Place | None
) -> Iterator[Read]:
    """Read runs as they were noted; those that wait and have no note yet come first."""
    wanted = query.model_dump(include={"team_id", "stage", "trigger", "scope", "job_name", "discussion_id"})
    first = [] if after else unnoted(instance, dossiers, query)
    while True:
        entries = dossiers.noted(after, limit + 1, **wanted)
        places = {entry.run_id: (entry.created_at, entry.run_id) for entry in entries}
        records = instance.get_run_records(RunsFilter(run_ids=list(places))) if places else []
        known = {record.dagster_run.run_id: record for record in records}
        yield [*first, *((known[id], place) for id, place in places.items() if id in known)]
        if len(entries) <= limit:
            return
        after, first = places[entries[-1].run_id], []


def unnoted(instance: DagsterInstance, dossiers: Dossiers, query: JobQuery) -> list[tuple[RunRecord, Place]]:
    """List runs that wait and have no note, with a place before all notes; none of them is in a stage or has ended."""
    if query.stage or query.status:
        return []
    waiting = query.model_copy(update={"status": JobStatus.PENDING})
    records = page(instance, filters_of(waiting), None, MOST_READ)
    entries = dossiers.entries([record.dagster_run.run_id for record in records])
    newest = datetime.max.replace(tzinfo=records[0].create_timestamp.tzinfo) if records else datetime.max
    return [(each, (newest, each.dagster_run.run_id)) for each in records if each.dagster_run.run_id not in entries]


def tell(instance: DagsterInstance, dossiers: Dossiers, records: Sequence[RunRecord]) -> list[JobFacts]:
    """Put runs and their notes together."""
    entries = dossiers.entries([record.dagster_run.run_id for record in records])
    return [
        facts_of(Told(each, entries.get(each.dagster_run.run_id), is_waiting(instance, each.dagster_run)))
        for each in records
    ]


def fits(facts: JobFacts, query: JobQuery) -> bool:
    """Say whether a job is what was asked for."""
    asked = query.model_dump(exclude={"since", "until"}, exclude_none=True)
    told = facts.model_dump(include=set(asked))
    in_time = (not query.since or facts.created_at > query.since) and (
        not query.until or facts.created_at < query.until
    )
    return in_time and told == asked
