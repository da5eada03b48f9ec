"""What Dagster's record says of a run: its fate, whom it may follow, and whether it is old enough to go."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.runs.schema import RunsTable

from discubot_pipeline.tracking.runs import (
    RUN_KEY,
    SENSOR,
    WILL_RETRY,
    Fate,
    chain_of,
    fate,
    fate_of_key,
    has_younger,
    may_follow,
    old_chains,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)
LIMIT = NOW - timedelta(days=30)


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def idle() -> None:
    """Wire nothing."""
    nothing()


class Ledger:
    """An instance to write runs into."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def run(self, status: str = "SUCCESS", parent: str | None = None, at: datetime = NOW, **tags: str) -> str:
        """Write a run that was last touched at some time; a parent makes it part of that one's chain."""
        root = None
        if parent:
            above = self.instance.get_run_by_id(parent)
            assert above is not None
            root = above.root_run_id or parent
        family = {"dagster/root_run_id": root, "dagster/parent_run_id": parent} if root and parent else {}
        run = self.instance.create_run_for_job(
            idle, status=dg.DagsterRunStatus(status), root_run_id=root, parent_run_id=parent, tags=family | tags
        )
        touched = sa.update(RunsTable).where(RunsTable.c.run_id == run.run_id)
        with self.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            connection.execute(touched.values(update_timestamp=at.replace(tzinfo=None)))
        return run.run_id

    def old(self, batch: int = 100) -> list[list[str]]:
        """List the chains that are older than the limit."""
        return list(old_chains(self.instance, LIMIT, batch))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give an empty one."""
    with dg.instance_for_test() as instance:
        yield Ledger(instance)


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
def test_the_fate_of_a_run(ledger: Ledger, status: str, tags: dict[str, str], expected: Fate) -> None:
    """A failure is final only when Dagster says that it will not retry."""
    assert fate(ledger.instance, ledger.run(status, **tags)) is expected


def test_an_unknown_run_is_gone(ledger: Ledger) -> None:
    """Deleted, or never made."""
    assert fate(ledger.instance, "00000000-0000-0000-0000-000000000000") is Fate.GONE


def test_the_fate_of_a_run_key_is_the_sensors_own(ledger: Ledger) -> None:
    """Each inbox numbers its rows; the same key of another sensor is another run."""
    ledger.run("QUEUED", **{RUN_KEY: "1:0", SENSOR: "slack_inbox"})
    ledger.run("CANCELED", **{RUN_KEY: "1:0", SENSOR: "generic_inbox"})
    assert fate_of_key(ledger.instance, "slack_inbox", "1:0") is Fate.ALIVE
    assert fate_of_key(ledger.instance, "generic_inbox", "1:0") is Fate.CANCELLED
    assert fate_of_key(ledger.instance, "slack_inbox", "1:1") is Fate.GONE


@pytest.mark.parametrize(("status", "expected"), [("FAILURE", True), ("CANCELED", True), ("STARTED", False)])
def test_a_run_may_follow_an_ended_one_of_its_chain(ledger: Ledger, status: str, expected: bool) -> None:
    """Parent or sibling, as long as it is over."""
    root = ledger.run("FAILURE")
    holder = ledger.run(status, root)
    assert may_follow(ledger.instance, holder, root) is expected


def test_a_run_may_follow_its_root(ledger: Ledger) -> None:
    """The root itself names no root."""
    root = ledger.run("FAILURE")
    assert may_follow(ledger.instance, root, root)


def test_a_run_may_not_follow_a_stranger(ledger: Ledger) -> None:
    """Ended or not, another chain's discussion is another chain's; and a run that is gone is not known to have ended."""
    root, stranger = ledger.run("FAILURE"), ledger.run("FAILURE")
    assert not may_follow(ledger.instance, stranger, root)
    assert not may_follow(ledger.instance, "00000000-0000-0000-0000-000000000000", root)


def test_a_chain_is_the_root_and_all_that_came_of_it(ledger: Ledger) -> None:
    """Also what was re-executed from a re-execution."""
    root = ledger.run("FAILURE")
    first = ledger.run("FAILURE", root)
    second = ledger.run("SUCCESS", first)
    ledger.run("SUCCESS")
    assert {run.run_id for run in chain_of(ledger.instance, root)} == {root, first, second}


def test_a_chain_whose_root_is_gone_still_holds_together(ledger: Ledger) -> None:
    """Somebody deleted the root by hand."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    first, second = ledger.run("FAILURE", root, LONG_AGO), ledger.run("SUCCESS", root, LONG_AGO)
    ledger.instance.delete_run(root)
    assert [set(chain) for chain in ledger.old()] == [{first, second}]


def test_only_old_chains_are_listed_the_oldest_first(ledger: Ledger) -> None:
    """A single run is a chain too."""
    young = ledger.run(at=LIMIT + timedelta(hours=1))
    older, oldest = ledger.run(at=LIMIT - timedelta(hours=1)), ledger.run(at=LONG_AGO)
    assert ledger.old() == [[oldest], [older]]
    assert young not in sum(ledger.old(), [])


def test_a_chain_is_as_young_as_its_youngest_member(ledger: Ledger) -> None:
    """An old root with a young attempt stays, and so does a young root with an old attempt."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run("SUCCESS", root)
    touched = ledger.run("FAILURE")
    ledger.run("SUCCESS", touched, LONG_AGO)
    assert ledger.old() == []
    assert has_younger(ledger.instance, root, LIMIT)
    assert has_younger(ledger.instance, touched, LIMIT)


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_chain_with_a_run_at_work_is_never_old(ledger: Ledger, status: str) -> None:
    """Even when that run was not touched for ages."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    ledger.run(status, root, LONG_AGO)
    ledger.run(status, at=LONG_AGO)
    assert ledger.old() == []


def test_a_chain_is_listed_once(ledger: Ledger) -> None:
    """However many of its runs the batch holds."""
    root = ledger.run("FAILURE", at=LONG_AGO)
    attempts = {ledger.run("FAILURE", root, LONG_AGO) for _ in range(3)}
    [chain] = ledger.old()
    assert set(chain) == {root, *attempts}
    assert chain[0] == root


def test_a_batch_bounds_what_is_looked_at(ledger: Ledger) -> None:
    """The oldest ones come first, so that the next batch finds the rest."""
    ids = [ledger.run(at=LONG_AGO + timedelta(minutes=number)) for number in range(5)]
    assert ledger.old(2) == [[ids[0]], [ids[1]]]
