"""Turns Dagster's events into news for those who listen: the same event gives the same news, live or read again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus, EventLogEntry, EventLogRecord, RunsFilter
from pydantic_core import to_jsonable_python

from discubot_pipeline.domain.facts import JobStatus
from discubot_pipeline.domain.news import Kind, News, Place
from discubot_pipeline.domain.progress import StepState
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.tracking.describe import Told, discussion_of, facts_of, stage_of, team_of
from discubot_pipeline.tracking.lines import line_of
from discubot_pipeline.tracking.status import WILL_RETRY

Type = DagsterEventType
STATES = {
    Type.STEP_START: StepState.RUNNING,
    Type.STEP_UP_FOR_RETRY: StepState.RETRYING,
    Type.STEP_RESTARTED: StepState.RUNNING,
    Type.STEP_SUCCESS: StepState.COMPLETED,
    Type.STEP_FAILURE: StepState.FAILED,
}
STATUSES = {
    Type.RUN_ENQUEUED: JobStatus.PENDING,
    Type.RUN_STARTING: JobStatus.PROCESSING,
    Type.RUN_START: JobStatus.PROCESSING,
    Type.STEP_UP_FOR_RETRY: JobStatus.DELAYED,
    Type.STEP_RESTARTED: JobStatus.PROCESSING,
}
ENDINGS = {Type.RUN_SUCCESS, Type.RUN_FAILURE, Type.RUN_CANCELED}
SHOWN_AT_THE_END = {"job_id", "root_job_id", "status", "stage", "reason", "percent", "discussion_id", "finished_at"}
ROUNDING = 2e-6
"""Dagster writes the time of the event that ends a run as the run's end, in whole microseconds."""


def tell_of(instance: DagsterInstance, dossiers: Dossiers, run_ids: Sequence[str]) -> dict[str, Told]:
    """Look up some runs, with what is noted of them."""
    if not run_ids:
        return {}
    entries = dossiers.entries(run_ids)
    records = {each.dagster_run.run_id: each for each in instance.get_run_records(RunsFilter(run_ids=run_ids))}
    return {run_id: Told(record, entries.get(run_id)) for run_id, record in records.items()}


def is_settled(instance: DagsterInstance, event: EventLogEntry, told: Told | None) -> bool:
    """Say whether Dagster has drawn all conclusions from an event: it stores it first, and then what it means."""
    if told is None or event.dagster_event_type not in ENDINGS:
        return True
    will_say_more = told.run.status is DagsterRunStatus.FAILURE and instance.run_retries_enabled
    return told.run.is_finished and (not will_say_more or WILL_RETRY in told.run.tags)


def is_the_end(event: EventLogEntry, told: Told) -> bool:
    """Tell the event that ended a run from others that would have, had they come first."""
    end = told.record.end_time
    is_ending = told.run.is_finished and event.dagster_event_type in ENDINGS
    return is_ending and end is not None and abs(end - event.timestamp) < ROUNDING


def news_of(record: EventLogRecord, told: Told) -> list[News]:
    """Tell of an event: the line in the log, then what has changed with it. Once a run has ended only lines come."""
    event, end = record.event_log_entry, told.record.end_time
    line = line_of(record)
    parts: list[tuple[Kind, Mapping[str, Any]]] = [(Kind.LOG, line.model_dump())]
    if not told.run.is_finished or end is None or event.timestamp <= end:
        kind = event.dagster_event_type
        if kind in STATES:
            parts.append((Kind.STAGE, {"stage": line.stage, "state": STATES[kind]}))
        if kind in STATUSES:
            parts.append((Kind.STATUS, {"status": STATUSES[kind], "stage": line.stage}))
    if is_the_end(event, told):
        parts.append(ending(told))
    return [
        piece(each, told, data, place=Place(record.storage_id, part), level=line.level if each is Kind.LOG else None)
        for part, (each, data) in enumerate(parts)
    ]


def ending(told: Told) -> tuple[Kind, Mapping[str, Any]]:
    """Tell how a run ended."""
    shown = facts_of(told).model_dump(include=SHOWN_AT_THE_END)
    return Kind(told.status), shown | {"summary": told.entry.summary if told.entry else None}


def progress_of(told: Told) -> News | None:
    """Tell how far a run has come by its own note, unless it has ended or told nothing yet."""
    if told.run.is_finished or told.entry is None or not told.entry.progress:
        return None
    return piece(Kind.PROGRESS, told, told.entry.progress | {"stage": stage_of(told.entry)})


def piece(kind: Kind, told: Told, data: Mapping[str, Any], **more: Any) -> News:
    """Write a piece of news down, once for all who listen."""
    run, entry = told.run, told.entry
    text = json.dumps(to_jsonable_python({"job_id": run.run_id, **data}, inf_nan_mode="null"))
    return News(kind, run.run_id, team_of(run, entry), discussion_of(run, entry), text, **more)
