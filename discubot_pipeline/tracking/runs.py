"""What we ask of Dagster's own record of runs: which ended how, who follows whom, what is old enough to go."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

ROOT = "dagster/root_run_id"
RUN_KEY = "dagster/run_key"
SENSOR = "dagster/sensor_name"
WILL_RETRY = "dagster/will_retry"
AT_WORK = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


class Fate(StrEnum):
    """How things stand with a run, for whoever waits for it."""

    ALIVE = "alive"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


def fate(instance: DagsterInstance, run_id: str) -> Fate:
    """Say how things stand with a run; one that Dagster is about to retry is still alive."""
    run = instance.get_run_by_id(run_id)
    return Fate.GONE if run is None else fate_of(run)


def fate_of(run: DagsterRun) -> Fate:
    """Read the fate off a run's record. A failure without a word on its retry is not known to be final yet."""
    match run.status:
        case DagsterRunStatus.SUCCESS:
            return Fate.DONE
        case DagsterRunStatus.CANCELED:
            return Fate.CANCELLED
        case DagsterRunStatus.FAILURE:
            return Fate.FAILED if run.tags.get(WILL_RETRY) == "false" else Fate.ALIVE
        case _:
            return Fate.ALIVE


def fate_of_key(instance: DagsterInstance, sensor: str, run_key: str) -> Fate:
    """Say what became of the run that a sensor asked for under a key."""
    runs = instance.get_runs(RunsFilter(tags={RUN_KEY: run_key, SENSOR: sensor}), limit=1)
    return fate_of(runs[0]) if runs else Fate.GONE


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
    for run in orphans:
        match fate(instance, run.run_id), run.status:
            case Fate.ALIVE, DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, why)
            case Fate.ALIVE, _:
                instance.report_run_failed(run, why)


def old_chains(instance: DagsterInstance, before: datetime, batch: int) -> Iterator[list[str]]:
    """Give chains of runs (a root and its attempts) whose youngest run ended before a time, oldest first.

    Reads `batch` runs at a time. A chain may be deleted as soon as it is given.
    """
    seen: set[str] = set()
    after: datetime | None = None
    while records := ended_between(instance, after, before, batch):
        for record in records:
            run = record.dagster_run
            root = run.root_run_id or run.run_id
            if root in seen:
                continue
            seen.add(root)
            chain = chain_of(instance, run)
            if all(run.is_finished for run in chain) and not has_younger(instance, root, before):
                yield [run.run_id for run in chain]
        after = records[-1].update_timestamp


def ended_between(
    instance: DagsterInstance, after: datetime | None, before: datetime, batch: int
) -> Sequence[RunRecord]:
    """List finished runs that were last touched between two times, oldest first."""
    finished = RunsFilter(statuses=FINISHED, updated_after=after, updated_before=before)
    return instance.get_run_records(finished, limit=batch, order_by="update_timestamp", ascending=True)


def chain_of(instance: DagsterInstance, run: DagsterRun) -> list[DagsterRun]:
    """List the root of a run and all that were re-executed from it, the run itself even when it lacks the tag."""
    root = run.root_run_id or run.run_id
    first = instance.get_run_by_id(root)
    attempts = instance.get_runs(RunsFilter(tags={ROOT: root}))
    return list({each.run_id: each for each in (*([first] if first else []), *attempts, run)}.values())


def has_younger(instance: DagsterInstance, root: str, before: datetime) -> bool:
    """Say whether a run of the chain was touched after a time."""
    own = RunsFilter(run_ids=[root], updated_after=before)
    attempts = RunsFilter(tags={ROOT: root}, updated_after=before)
    return bool(instance.get_runs(own, limit=1) or instance.get_runs(attempts, limit=1))
