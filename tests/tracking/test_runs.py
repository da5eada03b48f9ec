"""What Dagster's record says of a run: its fate, whom it may follow, and whether it is old enough to go."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from discubot_pipeline.tracking.runs import (
    RUN_KEY,
    SENSOR,
    WILL_RETRY,
    Fate,
    at_work,
    chain_of,
    end_orphans,
    fate,
    fate_of_key,
    has_younger,
    may_follow,
    old_chains,
)
from tests.tracking.ledger import Ledger

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
        """List the chains that are older than the limit."""
        return list(old_chains(self.instance, LIMIT, batch))


@pytest.fixture
def ledger() -> Iterator[Ages]:
    """Give an empty one."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Ages(instance)


@pytest.mark.parametrize(
    ("status", "tags", "expected"),
    [
        ("QUEUED", {}, Fate.ALIVE),
        ("NOT_STARTED", {}, Fate.ALIVE),
        ("STARTING", {}, Fate.ALIVE),
        ("STARTED", {}, Fate.ALIVE),
        ("CANCELING", {}, Fate.ALIVE),
        ("SUCCESS", {}, Fate.DONE),
        ("CANCELED", {}, Fate.CANCELLED),
        ("FAILURE", {WILL_RETRY: "false"}, Fate.FAILED),
        ("FAILURE", {WILL_RETRY: "true"}, Fate.ALIVE),
        ("FAILURE", {}, Fate.ALIVE),
    ],
)
def test_the_fate_of_a_run(ledger: Ages, status: str, tags: dict[str, str], expected: Fate) -> None:
    """A failure is final only when Dagster says that it will not retry."""
    assert fate(ledger.instance, ledger.run(status, **tags)) is expected


def test_an_unknown_run_is_gone(ledger: Ages) -> None:
    """Deleted, or never made."""
    assert fate(ledger.instance, "00000000-0000-0000-0000-000000000000") is Fate.GONE


def test_the_fate_of_a_run_key_is_the_sensors_own(ledger: Ages) -> None:
    """Each inbox numbers its rows; the same key of another sensor is another run."""
    ledger.run("QUEUED", **{RUN_KEY: "1:0", SENSOR: "slack_inbox"})
    ledger.run("CANCELED", **{RUN_KEY: "1:0", SENSOR: "generic_inbox"})
    assert fate_of_key(ledger.instance, "slack_inbox", "1:0") is Fate.ALIVE
    assert fate_of_key(ledger.instance, "generic_inbox", "1:0") is Fate.CANCELLED
    assert fate_of_key(ledger.instance, "slack_inbox", "1:1") is Fate.GONE


@pytest.mark.parametrize(("status", "expected"), [("FAILURE", True), ("CANCELED", True), ("STARTED", False)])
def test_a_run_may_follow_an_ended_one_of_its_chain(ledger: Ages, status: str, expected: bool) -> None:
    """Parent or sibling, as long as it is over."""
    root = ledger.run("FAILURE")
    holder = ledger.run(status, root)
    assert may_follow(ledger.instance, holder, root) is expected


def test_a_run_may_follow_its_root(ledger: Ages) -> None:
    """The root itself names no root."""
    root = ledger.run("FAILURE")
    assert may_follow(ledger.instance, root, root)


def test_a_run_may_not_follow_a_stranger(ledger: Ages) -> None:
    """Another chain is another chain, ended or not; and a run that is gone is not known to have ended."""
    root, stranger = ledger.run("FAILURE"), ledger.run("FAILURE")
    assert not may_follow(ledger.instance, stranger, root)
    assert not may_follow(ledger.instance, "00000000-0000-0000-0000-000000000000", root)


def test_a_chain_is_the_root_and_all_that_came_of_it(ledger: Ages) -> None:
    """Also what was re-executed from a re-execution."""
    root = ledger.run("FAILURE")
    first = ledger.run("FAILURE", root)
    second = ledger.run("SUCCESS", first)
    ledger.run("SUCCESS")
    assert {run.run_id for run in chain_of(ledger.instance, ledger.get(second))} == {root, first, second}


def test_a_chain_whose_root_is_gone_still_holds_together(ledger: Ages) -> None:
    """Somebody deleted the root by hand."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    first, second = ledger.run("FAILURE", root, LONG_AGO), ledger.run("SUCCESS", root, LONG_AGO)
    ledger.instance.delete_run(root)
    assert [set(chain) for chain in ledger.old()] == [{first, second}]


def test_only_old_chains_are_listed_the_oldest_first(ledger: Ages) -> None:
    """A single run is a chain too."""
    young = ledger.run(at=LIMIT + timedelta(hours=1))
    older, oldest = ledger.run(at=LIMIT - timedelta(hours=1)), ledger.run(at=LONG_AGO)
    assert ledger.old() == [[oldest], [older]]
    assert [young] not in ledger.old()


def test_a_chain_is_as_young_as_its_youngest_member(ledger: Ages) -> None:
    """An old root with a young attempt stays, and so does a young root with an old attempt."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run("SUCCESS", root)
    touched = ledger.run("FAILURE")
    ledger.run("SUCCESS", touched, LONG_AGO)
    assert ledger.old() == []
    assert has_younger(ledger.instance, root, LIMIT)
    assert has_younger(ledger.instance, touched, LIMIT)


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_chain_with_a_run_at_work_is_never_old(ledger: Ages, status: str) -> None:
    """Even when that run was not touched for ages."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run(status, root, LONG_AGO)
    ledger.run(status, at=LONG_AGO)
    assert ledger.old() == []


def test_a_chain_is_listed_once(ledger: Ages) -> None:
    """However many of its runs the batch holds."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    attempts = {ledger.run("FAILURE", root, LONG_AGO) for _ in range(3)}
    [chain] = ledger.old()
    assert set(chain) == {root, *attempts}
    assert chain[0] == root


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_batch_makes_no_difference(ledger: Ages, batch: int) -> None:
    """Chains that must stay stand before ones that may go, and what has been given may be deleted at once."""
    parents = [ledger.run("FAILURE", at=LONG_AGO + timedelta(minutes=number)) for number in range(3)]
    for parent in parents:
        ledger.run("SUCCESS", parent)
    ids = [ledger.run(at=LONG_AGO + timedelta(hours=number)) for number in range(1, 6)]
    assert ledger.old(batch) == [[id] for id in ids]
    given = []
    for chain in old_chains(ledger.instance, LIMIT, batch):
        given.append(chain)
        ledger.instance.delete_run(chain[0])
    assert given == [[id] for id in ids]


def test_a_run_that_lacks_the_tag_of_its_root_is_not_forgotten(ledger: Ages) -> None:
    """Made by another way than Dagster's usual one: after its root has gone it is a chain of its own."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    orphan = ledger.run("SUCCESS", root, LONG_AGO, tagged=False)
    ledger.instance.delete_run(root)
    assert ledger.old() == [[orphan]]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("STARTING", "FAILURE"),
        ("STARTED", "FAILURE"),
        ("CANCELING", "CANCELED"),
        ("QUEUED", "QUEUED"),
        ("SUCCESS", "SUCCESS"),
        ("FAILURE", "FAILURE"),
        ("CANCELED", "CANCELED"),
    ],
)
def test_orphans_are_ended(ledger: Ages, status: str, expected: str) -> None:
    """Runs at work fail, one that was being cancelled is cancelled, and all others stay as they are."""
    run_id = ledger.run(status)
    end_orphans(ledger.instance, at_work(ledger.instance))
    assert ledger.get(run_id).status.value == expected


def test_an_orphan_that_has_ended_meanwhile_stays_as_it_is(ledger: Ages) -> None:
    """Its process lived a little longer than its code server."""
    run = ledger.get(ledger.run("STARTED"))
    ledger.instance.report_run_canceled(run)
    end_orphans(ledger.instance, [run])
    assert ledger.get(run.run_id).status is dg.DagsterRunStatus.CANCELED
