"""What we ask of Dagster's own record of runs: which ended how, and who follows whom."""

from collections.abc import Sequence
from enum import StrEnum

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from discubot_pipeline.tracking.retries import is_owed, successor

ROOT = "dagster/root_run_id"
RUN_KEY = "dagster/run_key"
SENSOR = "dagster/sensor_name"
AT_WORK = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


class Fate(StrEnum):
    """How things stand with a run, for whoever waits for it."""

    ALIVE = "alive"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


def fate_of(instance: DagsterInstance, run: DagsterRun | None) -> Fate:
    """Say how things stand with a run: a failed one shares the fate of its retry, and lives while one is owed to it."""
    if run is None:
        return Fate.GONE
    match run.status:
        case DagsterRunStatus.SUCCESS:
            return Fate.DONE
        case DagsterRunStatus.CANCELED:
            return Fate.CANCELLED
        case DagsterRunStatus.FAILURE:
            following = successor(instance, run)
            if following:
                return fate_of(instance, following)
            return Fate.ALIVE if is_owed(instance, run) else Fate.FAILED
        case _:
            return Fate.ALIVE


def run_of_key(instance: DagsterInstance, sensor: str, run_key: str) -> DagsterRun | None:
    """Give the run that a sensor asked for under a key."""
    return next(iter(instance.get_runs(RunsFilter(tags={RUN_KEY: run_key, SENSOR: sensor}), limit=1)), None)


def may_follow(instance: DagsterInstance, holder: str, root_run_id: str) -> bool:
    """Say whether a run of this chain may take over from a holder: it is of the same chain and has ended."""
    run = instance.get_run_by_id(holder)
    return run is not None and run.is_finished and (run.root_run_id or run.run_id) == root_run_id


def at_work(instance: DagsterInstance) -> Sequence[DagsterRun]:
    """List the runs that have, or should have, a process."""
    return instance.get_runs(RunsFilter(statuses=AT_WORK))


def end_orphans(instance: DagsterInstance, orphans: Sequence[DagsterRun]) -> None:
    """End runs whose processes are known to be gone: Dagster then retries those that nobody cancelled."""
    why = "The code server stopped, and the run's process with it."
    if not orphans:
        return
    for run in instance.get_runs(RunsFilter(run_ids=[run.run_id for run in orphans], statuses=AT_WORK)):
        if run.status is DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, why)
        else:
            instance.report_run_failed(run, why)
