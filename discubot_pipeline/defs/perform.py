"""Runs one stage inside its op: fence, step record, and the one place where a verdict becomes Dagster's."""

import logging
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import dagster as dg
from pydantic import BaseModel

from discubot_pipeline import __version__
from discubot_pipeline.defs.metadata import describe
from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.delivery import DeliveryStatus, Launch
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.errors import Ignored, PipelineError, Transient
from discubot_pipeline.domain.job import (
    LONGEST_WAIT,
    MAX_OP_RETRIES,
    Job,
    Outcome,
    RunOutcome,
    Stage,
    Trigger,
    backoff,
)
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.runs import RUN_KEY, may_follow
from discubot_pipeline.wiring import Services

logger = logging.getLogger(__name__)
V = TypeVar("V", bound=BaseModel)
BUSY_PAUSE = timedelta(seconds=5)


def perform(
    context: dg.OpExecutionContext, stage: Stage, work: Callable[..., V], *given: Any
) -> Iterator[dg.Output[V]]:
    """Do a stage's work on what earlier stages gave. Yields its value, or nothing when the run ends here, green."""
    services: Services = context.resources.services
    job = job_of(context)
    open_record(context, services, job, stage, given)
    try:
        secure(context, services, job, given)
        value = work(*given, job, services.stores, services.outside)
    except PipelineError as verdict:
        judge(context, services, job, verdict)
        return
    except Exception as error:
        end_step(context, services, StepStatus.FAILED, "internal", repr(error))
        raise
    parsed = parsed_of(value) or parsed_of(*given)
    services.stores.steps.end(
        job.run_id,
        context.op.name,
        StepStatus.COMPLETED,
        team_id=parsed.team_id if parsed else None,
        discussion_id=parsed.discussion_id if parsed else None,
    )
    if isinstance(value, Outcome):
        context.instance.add_run_tags(job.run_id, {"discubot/outcome": value.outcome.value})
    yield dg.Output(value, metadata=describe(value))


def job_of(context: dg.OpExecutionContext) -> Job:
    """Read from Dagster which run this is and what it follows."""
    run = context.run
    return Job(
        run_id=run.run_id,
        root_run_id=run.root_run_id or run.run_id,
        parent_run_id=run.parent_run_id,
        run_key=None if run.parent_run_id else run.tags.get(RUN_KEY),
        is_last_attempt=context.retry_number >= MAX_OP_RETRIES,
    )


def open_record(
    context: dg.OpExecutionContext, services: Services, job: Job, stage: Stage, given: tuple[Any, ...]
) -> None:
    """Note that the run is in this stage, and with what it goes into it."""
    stores, launch = services.stores, given[0] if isinstance(given[0], Launch) else None
    trigger = Trigger.RETRY if job.parent_run_id else Trigger(context.run.tags.get("discubot/trigger", "manual"))
    params = launch.model_dump(mode="json", exclude_defaults=True) if launch else {}
    stores.notes.open(job.run_id, job.root_run_id, trigger, params, __version__)
    parsed = parsed_of(*given)
    links = (
        {
            "team_id": parsed.team_id,
            "discussion_id": parsed.discussion_id,
            "source_config_id": parsed.ref.source_config_id,
        }
        if parsed
        else {}
    )
    stores.notes.stage(job.run_id, stage, **links)
    stores.steps.begin(job.run_id, context.op.name, stage, summary_of(given))


def secure(context: dg.OpExecutionContext, services: Services, job: Job, given: tuple[Any, ...]) -> None:
    """Make the discussion this run's own before anything is done to it, and take over its parent's deliveries."""
    parsed = parsed_of(*given)
    if parsed is None:
        return
    tag_run(context, parsed)
    discussions = services.stores.discussions
    holder = discussions.holder(parsed.discussion_id)
    free = [holder] if holder and may_follow(context.instance, holder, job.root_run_id) else []
    discussions.take(parsed.discussion_id, job.run_id, free)
    if job.parent_run_id:
        services.stores.inboxes[parsed.ref.source].inherit([job.parent_run_id, *free], job.run_id)


def tag_run(context: dg.OpExecutionContext, parsed: ParsedDiscussion) -> None:
    """Give a run the tags by which the UI finds it, where nobody knew its thread when it was launched."""
    if context.run.tags.get("discubot/discussion") != str(parsed.discussion_id):
        context.instance.add_run_tags(context.run_id, tags_of(parsed))


def tags_of(parsed: ParsedDiscussion) -> dict[str, str]:
    """List the tags that make a run searchable by team, source, thread and discussion."""
    return {
        "discubot/team": parsed.team_name,
        "discubot/source": parsed.ref.source.value,
        "discubot/thread": parsed.ref.thread_id,
        "discubot/discussion": str(parsed.discussion_id),
        "discubot/trigger": parsed.trigger.value,
    }


def judge(context: dg.OpExecutionContext, services: Services, job: Job, verdict: PipelineError) -> None:
    """Turn a verdict into a retry or a failure (raises), or into an early green end (returns)."""
    match verdict:
        case Ignored():
            end_ignored(context, services, job, verdict)
        case Transient(retry_after=wait) if wait and wait > LONGEST_WAIT:
            end_deferred(context, services, job, verdict, wait)
        case Transient() if not job.is_last_attempt:
            end_step(context, services, StepStatus.RETRYING, verdict.reason, verdict.message)
            pause = verdict.retry_after or min(backoff(context.retry_number, random.random()), LONGEST_WAIT)
            context.log.warning(f"{verdict} Trying again in {pause.total_seconds():.1f} s.")
            raise dg.RetryRequested(MAX_OP_RETRIES, pause.total_seconds()) from verdict
        case _:
            end_step(context, services, StepStatus.FAILED, verdict.reason, verdict.message)
            fail(verdict)


def fail(verdict: PipelineError) -> NoReturn:
    """Fail the op with a reason that hooks and people can read."""
    metadata = {"reason": verdict.reason}
    raise dg.Failure(verdict.message, metadata=metadata, allow_retries=False) from verdict


def end_ignored(context: dg.OpExecutionContext, services: Services, job: Job, verdict: Ignored) -> None:
    """End the run green with nothing done; deliveries that only found the discussion busy go back and wait."""
    context.log.info(f"Nothing to do here: {verdict}")
    for inbox in services.stores.inboxes.values():
        if verdict.reason == "busy":
            inbox.postpone(job.run_id, services.outside.clock.now() + BUSY_PAUSE)
        else:
            inbox.settle(job.run_id, DeliveryStatus.IGNORED, verdict.reason)
    end_run(context, services, job, RunOutcome.IGNORED, verdict)


def end_deferred(
    context: dg.OpExecutionContext, services: Services, job: Job, verdict: Transient, wait: timedelta
) -> None:
    """End the run green and let its deliveries come back later; a run without deliveries cannot wait, so it fails."""
    not_before = services.outside.clock.now() + wait
    waits = [inbox.postpone(job.run_id, not_before) for inbox in services.stores.inboxes.values()]
    if not any(waits):
        end_step(context, services, StepStatus.FAILED, verdict.reason, verdict.message)
        fail(verdict)
    context.log.warning(f"{verdict} This discussion goes on at {not_before:%Y-%m-%d %H:%M:%S} UTC in a new run.")
    end_run(context, services, job, RunOutcome.DEFERRED, verdict, not_before=not_before)


def end_run(
    context: dg.OpExecutionContext,
    services: Services,
    job: Job,
    outcome: RunOutcome,
    verdict: PipelineError,
    **when: Any,
) -> None:
    """Note how a run ended early, and give its discussion back."""
    status = StepStatus.DEFERRED if outcome is RunOutcome.DEFERRED else StepStatus.IGNORED
    end_step(context, services, status, verdict.reason, verdict.message)
    note = services.stores.notes.get(job.run_id)
    if note and note.discussion_id:
        services.stores.discussions.release(note.discussion_id, job.run_id)
    services.stores.notes.close(job.run_id, outcome, reason=verdict.reason, **when)
    context.instance.add_run_tags(job.run_id, {"discubot/outcome": outcome.value, "discubot/reason": verdict.reason})


def end_step(context: dg.OpExecutionContext, services: Services, status: StepStatus, reason: str, error: str) -> None:
    """Close the step record of this op."""
    services.stores.steps.end(context.run_id, context.op.name, status, reason=reason, error=error)


def parsed_of(*values: Any) -> ParsedDiscussion | None:
    """Find the discussion that stage values speak of."""
    for value in values:
        match value:
            case ParsedDiscussion():
                return value
            case ConfiguredDiscussion():
                return value.parsed
            case Thread():
                return value.configured.parsed
    return None


def summary_of(given: tuple[Any, ...]) -> dict[str, Any]:
    """Write what goes into a stage: ids and sizes, since the values themselves are the outputs of earlier steps."""
    return {type(value).__name__: brief_of(value) for value in given}


def brief_of(value: Any) -> Any:
    """Shorten one stage value."""
    match value:
        case Thread():
            return {"messages": len(value.messages), "title": value.title}
        case Analysis():
            return {"tasks": len(value.findings.tasks), "analyst": value.analyst}
        case CreatedTasks():
            return {"made": len(value.made), "missing": len(value.missing)}
        case _:
            return value.model_dump(mode="json")
