"""A job's log, read off Dagster's events: lines for people, with their context for programs."""

from typing import Any, NamedTuple

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry, EventLogRecord
from dagster._core.event_api import EventLogCursor

from discubot_pipeline.domain.facts import Fault, Level, LogLine
from discubot_pipeline.domain.job import STAGE_OF
from discubot_pipeline.tracking.status import moment

Type = DagsterEventType
CHUNK = 500
MOST_READ = 5_000
"""Events that are read for one page at most: one with few lines may be shorter than asked for, and goes on."""
ORDER = list(Level)
NUMBERS = {Level.DEBUG: 10, Level.INFO: 20, Level.WARNING: 30, Level.ERROR: 40}
LEVELS = {
    Type.STEP_START: Level.INFO,
    Type.STEP_SUCCESS: Level.INFO,
    Type.STEP_SKIPPED: Level.INFO,
    Type.STEP_UP_FOR_RETRY: Level.WARNING,
    Type.STEP_RESTARTED: Level.INFO,
    Type.STEP_FAILURE: Level.ERROR,
    Type.HOOK_ERRORED: Level.WARNING,
    Type.RUN_ENQUEUED: Level.INFO,
    Type.RUN_START: Level.INFO,
    Type.RUN_SUCCESS: Level.INFO,
    Type.RUN_FAILURE: Level.ERROR,
    Type.RUN_CANCELING: Level.WARNING,
    Type.RUN_CANCELED: Level.WARNING,
}
"""What of Dagster's own events people want to see; the rest is for whoever looks for a fault."""
FAILURES = {Type.STEP_FAILURE, Type.RUN_FAILURE}


class LogPage(NamedTuple):
    """Some lines, the last event that was read for them, and whether there are more events already."""

    lines: list[LogLine]
    last: int
    has_more: bool


def read_log(instance: DagsterInstance, run_id: str, level: Level, limit: int, after: int) -> LogPage:
    """Read the lines of a run that matter at least as much as `level`, after an event's number (0: all)."""
    lines: list[LogLine] = []
    last, read, has_more = after, 0, True
    while has_more and read < MOST_READ:
        cursor = EventLogCursor.from_storage_id(last).to_string()
        page = instance.get_records_for_run(run_id, cursor, limit=CHUNK)
        has_more = page.has_more
        for place, record in enumerate(page.records, 1):
            read, last = read + 1, record.storage_id
            line = line_of(record)
            lines += [line] if ORDER.index(line.level) >= ORDER.index(level) else []
            if len(lines) == limit:
                return LogPage(lines, last, has_more or place < len(page.records))
    return LogPage(lines, last, has_more)


def line_of(record: EventLogRecord) -> LogLine:
    """Read one event."""
    entry = record.event_log_entry
    said = context_of(entry.dagster_event)
    return LogLine(
        id=record.storage_id,
        level=level_of(entry),
        stage=said.pop("stage", None) or stage_of(entry.step_key),
        message=message_of(entry),
        context=said,
        created_at=moment(entry.timestamp),
    )


def level_of(entry: EventLogEntry) -> Level:
    """Say how much an event matters."""
    event = entry.dagster_event
    if event and not is_ours(event):
        return LEVELS.get(event.event_type, Level.DEBUG)
    return max(
        (each for each in Level if NUMBERS[each] <= int(entry.level)), key=NUMBERS.__getitem__, default=Level.DEBUG
    )


def is_ours(event: DagsterEvent) -> bool:
    """Tell a line of the job logger from what Dagster's engine says of itself."""
    return event.event_type is Type.ENGINE_EVENT and "kind" in event.engine_event_data.metadata


def context_of(event: DagsterEvent | None) -> dict[str, Any]:
    """Read what a line says beside its words: what the job logger was given, or which step it is about."""
    if event is None:
        return {}
    if is_ours(event):
        metadata = {name: value.value for name, value in event.engine_event_data.metadata.items()}
        context = metadata.pop("context", {})
        return {**(context if isinstance(context, dict) else {"context": context}), **metadata}
    about = {"event": event.event_type_value} | ({"step": event.step_key} if event.step_key else {})
    match event.event_type:
        case Type.STEP_SUCCESS:
            return about | {"duration_ms": round(event.step_success_data.duration_ms)}
        case Type.STEP_UP_FOR_RETRY:
            return about | {"wait_seconds": event.step_retry_data.seconds_to_wait}
        case Type.STEP_FAILURE:
            return about | {"reason": reason_of(event)}
    return about


def message_of(entry: EventLogEntry) -> str:
    """Write an event as a person would."""
    event, stage = entry.dagster_event, stage_of(entry.step_key)
    match event.event_type if event else None:
        case Type.STEP_START:
            return f"{stage} began."
        case Type.STEP_SUCCESS if event:
            return f"{stage} is done after {event.step_success_data.duration_ms / 1000:.1f} s."
        case Type.STEP_SKIPPED:
            return f"{stage} was left out: there was nothing for it to do."
        case Type.STEP_UP_FOR_RETRY if event:
            return f"{stage} is tried again in {event.step_retry_data.seconds_to_wait or 0:.1f} s."
        case Type.STEP_RESTARTED:
            return f"{stage} is tried once more."
        case Type.STEP_FAILURE if event:
            return f"{stage} failed: {fault_of(event).message}"
    return entry.message


def stage_of(step_key: str | None) -> str | None:
    """Name the stage that a step is shown as; a step of another job is its own."""
    return STAGE_OF.get(step_key, step_key) if step_key else None


def failure_of(instance: DagsterInstance, run_id: str) -> Fault | None:
    """Say why a run failed: by the first step that did, else by what is said of the run."""
    records = instance.get_records_for_run(run_id, of_type=FAILURES, limit=CHUNK).records
    events = [event for record in records if (event := record.event_log_entry.dagster_event)]
    events.sort(key=lambda event: event.event_type is not Type.STEP_FAILURE)
    return fault_of(events[0]) if events else None


def fault_of(event: DagsterEvent) -> Fault:
    """Read a failure, with the stack of what was raised in our code where there is one."""
    data: Any = event.event_specific_data
    error = getattr(data, "error", None)
    told = getattr(data, "user_failure_data", None)
    raised = error.cause or error if error else None
    words = told.description if told and told.description else error.message.strip() if error else event.message
    return Fault(
        reason=reason_of(event),
        message=words or "It failed without a word.",
        stage=stage_of(event.step_key),
        stack=list(raised.stack) if raised else None,
    )


def reason_of(event: DagsterEvent) -> str | None:
    """Read the reason that a failed stage gave."""
    told = getattr(event.event_specific_data, "user_failure_data", None)
    reason = told.metadata.get("reason") if told else None
    return str(reason.value) if reason else None
