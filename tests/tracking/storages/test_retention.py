"""Old runs go in bulk, on Postgres, with all that Dagster keeps of them; what somebody may still need stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.runs.schema import RunTagsTable, SnapshotsTable

from discubot_pipeline.tracking.storages.indexes import add_indexes
from discubot_pipeline.tracking.storages.retention import NO_SNAPSHOT, old_runs, remove_runs, remove_snapshots
from tests.tracking.ledger import Ledger, on_postgres

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)
LIMIT = NOW - timedelta(days=30)


class Ages(Ledger):
    """A ledger of runs that were touched at some time, now or long ago."""

    def run(  # type: ignore[override]
        self, status: str = "SUCCESS", parent: str | None = None, at: datetime = NOW, **more: Any
    ) -> str:
        """Write a run."""
        return self.touch(super().run(status, parent, **more), at)

    def old(self, batch: int = 100) -> list[list[str]]:
        """List the runs that are older than the limit, as they are given."""
        return list(old_runs(self.instance, LIMIT, batch))

    def made(self, job: dg.JobDefinition, at: datetime = LONG_AGO) -> dg.DagsterRun:
        """Make a run of a real job, with its snapshots."""
        run = self.instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
        self.touch(run.run_id, at)
        return run

    def kept(self, column: sa.Column[Any]) -> list[Any]:
        """Read a column of one of Dagster's tables."""
        with self.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            return list(connection.execute(sa.select(column)).scalars())


@pytest.fixture(scope="module")
def instance(database_url: str) -> Iterator[dg.DagsterInstance]:
    """Give an instance on our storages."""
    with on_postgres(database_url) as instance:
        yield instance


@pytest.fixture
def ledger(instance: dg.DagsterInstance) -> Ages:
    """Give an empty record of runs."""
    instance.wipe()
    return Ages(instance)


def part(name: str) -> dg.JobDefinition:
    """Define a job of two ops."""

    @dg.op
    def first() -> None:
        pass

    @dg.op
    def second() -> None:
        pass

    @dg.job(name=name)
    def job() -> None:
        first()
        second()

    return job


def test_a_chain_whose_root_is_gone_still_holds_together(ledger: Ages) -> None:
    """Somebody deleted the root by hand."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    first, second = ledger.run("FAILURE", root, LONG_AGO), ledger.run("SUCCESS", root, LONG_AGO)
    ledger.instance.delete_run(root)
    assert [set(runs) for runs in ledger.old()] == [{first, second}]
    ledger.touch(second, NOW)
    assert ledger.old() == []


def test_only_old_chains_are_given_the_first_made_first(ledger: Ages) -> None:
    """A single run is a chain too; an hour decides."""
    ledger.run(at=LIMIT + timedelta(hours=1))
    first, second = ledger.run(at=LIMIT - timedelta(hours=1)), ledger.run(at=LONG_AGO)
    assert ledger.old() == [[first, second]]


def test_a_chain_is_as_young_as_its_youngest_member(ledger: Ages) -> None:
    """An old root with a young attempt stays, and so does a young root with an old attempt."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run("SUCCESS", root)
    touched = ledger.run("FAILURE")
    ledger.run("SUCCESS", touched, LONG_AGO)
    assert ledger.old() == []


@pytest.mark.parametrize("status", ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_chain_with_a_run_at_work_is_never_old(ledger: Ages, status: str) -> None:
    """Even when that run was not touched for ages."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run(status, root, LONG_AGO)
    ledger.run(status, at=LONG_AGO)
    assert ledger.old() == []


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_chain_is_given_once_and_together(ledger: Ages, batch: int) -> None:
    """However many of its runs the batch holds."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    attempts = {ledger.run("FAILURE", root, LONG_AGO) for _ in range(3)}
    [runs] = ledger.old(batch)
    assert (runs[0], set(runs)) == (root, {root, *attempts})
    assert len(runs) == 4


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_batch_makes_no_difference(ledger: Ages, batch: int) -> None:
    """Chains that must stay stand before ones that may go, and what has been given may be removed at once."""
    for parent in [ledger.run("FAILURE", at=LONG_AGO) for _ in range(3)]:
        ledger.run("SUCCESS", parent)
    ids = [ledger.run(at=LONG_AGO) for _ in range(5)]
    assert [id for runs in ledger.old(batch) for id in runs] == ids
    given = []
    for runs in old_runs(ledger.instance, LIMIT, batch):
        given.extend(runs)
        remove_runs(ledger.instance, runs)
    assert given == ids
    assert ledger.instance.get_runs_count() == 6


def test_a_run_that_lacks_the_tag_of_its_root_is_not_forgotten(ledger: Ages) -> None:
    """Made by another way than Dagster's usual one: it stays for its root's sake, and goes when that has gone."""
    root = ledger.run("FAILURE")
    orphan = ledger.run("SUCCESS", root, LONG_AGO, tagged=False)
    assert ledger.old() == []
    ledger.instance.delete_run(root)
    assert ledger.old() == [[orphan]]


def test_a_run_goes_with_its_events_and_tags(ledger: Ages) -> None:
    """And nothing of another one does."""
    gone, stays = ledger.run(at=LONG_AGO, color="red"), ledger.run(color="blue")
    for run_id in (gone, stays):
        ledger.say(run_id, dg.DagsterEventType.STEP_START)
    assert remove_runs(ledger.instance, [gone]) == NO_SNAPSHOT
    assert [run.run_id for run in ledger.instance.get_runs()] == [stays]
    assert [len(ledger.instance.all_logs(run_id)) for run_id in (gone, stays)] == [0, 1]
    assert set(ledger.kept(RunTagsTable.c.run_id)) == {stays}


def test_a_config_with_a_nul_can_be_read(ledger: Ages) -> None:
    """People paste anything into the Launchpad, and Postgres does not read it as JSON."""
    run = dg.DagsterRun("discussion_job", run_config={"a": "\0"}, status=dg.DagsterRunStatus.SUCCESS)
    ledger.touch(ledger.instance.add_run(run).run_id, LONG_AGO)
    assert ledger.old() == [[run.run_id]]
    assert remove_runs(ledger.instance, [run.run_id]) == NO_SNAPSHOT


def test_snapshots_that_no_run_needs_go(ledger: Ages) -> None:
    """Those of the job that is still run stay; those made after the last that was removed may be about to be used."""
    ours, other = part("ours"), part("other")
    gone, stays, last = ledger.made(ours), ledger.made(other, NOW), ledger.made(other)
    newest = remove_runs(ledger.instance, [gone.run_id, last.run_id])
    younger = ledger.made(part("younger"))
    ledger.instance.delete_run(younger.run_id)
    assert remove_snapshots(ledger.instance, newest, 1) == 2
    kept = {id for run in (stays, younger) for id in (run.job_snapshot_id, run.execution_plan_snapshot_id)}
    assert set(ledger.kept(SnapshotsTable.c.snapshot_id)) == kept


def test_the_job_stays_of_which_a_part_was_run(ledger: Ages) -> None:
    """Its snapshot is looked up when the run of the part is shown."""
    whole = part("whole")
    half = whole.get_subset(op_selection=["first"])
    run = ledger.instance.create_run_for_job(half, op_selection=["first"], status=dg.DagsterRunStatus.SUCCESS)
    gone = ledger.made(whole)
    remove_snapshots(ledger.instance, remove_runs(ledger.instance, [gone.run_id]), 100)
    assert run.job_snapshot_id is not None
    assert ledger.instance.get_historical_job(run.job_snapshot_id).parent_job_snapshot is not None


def test_removing_snapshots_reads_no_runs_for_each(ledger: Ages) -> None:
    """The foreign key has an index, which can be added again."""
    for _ in range(2):
        add_indexes(ledger.instance)
    with ledger.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("SET enable_seqscan = off")
        plan = connection.exec_driver_sql("EXPLAIN SELECT 1 FROM runs WHERE snapshot_id = 'x'").scalars().all()
        connection.exec_driver_sql("RESET enable_seqscan")
    assert "discubot_runs_snapshot" in plan[0]
