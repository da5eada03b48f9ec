"""Removes old runs from Dagster's own tables, in bulk: Dagster takes them one by one. Called by `defs/cleanup`.

Each statement is a transaction by itself and touches only rows of runs that have ended: nobody waits for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from dagster import DagsterInstance
from dagster._core.storage.event_log import SqlEventLogStorageTable as Events
from dagster._core.storage.runs.schema import RunsTable as Runs
from dagster._core.storage.runs.schema import RunTagsTable as Tags
from dagster._core.storage.runs.schema import SnapshotsTable as Snapshots

from discubot_pipeline.tracking.runs import FINISHED, ROOT

NO_SNAPSHOT = 0


def _told(name: str) -> sa.ColumnElement[str]:
    """Read a text of a run's body; NUL characters, which Postgres refuses to read, may stand in a config beside it."""
    body = sa.func.replace(Runs.c.run_body, "\\u0000", "\\u0020")
    told: sa.ColumnElement[str] = sa.cast(body, sa.JSON)[name].as_string()
    return told


PLAN = _told("execution_plan_snapshot_id")


def old_runs(instance: DagsterInstance, before: datetime, batch: int) -> Iterator[list[str]]:
    """Give the runs of chains (a root and its attempts) that ended before a time as a whole, some `batch` at a time.

    Those made first come first. What is given may be removed at once.
    """
    given: set[str] = set()
    after = 0
    while page := _page(instance, before, after, batch):
        chains = _chains(instance, before, page)
        run_ids = [id for chain in chains for id in chain if id not in given]
        if run_ids:
            given.update(run_ids)
            yield run_ids
        after = page[-1].id


def remove_runs(instance: DagsterInstance, run_ids: Sequence[str]) -> int:
    """Delete runs with their events and tags, the events first; gives what `remove_snapshots` is to be told."""
    of_these = Runs.c.run_id.in_(run_ids)
    theirs = sa.union(sa.select(Runs.c.snapshot_id).where(of_these), sa.select(PLAN).where(of_these))
    newest = sa.select(sa.func.max(Snapshots.c.id)).where(Snapshots.c.snapshot_id.in_(theirs))
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.delete(Events).where(Events.c.run_id.in_(run_ids)))
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        snapshot = connection.execute(newest).scalar()
        connection.execute(sa.delete(Runs).where(of_these))
    return snapshot or NO_SNAPSHOT


def remove_snapshots(instance: DagsterInstance, newest: int, batch: int) -> int:
    """Delete the snapshots that no run needs any more, up to the newest that a removed run had; gives how many.

    A younger one may belong to a run that is being made. Most are shared by all runs of a job.
    """
    needed = _needed(instance)
    every = sa.select(Snapshots.c.id, Snapshots.c.snapshot_id).where(Snapshots.c.id <= newest)
    is_used = sa.exists().where(Runs.c.snapshot_id == Snapshots.c.snapshot_id)
    removed = 0
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        ids = [row.id for row in connection.execute(every) if row.snapshot_id not in needed]
        for start in range(0, len(ids), batch):
            some = Snapshots.c.id.in_(ids[start : start + batch])
            removed += connection.execute(sa.delete(Snapshots).where(some, ~is_used)).rowcount
    return removed


def _page(instance: DagsterInstance, before: datetime, after: int, batch: int) -> Sequence[sa.Row[Any]]:
    """Read the next old runs with their roots."""
    root = sa.func.coalesce(_told("root_run_id"), Runs.c.run_id).label("root")
    old = sa.select(Runs.c.id, Runs.c.run_id, root).where(Runs.c.id > after, _is_old(before))
    return _read(instance, old.order_by(Runs.c.id).limit(batch))


def _chains(instance: DagsterInstance, before: datetime, page: Sequence[sa.Row[Any]]) -> list[list[str]]:
    """Give those chains of some old runs all of which is old. A run may lack the tag of its root."""
    roots = {row.root for row in page}
    first = sa.select(Runs.c.run_id.label("root"), Runs.c.run_id, _is_old(before).label("is_old"))
    attempts = sa.select(Tags.c.value.label("root"), Runs.c.run_id, _is_old(before).label("is_old"))
    attempts = attempts.join_from(Tags, Runs, Runs.c.run_id == Tags.c.run_id)
    chains: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in page:
        chains[row.root][row.run_id] = True
    for select in (first.where(Runs.c.run_id.in_(roots)), attempts.where(Tags.c.key == ROOT, Tags.c.value.in_(roots))):
        for row in _read(instance, select):
            chains[row.root][row.run_id] = bool(row.is_old)
    return [list(chain) for chain in chains.values() if all(chain.values())]


def _is_old(before: datetime) -> sa.ColumnElement[bool]:
    """Say whether a run has ended and was last touched before a time."""
    has_ended = Runs.c.status.in_([status.value for status in FINISHED])
    return sa.and_(has_ended, Runs.c.update_timestamp < before.astimezone(UTC).replace(tzinfo=None))


def _needed(instance: DagsterInstance) -> set[str]:
    """Name the snapshots of all runs, and those of the jobs of which some ran only a part."""
    jobs = {row[0] for row in _read(instance, sa.select(Runs.c.snapshot_id).distinct()) if row[0]}
    plans = {row[0] for row in _read(instance, sa.select(PLAN).distinct()) if row[0]}
    return jobs | plans | set(_parents(instance, jobs))


def _parents(instance: DagsterInstance, jobs: Iterable[str]) -> Iterator[str]:
    for id in jobs:
        lineage = instance.run_storage.get_job_snapshot(id).lineage_snapshot
        if lineage:
            yield lineage.parent_snapshot_id


def _read(instance: DagsterInstance, select: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return list(connection.execute(select))
