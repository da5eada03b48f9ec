"""The sensors: one watches each inbox, two close runs that crashed or were cancelled, one looks for what was missed."""

from datetime import timedelta

import dagster as dg

from discubot_pipeline.defs.jobs import backfill_job, discussion_job, status_job
from discubot_pipeline.defs.ticks import LONGEST_WAIT, RUNNING, is_test
from discubot_pipeline.domain.delivery import DeliveryKind, RunToRequest, SourceType
from discubot_pipeline.stages.close import close_failed, close_stopped
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.tracking.origin import open_note
from discubot_pipeline.tracking.retries import failed_among, failed_lately, insist, submit_stranded
from discubot_pipeline.tracking.runs import RUN_KEY, Fate, fate_of, run_of_key
from discubot_pipeline.wiring import Services

LEASE = timedelta(minutes=2)
QUEUE_BOUND = 50
"""Runs of one team that wait in Dagster's queue; the rest waits in the inbox."""
RESERVED = 10
"""Places of them that backfills leave free."""
PRIORITY = "dagster/priority"
SWEEP_GRACE = timedelta(seconds=15)


def inbox_sensor(source: SourceType) -> dg.SensorDefinition:
    """Make the sensor of one inbox: it asks for a run the moment a delivery is due."""

    @dg.sensor(
        name=name_of(source),
        jobs=[discussion_job, status_job],
        minimum_interval_seconds=1,
        default_status=RUNNING,
        description=f"Launches a run for each {source} thread, or page of a task, with new deliveries.",
    )
    def watch(
        context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]
    ) -> dg.SensorResult | dg.SkipReason:
        inbox = services.stores.inboxes[source]
        if is_test(context):
            return preview(inbox)
        look_after_leases(context, inbox, services)
        runs = lease_or_wait(services, inbox)
        if not runs:
            return dg.SkipReason("Nothing is due.")
        return dg.SensorResult(run_requests=[request(run) for run in runs])

    return watch


def name_of(source: SourceType) -> str:
    """Name the sensor of an inbox."""
    return f"{source}_inbox"


def preview(inbox: Inbox) -> dg.SkipReason:
    """Say what a real evaluation would take, and take nothing."""
    threads = sorted({delivery.thread_id or "" for delivery in inbox.due(QUEUE_BOUND)})
    return dg.SkipReason(f"A test takes nothing. Due: {', '.join(threads) or 'nothing'}.")


def look_after_leases(context: dg.SensorEvaluationContext, inbox: Inbox, services: Services) -> None:
    """See what became of runs that were asked for and did not claim their deliveries in time."""
    for late in inbox.expired():
        run = run_of_key(context.instance, context.sensor_name, late.run_key)
        match fate_of(context.instance, run):
            case Fate.ALIVE if run:
                insist(context.instance, run, services.outside.clock.now())
                inbox.renew(late.run_key, LEASE)
            case Fate.CANCELLED:
                inbox.drop(late.run_key, "cancelled")
            case _:
                inbox.requeue(late.run_key)


def lease_or_wait(services: Services, inbox: Inbox) -> list[RunToRequest]:
    """Take what is due; when that is nothing, wait for the bell and look once more."""
    with listening(services.settings.listen_url) as bell:
        runs = inbox.lease(QUEUE_BOUND, LEASE, RESERVED)
        if runs or inbox.requested_runs() >= QUEUE_BOUND:
            return runs
        bell.wait(inbox.source, min(inbox.next_due() or LONGEST_WAIT, LONGEST_WAIT))
    return inbox.lease(QUEUE_BOUND, LEASE, RESERVED)


def request(run: RunToRequest) -> dg.RunRequest:
    """Ask Dagster for a run; ids only, since run config and tags are shown to everyone who sees the UI."""
    is_page = run.kind is DeliveryKind.PAGE
    job, op = ("status_job", "follow_page") if is_page else ("discussion_job", "validate_discussion")
    config = {"ops": {op: {"config": {"delivery_ids": list(run.delivery_ids)}}}}
    tags = {
        "discubot/team": run.team_name,
        "discubot/team_id": str(run.team_id),
        "discubot/source": run.source.origin.value,
        "discubot/thread": run.thread_id,
        "discubot/trigger": run.trigger.value,
    }
    tags |= {} if is_page else {"discubot/discussion": str(run.discussion_id)}
    tags |= {PRIORITY: str(run.weight)} if run.weight else {}
    return dg.RunRequest(run_key=run.run_key, run_config=config, tags=tags, job_name=job)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.FAILURE,
    monitored_jobs=[discussion_job, status_job, backfill_job],
    minimum_interval_seconds=10,
    default_status=RUNNING,
    description="Closes the discussions of runs that crashed and will not be retried.",
)
def failed_runs(context: dg.RunStatusSensorContext, services: dg.ResourceParam[Services]) -> None:
    """End what a crashed run left open; ordinary failures were closed by the run's own hook."""
    close_ended(context.instance, context.dagster_run, services)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    monitored_jobs=[discussion_job, status_job, backfill_job],
    minimum_interval_seconds=5,
    default_status=RUNNING,
    description="Closes the discussions of runs that a person cancelled.",
)
def cancelled_runs(context: dg.RunStatusSensorContext, services: dg.ResourceParam[Services]) -> None:
    """End what a cancelled run left open."""
    close_ended(context.instance, context.dagster_run, services)


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=RUNNING,
    description="Looks for work whose run has ended, and for runs that nobody started, in case no one else saw to it.",
)
def unfinished_work(context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]) -> dg.SkipReason:
    """Start what was made and forgotten, insist on retries, and close what is held by runs that ended a while ago."""
    if is_test(context):
        return dg.SkipReason("A test closes nothing.")
    instance, now = context.instance, services.outside.clock.now()
    started = submit_stranded(instance, now)
    held = holders(services)
    at_risk = {run.run_id: run for run in (*failed_lately(instance, now), *failed_among(instance, held))}
    reminded = sum(insist(instance, run, now) for run in at_risk.values())
    closed = [run_id for run_id in held if close_forgotten(instance, run_id, services)]
    also = f" Started {started} and insisted on {reminded}." if started or reminded else ""
    return dg.SkipReason(f"Closed {len(closed)} of {len(held)} runs at work.{also}")


def holders(services: Services) -> list[str]:
    """Name the runs that hold a discussion or a delivery."""
    stores = services.stores
    discussions = {d.active_run_id for d in stores.discussions.at_work() if d.active_run_id}
    return sorted(discussions.union(*(inbox.runs_at_work() for inbox in stores.inboxes.values())))


def close_forgotten(instance: dg.DagsterInstance, run_id: str, services: Services) -> bool:
    """Close what a run holds, if it ended a while ago or is gone; says whether it did."""
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        why = "the run was deleted while it worked"
        close_failed(run_id, run_id, None, "run_gone", why, services.stores, services.outside)
        return True
    ended = record.end_time
    now = services.outside.clock.now().timestamp()
    if ended is None or now - ended <= SWEEP_GRACE.total_seconds():
        return False
    return close_ended(instance, record.dagster_run, services)


def close_ended(instance: dg.DagsterInstance, run: dg.DagsterRun, services: Services) -> bool:
    """Close what an ended run holds; one that Dagster will retry keeps it for its successor."""
    root, fate = run.root_run_id or run.run_id, fate_of(instance, run)
    if fate not in (Fate.ALIVE, Fate.GONE) and services.stores.notes.get(run.run_id) is None:
        open_note(run, services.stores.notes)
    match fate:
        case Fate.CANCELLED:
            about, run_key = run.tags.get("discubot/discussion"), run.tags.get(RUN_KEY, "")
            close_stopped(run.run_id, root, about, run_key, services.stores)
        case Fate.FAILED | Fate.DONE:
            why = "the run's process died, or could not start"
            close_failed(run.run_id, root, None, "crashed", why, services.stores, services.outside)
        case _:
            return False
    return True


inboxes = [inbox_sensor(source) for source in SourceType]
