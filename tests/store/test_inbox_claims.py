"""Claims: a delivery belongs to one run, from its claim to its end, to its retry, or back into the queue."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus, RunToRequest
from discubot_pipeline.store.inbox import Inbox
from tests.store.conftest import Put
from tests.store.samples import change, rows

LEASE = timedelta(minutes=2)


def leased(inbox: Inbox) -> RunToRequest:
    """Lease the one run that is due."""
    [run] = inbox.lease(10, LEASE)
    return run


def claimed(inbox: Inbox, ids: list[int], run_id: str, run_key: str | None = None) -> list[int]:
    """Claim and give the ids that were had."""
    return [delivery.id for delivery in inbox.claim(ids, run_id, run_key)]


class TestClaimByASensorsRun:
    """A run that a sensor asked for names its key."""

    def test_a_run_gets_what_was_leased_to_it(self, inbox: Inbox, put: Put) -> None:
        """All of its deliveries, oldest first, and again when its first op is repeated."""
        ids = [put(f"Ev{number}") for number in range(3)]
        run = leased(inbox)
        assert claimed(inbox, ids[::-1], "run-1", run.run_key) == ids
        assert claimed(inbox, ids, "run-1", run.run_key) == ids

    def test_a_stale_key_gets_nothing(self, inbox: Inbox, put: Put) -> None:
        """A run that comes after its lease was given on has nothing to do."""
        id = put("Ev1")
        stale = leased(inbox)
        inbox.requeue(stale.run_key)
        assert claimed(inbox, [id], "run-1", stale.run_key) == []
        fresh = leased(inbox)
        assert claimed(inbox, [id], "run-1", stale.run_key) == []
        assert claimed(inbox, [id], "run-2", fresh.run_key) == [id]

    def test_a_key_does_not_open_what_waits(self, inbox: Inbox, put: Put) -> None:
        """Ids in a run's config do not stretch its lease to other deliveries."""
        id = put("Ev1")
        run = leased(inbox)
        later = put("Ev2")
        assert claimed(inbox, [id, later], "run-1", run.run_key) == [id]

    def test_two_runs_of_one_key_do_not_both_get_it(self, inbox: Inbox, put: Put) -> None:
        """The second run with the key of the first finds it taken."""
        id = put("Ev1")
        run = leased(inbox)
        assert claimed(inbox, [id], "run-1", run.run_key) == [id]
        assert claimed(inbox, [id], "run-2", run.run_key) == []


class TestClaimByAPerson:
    """A run that a person launched takes what is free or closed."""

    @pytest.mark.parametrize("status", ["pending", "requested", "done", "ignored", "failed", "dead"])
    def test_what_is_closed_or_waits_can_be_taken(self, inbox: Inbox, put: Put, engine: sa.Engine, status: str) -> None:
        """A person may run again whatever is not at work, and its old end is forgotten."""
        id = put("Ev1")
        change(engine, inbox.table, status=status, reason="old", error="old", finished_at=sa.func.now())
        assert claimed(inbox, [id], "run-1") == [id]
        [row] = rows(engine, inbox.table)
        assert (row.status, row.reason, row.error, row.finished_at) == (DeliveryStatus.RUNNING, None, None, None)

    @pytest.mark.parametrize("status", ["running", "held"])
    def test_what_is_at_work_or_held_cannot_be_taken(
        self, inbox: Inbox, put: Put, engine: sa.Engine, status: str
    ) -> None:
        """A run at work keeps its deliveries, a paused source its own."""
        id = put("Ev1")
        change(engine, inbox.table, status=status, run_id="run-0")
        assert claimed(inbox, [id], "run-1") == []

    def test_a_purged_delivery_cannot_be_taken(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """Without its payload there is nothing to run, by a person or by a key."""
        id = put("Ev1")
        run = leased(inbox)
        change(engine, inbox.table, payload=sa.null())
        assert claimed(inbox, [id], "run-1") == claimed(inbox, [id], "run-1", run.run_key) == []

    def test_ids_that_are_no_rows_are_passed_over(self, inbox: Inbox, put: Put) -> None:
        """Unknown ids, also such as no row can have, take nothing away from the known ones."""
        id = put("Ev1")
        assert claimed(inbox, [id, id + 1, -1, 2**63, 10**30], "run-1") == [id]
        assert claimed(inbox, [2**63], "run-1") == []

    def test_a_claim_names_the_run_before(self, inbox: Inbox, put: Put, slack_config: SourceConfig) -> None:
        """Whoever takes a delivery again learns which run had it, whose thread and analysis may be kept."""
        id = put("Ev1")
        [first] = inbox.claim([id], "run-1", None)
        inbox.settle("run-1", DeliveryStatus.DONE)
        [again] = inbox.claim([id], "run-2", None)
        assert (first.run_id, again.run_id) == (None, "run-1")
        stored = inbox.get(id, slack_config.team_id)
        assert stored is not None
        assert stored.run_id == "run-2"

    def test_the_next_run_of_a_chain_claims_what_its_parent_left(self, inbox: Inbox, put: Put) -> None:
        """After a crash in the first op the delivery is the dead run's: its successor takes it, a stranger not."""
        id = put("Ev1")
        inbox.claim([id], "run-1", leased(inbox).run_key)
        assert claimed(inbox, [id], "run-9") == []
        assert [one.id for one in inbox.claim([id], "run-2", None, parent_run_id="run-1")] == [id]
        assert inbox.runs_at_work() == {"run-2"}


class TestEnds:
    """How a run lets go of its deliveries."""

    def test_settling_closes_what_the_run_still_holds(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """Another run's delivery and one that is closed already stay as they are."""
        mine, theirs = put("Ev1", "C1:1"), put("Ev2", "C1:2")
        inbox.claim([mine], "run-1", None)
        inbox.claim([theirs], "run-2", None)
        inbox.settle("run-1", DeliveryStatus.FAILED, "not_found", "no such database")
        inbox.settle("run-1", DeliveryStatus.DONE)
        found = [(row.status, row.reason, row.error) for row in rows(engine, inbox.table)]
        assert found == [("failed", "not_found", "no such database"), ("running", None, None)]

    def test_a_postponed_delivery_comes_back_at_its_time(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """It waits as pending with the next generation, and its new run learns which run had it before."""
        id = put("Ev1")
        inbox.claim([id], "run-1", leased(inbox).run_key)
        not_before = datetime.now(UTC) + timedelta(hours=2)
        assert inbox.postpone("run-1", not_before)
        [row] = rows(engine, inbox.table)
        assert (row.status, row.generation, row.not_before) == (DeliveryStatus.PENDING, 1, not_before)
        assert inbox.lease(10, LEASE) == []
        change(engine, inbox.table, not_before=sa.func.now())
        run = leased(inbox)
        assert run.run_key == f"{id}:1"
        [delivery] = inbox.claim([id], "run-2", run.run_key)
        assert (delivery.run_id, delivery.generation) == ("run-1", 1)

    def test_a_run_that_holds_nothing_postpones_nothing(self, inbox: Inbox, put: Put) -> None:
        """A run without deliveries is told that there is nothing to come back."""
        put("Ev1")
        assert not inbox.postpone("run-1", datetime.now(UTC))

    def test_a_chain_inherits(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """The run that goes on takes over what earlier ones closed or left, not what went back to wait."""
        failed, left, waiting = put("Ev1", "C1:1"), put("Ev2", "C1:2"), put("Ev3", "C1:3")
        for id, run_id in ((failed, "run-1"), (left, "run-2"), (waiting, "run-1b")):
            inbox.claim([id], run_id, None)
        inbox.settle("run-1", DeliveryStatus.FAILED, "crashed")
        inbox.postpone("run-1b", datetime.now(UTC))
        inbox.inherit(["run-1", "run-2", "run-1b"], "run-3")
        found = [(row.status, row.run_id, row.reason) for row in rows(engine, inbox.table)]
        assert found == [("running", "run-3", None), ("running", "run-3", None), ("pending", "run-1b", None)]
