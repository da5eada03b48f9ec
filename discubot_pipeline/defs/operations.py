"""Operations in Dagster: the sensor of their inbox, the op that carries one out, and the hourly figures."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import dagster as dg
from pydantic import Field

from discubot_pipeline.defs.perform import end_step, fail, job_of
from discubot_pipeline.defs.ticks import LONGEST_LISTEN, LONGEST_WAIT, RUNNING, is_test
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Ignored, PipelineError, Transient
from discubot_pipeline.domain.job import MAX_OP_RETRIES, Job, Scope, Trigger, backoff
from discubot_pipeline.domain.operations import ItemTrouble, Operation, OperationRun, Result
from discubot_pipeline.stages.operations import operate, take
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.operations import BELL
from discubot_pipeline.store.statistics import SETTLES_AFTER
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.tracking.origin import SCOPE, TEAM, TRIGGER
from discubot_pipeline.tracking.retries import insist
from discubot_pipeline.tracking.runs import Fate, fate_of, may_follow, run_of_key
from discubot_pipeline.wiring import Services

CLASS = "discubot/class"
STEP = "run_operation"
LEASE = timedelta(minutes=2)
QUEUE_BOUND = 20
NEEDS = {"services", "job"}
LOST = {
    Fate.CANCELLED: ("cancelled", "its run was cancelled"),
    Fate.GONE: ("run_gone", "its run was deleted while it worked"),
}
CRASHED = ("crashed", "its run's process died, or could not start")


class OperationConfig(dg.Config):
    """What to carry out."""

    operation_id: str = Field(description="UUID of the operation.")


@dg.op(name=STEP, required_resource_keys=NEEDS, out=dg.Out(dg.Nothing))
def run_operation(context: dg.OpExecutionContext, config: OperationConfig) -> None:
    """Import, delete, export or count in bulk; items that cannot be worked on are listed at the end."""
    services: Services = context.resources.services
    logger: JobLogger = context.resources.job
    job, stores = job_of(context), services.stores
    stores.steps.begin(job.run_id, STEP, None, config.model_dump())
    operation = None
    try:
        id = UUID(config.operation_id)
        holder = stores.operations.holder(id)
        follows = [holder] if holder and may_follow(context.instance, holder, job.root_run_id) else []
        operation = take(id, job, stores, follows)
        with logger.stage(operation.kind.value):
            result = operate(operation, job, stores, services.outside.clock, logger)
    except (PipelineError, ValueError) as error:
        judge(context, services, job, operation, error)
        return
    stores.steps.end(job.run_id, STEP, StepStatus.COMPLETED, team_id=operation.team_id)
    logger.add_outcome(**result.counts)
    logger.summary(f"{operation.kind.capitalize()}: {result.words}")
    context.add_output_metadata(describe(result))


def judge(
    context: dg.OpExecutionContext, services: Services, job: Job, operation: Operation | None, error: Exception
) -> None:
    """Try again what may pass, three times in all; fail for good what will not; end green where nothing is to do."""
    logger: JobLogger = context.resources.job
    reason, message = (error.reason, error.message) if isinstance(error, PipelineError) else ("invalid", str(error))
    about = {"operation": str(operation.id), "kind": operation.kind.value} if operation else {}
    match error:
        case Ignored():
            end_step(context, services, StepStatus.IGNORED, reason, message)
            logger.summary(f"Nothing to do here: {message}.")
        case Transient() if not job.is_last_attempt:
            end_step(context, services, StepStatus.RETRYING, reason, message)
            seconds = (error.retry_after or backoff(context.retry_number, random.random())).total_seconds()
            logger.warning(f"{error} Trying again in {seconds:.1f} s.", reason=reason, **about)
            raise dg.RetryRequested(MAX_OP_RETRIES, seconds) from error
        case _:
            logger.error(message, reason=reason, **about)
            end_step(context, services, StepStatus.FAILED, reason, message)
            if operation:
                services.stores.operations.finish(operation.id, job.run_id, DeliveryStatus.FAILED, reason, message)
            fail(error if isinstance(error, PipelineError) else PipelineError(reason, message))


def describe(result: Result) -> dict[str, dg.MetadataValue | int]:
    """Show what came of an operation: counts to plot, and a table of errors."""
    counts = {**result.counts, "errors": result.failures}
    if not result.troubles:
        return {**counts}
    columns = [dg.TableColumn(name) for name in ItemTrouble.model_fields]
    records = [
        dg.TableRecord({name: "" if value is None else str(value) for name, value in trouble.model_dump().items()})
        for trouble in result.troubles
    ]
    return {**counts, "what went wrong": dg.MetadataValue.table(records, dg.TableSchema(columns))}


@dg.job(
    executor_def=dg.in_process_executor,
    tags={CLASS: "database"},
    description="Imports, deletes, exports or counts discussions in bulk, as a person has asked for.",
)
def operation_job() -> None:
    """Wire the one op."""
    run_operation()


@dg.op(required_resource_keys=NEEDS, out=dg.Out(dg.Nothing))
def count_anew(context: dg.OpExecutionContext) -> None:
    """Compute the figures of all teams for the days that may still change."""
    services: Services = context.resources.services
    today = services.outside.clock.now().date()
    with context.resources.job.stage("statistics"):
        days = services.stores.statistics.recompute(today - SETTLES_AFTER, today)
    context.resources.job.summary(f"Computed {days} days of all teams.")


@dg.job(
    executor_def=dg.in_process_executor,
    tags={CLASS: "audit", SCOPE: Scope.SYSTEM.value},
    description="Computes the figures of the last days anew.",
)
def statistics_job() -> None:
    """Wire the one op."""
    count_anew()


statistics_hourly = dg.ScheduleDefinition(
    name="statistics_hourly",
    job=statistics_job,
    cron_schedule="7 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Computes the figures of the last days every hour.",
)


@dg.sensor(
    job=operation_job,
    minimum_interval_seconds=1,
    default_status=RUNNING,
    description="Launches a run for each operation that somebody asks for.",
)
def operations_inbox(
    context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]
) -> dg.SensorResult | dg.SkipReason:
    """Look after what was asked for, then ask for a run for each operation that waits."""
    if is_test(context):
        return dg.SkipReason("A test takes nothing.")
    is_any_at_work = look_after(context, services)
    runs = lease_or_wait(services, LONGEST_LISTEN if is_any_at_work else LONGEST_WAIT)
    if not runs:
        return dg.SkipReason("Nothing is due.")
    return dg.SensorResult(run_requests=[request(run) for run in runs])


def look_after(context: dg.SensorEvaluationContext, services: Services) -> bool:
    """See what became of runs that did not begin in time, and of those that ended without a word.

    Says whether any was at work.
    """
    operations, instance = services.stores.operations, context.instance
    for late in operations.expired():
        run = run_of_key(instance, context.sensor_name, late.run_key)
        match fate_of(instance, run):
            case Fate.ALIVE if run:
                insist(instance, run, services.outside.clock.now())
                operations.renew(late.run_key, LEASE)
            case Fate.CANCELLED:
                operations.drop(late.run_key, "cancelled")
            case _:
                operations.requeue(late.run_key)
    at_work = operations.running()
    for operation in at_work:
        run_id = operation.run_id or ""
        run = instance.get_run_by_id(run_id)
        fate = fate_of(instance, run)
        if fate is Fate.ALIVE and run:
            insist(instance, run, services.outside.clock.now())
        else:
            operations.finish(operation.id, run_id, DeliveryStatus.FAILED, *LOST.get(fate, CRASHED))
    return bool(at_work)


def lease_or_wait(services: Services, longest: timedelta) -> list[OperationRun]:
    """Take what waits; when that is nothing, wait for the bell and look once more."""
    operations = services.stores.operations
    with listening(services.settings.listen_url) as bell:
        runs = operations.lease(QUEUE_BOUND, LEASE)
        if runs or not bell.wait(BELL, longest):
            return runs
    return operations.lease(QUEUE_BOUND, LEASE)


def request(run: OperationRun) -> dg.RunRequest:
    """Ask Dagster for a run; ids only."""
    config: dict[str, Any] = {"ops": {STEP: {"config": {"operation_id": str(run.operation.id)}}}}
    tags = {
        TEAM: run.team_name,
        "discubot/team_id": str(run.operation.team_id),
        TRIGGER: Trigger.MANUAL.value,
        "discubot/operation": str(run.operation.id),
        CLASS: "audit" if run.operation.kind.is_audit else "database",
    }
    return dg.RunRequest(run_key=run.run_key, run_config=config, tags=tags)
