"""What is older than its retention goes, what is younger stays."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store import retention
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import notes, steps
from tests.store.conftest import Put
from tests.store.samples import GENERIC, ago, arrival, change, rows

DONE, DEAD = timedelta(days=7), timedelta(days=30)
AGES = [("done", DONE), ("ignored", DONE), ("failed", DEAD), ("dead", DEAD)]


def age(inbox: Inbox, engine: sa.Engine, status: str, by: timedelta, *ids: int) -> None:
    """Let deliveries have ended a while ago."""
    which = inbox.table.c.id.in_(ids) if ids else sa.true()
    change(engine, inbox.table, which, status=status, finished_at=sa.func.now() - by)


@pytest.mark.parametrize(("status", "keep"), AGES)
@pytest.mark.parametrize(("hours", "goes"), [(1, True), (-1, False)])
def test_an_hour_decides(
    stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine, status: str, keep: timedelta, hours: int, goes: bool
) -> None:
    """A payload an hour older than its retention goes, an hour younger stays; the row itself always stays."""
    put("Ev1")
    age(inbox, engine, status, keep + timedelta(hours=hours))
    assert stores.retention.purge_payloads(DONE, DEAD) == goes
    [row] = rows(engine, inbox.table)
    assert (row.payload is None) is goes
    assert row.status == status


@pytest.mark.parametrize("status", ["pending", "requested", "running", "held"])
def test_what_is_not_finished_is_never_purged(
    stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine, status: str
) -> None:
    """However old, what is still to be done keeps its payload."""
    put("Ev1")
    change(engine, inbox.table, status=status, received_at=ago(days=400), created_at=ago(days=400))
    assert stores.retention.purge_payloads(DONE, DEAD) == 0
    assert rows(engine, inbox.table)[0].payload is not None


def test_a_dry_run_counts_and_keeps(stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
    """Counting says what purging would do, and does nothing."""
    for number in range(5):
        put(f"Ev{number}")
    age(inbox, engine, "done", timedelta(days=8))
    assert stores.retention.purge_payloads(DONE, DEAD, dry_run=True) == 5
    assert all(row.payload for row in rows(engine, inbox.table))
    assert stores.retention.purge_payloads(DONE, DEAD) == 5
    assert stores.retention.purge_payloads(DONE, DEAD) == 0


@pytest.mark.parametrize("count", [5, 6, 7])
def test_batches_reach_the_end(
    stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """All is purged, whether or not the last batch is full."""
    monkeypatch.setattr(retention, "BATCH", 3)
    for number in range(count):
        put(f"Ev{number}")
    age(inbox, engine, "done", timedelta(days=8))
    assert stores.retention.purge_payloads(DONE, DEAD) == count
    assert not any(row.payload for row in rows(engine, inbox.table))


def test_all_inboxes_are_purged(
    stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine, generic_config: SourceConfig
) -> None:
    """Every source has its inbox, and none is forgotten."""
    put("Ev1")
    stores.inboxes[GENERIC].store(generic_config, arrival())
    for each in stores.inboxes.values():
        age(each, engine, "done", timedelta(days=8))
    assert stores.retention.purge_payloads(DONE, DEAD) == 2


def test_what_is_locked_waits_for_the_next_time(stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
    """A payload that somebody works on is passed over, not waited for."""
    locked, _ = put("Ev1"), put("Ev2")
    age(inbox, engine, "done", timedelta(days=8))
    with engine.begin() as other:
        other.execute(sa.select(inbox.table.c.id).where(inbox.table.c.id == locked).with_for_update())
        assert stores.retention.purge_payloads(DONE, DEAD) == 1
    assert stores.retention.purge_payloads(DONE, DEAD) == 1


def test_runs_are_forgotten_one_by_one(stores: Stores, engine: sa.Engine) -> None:
    """Step records and notes of the named runs go, others stay."""
    for run_id in ("run-1", "run-2"):
        stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
        stores.steps.begin(run_id, "build_thread", Stage.THREAD_BUILDING, {})
    stores.retention.forget_runs([])
    stores.retention.forget_runs(["run-1", "run-9"])
    for table in (notes, steps):
        assert [row.run_id for row in rows(engine, table)] == ["run-2"]
