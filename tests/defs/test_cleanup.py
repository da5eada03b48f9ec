"""The clean-up: what is older than its retention goes, with all that hangs on it, and nothing else does."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.runs.schema import SnapshotsTable

from discubot_pipeline.defs.jobs import retention_job
from discubot_pipeline.defs.resources import job
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.operations import OperationKind
from discubot_pipeline.store.tables import chunks, inboxes, operations
from tests.defs.workshop import Workshop
from tests.store.samples import change, rows
from tests.tracking.ledger import on_postgres

HOUR = timedelta(hours=1)


@pytest.fixture
def instance(database_url: str) -> Iterator[dg.DagsterInstance]:
    """Give an instance on Postgres: old runs are removed by its SQL."""
    with on_postgres(database_url) as instance:
        yield instance


@pytest.fixture
def keep_days(workshop: Workshop) -> timedelta:
    """Give how long jobs are kept."""
    return workshop.services.settings.keep_jobs


def clean_up(workshop: Workshop, **config: Any) -> dict[str, Any]:
    """Run the clean-up; gives what it says that it did."""
    result = retention_job.execute_in_process(
        {"ops": {"remove_old": {"config": config}}},
        instance=workshop.instance,
        resources={"services": workshop.services, "job": job},
    )
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    workshop.instance.delete_run(result.run_id)
    return {name: entry.value for name, entry in output.step_output_data.metadata.items()}


def failed_and_retried(workshop: Workshop) -> tuple[str, str]:
    """Let a run fail and a second one go on with it."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    parent = workshop.launch(delivery_ids=[workshop.deliver()])
    return parent.id, workshop.reexecute(parent.id).id


def is_known(workshop: Workshop, run_id: str) -> set[str]:
    """Name the places where something of a run is still kept."""
    found = {
        "run": workshop.instance.get_run_by_id(run_id),
        "events": workshop.instance.all_logs(run_id),
        "records": workshop.records(run_id),
        "note": workshop.services.stores.notes.get(run_id),
    }
    return {name for name, kept in found.items() if kept}


EVERYWHERE = {"run", "events", "records", "note"}


def test_a_run_goes_with_its_events_records_and_note(workshop: Workshop, keep_days: timedelta) -> None:
    """An hour after its retention nothing of it is left; an hour before all of it is there."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.paper.clock.ahead = keep_days - HOUR
    assert clean_up(workshop)["jobs"] == 0
    assert is_known(workshop, ended.id) == EVERYWHERE
    workshop.paper.clock.ahead = keep_days + HOUR
    assert clean_up(workshop)["jobs"] == 1
    assert is_known(workshop, ended.id) == set()


def test_discussion_and_pages_stay(workshop: Workshop, keep_days: timedelta) -> None:
    """What a job has made is not the job: a later mention still knows its tasks."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.paper.clock.ahead = keep_days + HOUR
    clean_up(workshop)
    assert workshop.discussion is not None
    assert workshop.discussion.status == "completed"
    assert len(workshop.services.stores.tasks.of_discussion(workshop.id)) == 2


def test_a_chain_goes_as_a_whole(workshop: Workshop, keep_days: timedelta) -> None:
    """A failed run and the one that went on with it are one job."""
    chain = failed_and_retried(workshop)
    workshop.paper.clock.ahead = keep_days + HOUR
    assert clean_up(workshop)["jobs"] == 2
    assert [is_known(workshop, run_id) for run_id in chain] == [set(), set()]


def test_a_chain_with_a_young_member_stays(workshop: Workshop) -> None:
    """The outputs of an old run are needed as long as somebody may go on with them."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    parent = workshop.launch(delivery_ids=[workshop.deliver()])
    between = workshop.paper.clock.now()
    child = workshop.reexecute(parent.id)
    workshop.paper.clock.ahead = between - workshop.paper.clock.now()
    assert clean_up(workshop, keep_jobs_days=0)["jobs"] == 0
    assert is_known(workshop, parent.id) == is_known(workshop, child.id) == EVERYWHERE


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_run_that_has_not_ended_stays(workshop: Workshop, status: str) -> None:
    """However old it is: somebody else has to end it."""
    run_id = workshop.ledger.run(status)
    workshop.paper.clock.ahead = timedelta(days=1000)
    assert clean_up(workshop)["jobs"] == 0
    assert workshop.instance.get_run_by_id(run_id) is not None


def test_an_old_parent_whose_child_still_runs_stays(workshop: Workshop) -> None:
    """A chain is over when all of it is."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    parent = workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.ledger.run("STARTED", parent.id)
    workshop.paper.clock.ahead = timedelta(days=1000)
    assert clean_up(workshop)["jobs"] == 0
    assert is_known(workshop, parent.id) == EVERYWHERE


def test_a_dry_run_only_counts(workshop: Workshop, keep_days: timedelta) -> None:
    """It says how much would go, and nothing goes."""
    chain = failed_and_retried(workshop)
    age(workshop, timedelta(days=8))
    workshop.paper.clock.ahead = keep_days + HOUR
    counts = {"payloads": 1, "jobs": 2, "kept analyses": 0, "operations": 0}
    assert clean_up(workshop, dry_run=True) == counts | {"dry run": True}
    assert is_known(workshop, chain[0]) == is_known(workshop, chain[1]) == EVERYWHERE
    assert clean_up(workshop) == counts | {"dry run": False}


def test_old_operations_go_with_their_lines(workshop: Workshop, engine: sa.Engine, keep_days: timedelta) -> None:
    """What is not finished stays, however old."""
    stores, team_id = workshop.services.stores, workshop.config.team_id
    ended, waiting = [stores.operations.ask(team_id, OperationKind.EXPORT, {}, "test", ["{}"]) for _ in range(2)]
    change(engine, operations, created_at=sa.func.now() - keep_days - HOUR)
    change(engine, operations, operations.c.id == ended.id, finished_at=sa.func.now() - keep_days - HOUR)
    assert [clean_up(workshop, dry_run=dry)["operations"] for dry in (True, False, False)] == [1, 1, 0]
    assert [each.id for each in rows(engine, operations)] == [waiting.id]
    assert [each.operation_id for each in rows(engine, chunks)] == [waiting.id]


def test_more_than_one_batch_is_counted_and_removed(
    workshop: Workshop, keep_days: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run and a real one tell of the same number, whatever the batch."""
    monkeypatch.setattr("discubot_pipeline.defs.cleanup.BATCH", 2)
    for _ in range(5):
        workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.paper.clock.ahead = keep_days + HOUR
    assert clean_up(workshop, dry_run=True)["jobs"] == 5
    assert clean_up(workshop)["jobs"] == 5


def test_young_chains_do_not_stop_the_batch(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old parents of young children stand at the head of the list, and what comes after them still goes."""
    monkeypatch.setattr("discubot_pipeline.defs.cleanup.BATCH", 1)
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    parent = workshop.launch(delivery_ids=[workshop.deliver()])
    old = workshop.launch(delivery_ids=[workshop.deliver()])
    between = workshop.paper.clock.now()
    workshop.reexecute(parent.id)
    workshop.paper.clock.ahead = between - workshop.paper.clock.now()
    assert clean_up(workshop, keep_jobs_days=0)["jobs"] == 1
    assert is_known(workshop, old.id) == set()


def test_snapshots_go_with_the_last_run_that_needs_them(workshop: Workshop, keep_days: timedelta) -> None:
    """Those of a job are shared by its runs, those of a re-execution's plan are its own."""
    failed_and_retried(workshop)
    young = workshop.launch(delivery_ids=[workshop.deliver("C1:2.2")])
    kept = snapshots(workshop)
    workshop.ledger.touch(young.id, workshop.paper.clock.now() + keep_days)
    workshop.paper.clock.ahead = keep_days + HOUR
    assert clean_up(workshop)["jobs"] == 2
    left = snapshots(workshop) & kept
    assert {young.run.job_snapshot_id, young.run.execution_plan_snapshot_id} <= left < kept
    workshop.paper.clock.ahead = 2 * keep_days + HOUR
    assert clean_up(workshop)["jobs"] == 1
    assert snapshots(workshop).isdisjoint(kept)


def snapshots(workshop: Workshop) -> set[str]:
    """Name the snapshots that are stored."""
    with workshop.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return set(connection.execute(sa.select(SnapshotsTable.c.snapshot_id)).scalars())


def test_payloads_go_by_how_their_delivery_ended(workshop: Workshop) -> None:
    """Done ones after a week, failed ones after a month; the rows stay."""
    done, failed = workshop.deliver(), workshop.deliver("C1:2.2")
    workshop.launch(delivery_ids=[done])
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    workshop.launch(delivery_ids=[failed])
    for days, payloads in ((6, (True, True)), (8, (False, True)), (29, (False, True)), (31, (False, False))):
        age(workshop, timedelta(days=days))
        clean_up(workshop)
        assert tuple(workshop.delivery(id).payload is not None for id in (done, failed)) == payloads


def age(workshop: Workshop, ago: timedelta) -> None:
    """Let all deliveries have ended some time ago."""
    table = inboxes[SourceType.SLACK]
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.update(table).values(finished_at=sa.func.now() - ago))
