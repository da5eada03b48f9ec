"""What has been told already, read from Dagster's log once more, for those who come later. Used by `feed`."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from dagster import DagsterInstance, EventLogRecord
from dagster._core.event_api import EventLogCursor

from discubot_pipeline.domain.news import ALL, News, Place, Wanted
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.tracking.news import ENDINGS, is_the_end, news_of, progress_of, tell_of

CHUNK = 500


def past(
    instance: DagsterInstance, dossiers: Dossiers, wanted: Wanted, after: Place, until: int
) -> Iterator[list[News]]:
    """Read what is wanted from a place on up to the event of a number, a portion at a time.

    A job's own events are read, for a team those of all: that is slow for whoever was away for days.
    """
    last = after.number if after.part == ALL else max(after.number - 1, 0)
    while records := list(takewhile(lambda each: each.storage_id <= until, read(instance, wanted.job_id, last))):
        told = tell_of(instance, dossiers, list({each.run_id for each in records}))
        news = [piece for each in records if each.run_id in told for piece in news_of(each, told[each.run_id])]
        yield [each for each in news if wanted.fits(each)]
        last = records[-1].storage_id


def read(instance: DagsterInstance, job_id: str | None, last: int) -> Sequence[EventLogRecord]:
    """Read the next events after one, of a job or of all, in their order."""
    if job_id:
        cursor = EventLogCursor.from_storage_id(last).to_string()
        return instance.get_records_for_run(job_id, cursor, limit=CHUNK).records
    events = instance.event_log_storage.get_logs_for_all_runs_by_log_id(last, limit=CHUNK)
    return [EventLogRecord(storage_id=number, event_log_entry=event) for number, event in events.items()]


def standing(instance: DagsterInstance, dossiers: Dossiers, job_id: str, until: int) -> list[News] | None:
    """Tell how far a job is; None when its end has been told, so that nothing will follow."""
    told = tell_of(instance, dossiers, [job_id]).get(job_id)
    if told is None:
        return None
    if told.run.is_finished:
        records = instance.get_records_for_run(job_id, of_type=ENDINGS).records
        ends = [each.storage_id for each in records if is_the_end(each.event_log_entry, told)]
        return [] if any(number > until for number in ends) else None
    progress = progress_of(told)
    return [progress] if progress else []
