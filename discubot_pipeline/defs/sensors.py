"""The sensors: one watches each inbox, two close runs that crashed or were cancelled, one looks for what was missed."""

from datetime import timedelta

import dagster as dg

from discubot_pipeline.defs.jobs import discussion_job
from discubot_pipeline.domain.delivery import RunToRequest, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.stages.close import close_cancelled, close_failed
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.tracking.runs import Fate, fate_of, fate_of_key
from discubot_pipeline.wiring import Services

LEASE = timedelta(minutes=2)
LONGEST_LISTEN = timedelta(seconds=20)
QUEUE_BOUND = 50
RESERVED = 10
"""Places of it that backfills leave free."""
SWEEP_GRACE = timedelta(seconds=15)
RUNNING = dg.DefaultSensorStatus.RUNNING


def inbox_sensor(source: SourceType) -> dg.SensorDefinition:
    """Make the sensor of one inbox: it asks for a run the moment a delivery is due."""

    @dg.sensor(
        name=f"{source}_inbox",
        job=discussion_job,
        minimum_interval_seconds=1,
        default_status=RUNNING,
        description=f"Launches a run for each {source} thread with new deliveries.",
    )
    def watch(
        context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]
    ) -> dg.SensorResult | dg.SkipReason:
        inbox = services.stores.inboxes[source]
        if is_test(context):
            return preview(inbox)
        look_after_leases(context, inbox)
        runs = lease_or_wait(services, inbox)
        if not runs:
            return dg.SkipReason("Nothing is due.")
        return dg.SensorResult(run_requests=[request(run) for run in runs])

    return watch


def is_test(context: dg.SensorEvaluationContext) -> bool:
    """Tell the UI's "Test sensor" from the daemon, which numbers its ticks."""
    return not (context.log_key and str(context.log_key[-1]).isdigit())


def preview(inbox: Inbox) -> dg.SkipReason:
    """Say what a real evaluation would take, and take nothing."""
    threads = sorted({delivery.thread_id or "" for delivery in inbox.due(QUEUE_BOUND)})
    return dg.SkipReason(f"A test takes nothing. Due: {', '.join(threads) or 'nothing'}.")


def look_after_leases(context: dg.SensorEvaluationContext, inbox: Inbox) -> None:
    """See what became of runs that were asked for and did not claim their deliveries in time."""
    for late in inbox.expired():
        match fate_of_key(context.instance, context.sensor_name, late.run_key):
            case Fate.ALIVE:
                inbox.renew(late.run_key, LEASE)
            case Fate.CANCELLED:
                inbox.drop(late.run_key, "cancelled")
            case _:
                inbox.requeue(late.run_key)


def lease_or_wait(services: Services, inbox: Inbox) -> list[RunToRequest]:
    """Take what is due; when that is nothing, wait for the bell and look once more."""
    room = QUEUE_BOUND - inbox.requested_runs()
    if room <= 0:
        return []
    with listening(services.settings.listen_url) as bell:
        runs = inbox.lease(room, LEASE, RESERVED)
        if runs:
            return runs
        bell.wait(inbox.source, min(inbox.next_due() or LONGEST_LISTEN, LONGEST_LISTEN))
    return inbox.lease(room, LEASE, RESERVED)


def request(run: RunToRequest) -> dg.RunRequest:
    """Ask Dagster for a run; ids only, since run config and tags are shown to everyone who sees the UI."""
    config = {"ops": {"validate_discussion": {"config": {"delivery_ids": list(run.delivery_ids)}}}}
    tags = {
        "discubot/team": run.team_name,
        "discubot/source": run.source.value,
        "discubot/thread": run.thread_id,
        "discubot/discussion": str(run.discussion_id),
        "discubot/trigger": run.trigger.value,
    }
    if run.trigger is Trigger.BACKFILL:
        tags["dagster/priority"] = "-1"
    return dg.RunRequest(run_key=run.run_key, run_config=config, tags=tags)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.FAILURE,
    monitored_jobs=[discussion_job],
    minimum_interval_seconds=5,
    default_status=RUNNING,
    description="Closes the discussions of runs that crashed and will not be retried.",
)
def failed_runs(context: dg.RunStatusSensorContext, services: dg.ResourceParam[Services]) -> None:
    """End what a crashed run left open; ordinary failures were closed by the run's own hook."""
    close_ended(context.dagster_run, services)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    monitored_jobs=[discussion_job],
    minimum_interval_seconds=5,
    default_status=RUNNING,
    description="Closes the discussions of runs that a person cancelled.",
)
def cancelled_runs(context: dg.RunStatusSensorContext, services: dg.ResourceParam[Services]) -> None:
    """End what a cancelled run left open."""
    close_ended(context.dagster_run, services)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="Looks for work whose run has ended, in case no one else was there to see it.",
)
def unfinished_work(context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]) -> dg.SkipReason:
    """Close what is still held by runs that have ended a while ago."""
    if is_test(context):
        return dg.SkipReason("A test closes nothing.")
    stores = services.stores
    holders = {d.active_run_id for d in stores.discussions.at_work() if d.active_run_id}
    holders = holders.union(*(inbox.runs_at_work() for inbox in stores.inboxes.values()))
    closed = [run_id for run_id in sorted(holders) if close_forgotten(context, run_id, services)]
    return dg.SkipReason(f"Closed {len(closed)} of {len(holders)} runs at work.")


def close_forgotten(context: dg.SensorEvaluationContext, run_id: str, services: Services) -> bool:
    """Close what a run holds, if it ended a while ago or is gone; says whether it did."""
    record = context.instance.get_run_record_by_id(run_id)
    if record is None:
        close_failed(
            run_id,
            run_id,
            None,
            "run_gone",
            "the run was deleted while it worked",
            services.stores,
            services.outside,
        )
        return True
    ended = record.end_time
    now = services.outside.clock.now().timestamp()
    return ended is not None and now - ended > SWEEP_GRACE.total_seconds() and close_ended(record.dagster_run, services)


def close_ended(run: dg.DagsterRun, services: Services) -> bool:
    """Close what an ended run holds; one that Dagster will retry keeps it for its successor."""
    root = run.root_run_id or run.run_id
    match fate_of(run):
        case Fate.CANCELLED:
            close_cancelled(run.run_id, services.stores)
        case Fate.FAILED | Fate.DONE:
            why = "the run's process died, or could not start"
            close_failed(run.run_id, root, None, "crashed", why, services.stores, services.outside)
        case _:
            return False
    return True


inboxes = [inbox_sensor(source) for source in SourceType]
