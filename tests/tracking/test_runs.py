"""What Dagster's record says of a run: its fate, and whom it may follow."""

from collections.abc import Iterator

import dagster as dg
import pytest

from discubot_pipeline.tracking.retries import FAILURE_REASON, MAX_RETRIES, WILL_RETRY
from discubot_pipeline.tracking.runs import (
    RUN_KEY,
    SENSOR,
    Fate,
    at_work,
    end_orphans,
    fate_of,
    may_follow,
    run_of_key,
)
from tests.tracking.ledger import RETRIES, Ledger


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give an empty one."""
    with dg.DagsterInstance.ephemeral(settings=RETRIES) as instance:
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
        ("FAILURE", {FAILURE_REASON: "STEP_FAILURE"}, Fate.FAILED),
        ("FAILURE", {MAX_RETRIES: "0"}, Fate.FAILED),
        ("FAILURE", {WILL_RETRY: "true"}, Fate.ALIVE),
        ("FAILURE", {WILL_RETRY: "false"}, Fate.ALIVE),
        ("FAILURE", {}, Fate.ALIVE),
    ],
)
def test_the_fate_of_a_run(ledger: Ledger, status: str, tags: dict[str, str], expected: Fate) -> None:
    """A failure is final when it was an op's, or no retry is left; a tag that takes a retry back is not believed."""
    assert fate_of(ledger.instance, ledger.get(ledger.run(status, **tags))) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("QUEUED", Fate.ALIVE), ("SUCCESS", Fate.DONE), ("CANCELED", Fate.CANCELLED), ("FAILURE", Fate.ALIVE)],
)
def test_a_failed_run_shares_the_fate_of_its_retry(ledger: Ledger, status: str, expected: Fate) -> None:
    """A retry that is cancelled in the queue, or fails before its first op, has taken nothing over."""
    failed = ledger.run("FAILURE")
    ledger.run(status, failed)
    assert fate_of(ledger.instance, ledger.get(failed)) is expected


def test_a_chain_that_has_used_up_its_retries_has_failed(ledger: Ledger) -> None:
    """From its first run to its last."""
    root = ledger.run("FAILURE")
    second = ledger.run("FAILURE", root)
    assert fate_of(ledger.instance, ledger.get(root)) is Fate.ALIVE
    third = ledger.run("FAILURE", second)
    assert {fate_of(ledger.instance, ledger.get(run)) for run in (root, second, third)} == {Fate.FAILED}


def test_an_unknown_run_is_gone(ledger: Ledger) -> None:
    """Deleted, or never made."""
    assert fate_of(ledger.instance, None) is Fate.GONE


def test_a_run_key_is_the_sensors_own(ledger: Ledger) -> None:
    """Each inbox numbers its rows; the same key of another sensor is another run."""
    ours = ledger.run("QUEUED", **{RUN_KEY: "1:0", SENSOR: "slack_inbox"})
    other = ledger.run("QUEUED", **{RUN_KEY: "1:0", SENSOR: "generic_inbox"})
    assert run_of_key(ledger.instance, "slack_inbox", "1:0") == ledger.get(ours)
    assert run_of_key(ledger.instance, "generic_inbox", "1:0") == ledger.get(other)
    assert run_of_key(ledger.instance, "slack_inbox", "1:1") is None


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
    """Another chain is another chain, ended or not; and a run that is gone is not known to have ended."""
    root, stranger = ledger.run("FAILURE"), ledger.run("FAILURE")
    assert not may_follow(ledger.instance, stranger, root)
    assert not may_follow(ledger.instance, "00000000-0000-0000-0000-000000000000", root)


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
def test_orphans_are_ended(ledger: Ledger, status: str, expected: str) -> None:
    """Runs at work fail, one that was being cancelled is cancelled, and all others stay as they are."""
    run_id = ledger.run(status)
    end_orphans(ledger.instance, at_work(ledger.instance))
    assert ledger.get(run_id).status.value == expected


def test_an_orphan_that_has_ended_meanwhile_stays_as_it_is(ledger: Ledger) -> None:
    """Its process lived a little longer than its code server."""
    run = ledger.get(ledger.run("STARTED"))
    ledger.instance.report_run_canceled(run)
    end_orphans(ledger.instance, [run])
    assert ledger.get(run.run_id).status is dg.DagsterRunStatus.CANCELED
