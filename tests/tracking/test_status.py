"""The seven statuses, read off runs in a real instance; and times that never run backwards."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from discubot_pipeline.domain.facts import JobStatus
from discubot_pipeline.tracking.status import OUTCOME, RETRIED_AS, WILL_RETRY, is_waiting, status_of, times_of
from tests.tracking.ledger import Ledger

NOW = datetime.now(UTC).replace(microsecond=0)
Type = dg.DagsterEventType


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give an empty one."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Ledger(instance)


@pytest.mark.parametrize(
    ("status", "tags", "expected"),
    [
        ("NOT_STARTED", {}, JobStatus.PENDING),
        ("QUEUED", {}, JobStatus.PENDING),
        ("QUEUED", {OUTCOME: "partial", WILL_RETRY: "false"}, JobStatus.PENDING),
        ("STARTING", {}, JobStatus.PROCESSING),
        ("STARTED", {}, JobStatus.PROCESSING),
        ("STARTED", {OUTCOME: "deferred"}, JobStatus.PROCESSING),
        ("CANCELING", {}, JobStatus.PROCESSING),
        ("SUCCESS", {}, JobStatus.COMPLETED),
        ("SUCCESS", {OUTCOME: "completed"}, JobStatus.COMPLETED),
        ("SUCCESS", {OUTCOME: "ignored"}, JobStatus.COMPLETED),
        ("SUCCESS", {OUTCOME: "something else"}, JobStatus.COMPLETED),
        ("SUCCESS", {OUTCOME: "partial"}, JobStatus.PARTIAL),
        ("SUCCESS", {OUTCOME: "deferred"}, JobStatus.DELAYED),
        ("FAILURE", {}, JobStatus.DELAYED),
        ("FAILURE", {WILL_RETRY: "true"}, JobStatus.DELAYED),
        ("FAILURE", {WILL_RETRY: "true", RETRIED_AS: "another"}, JobStatus.FAILED),
        ("FAILURE", {WILL_RETRY: "false"}, JobStatus.FAILED),
        ("FAILURE", {WILL_RETRY: "false", OUTCOME: "partial"}, JobStatus.FAILED),
        ("CANCELED", {}, JobStatus.CANCELLED),
        ("CANCELED", {OUTCOME: "completed"}, JobStatus.CANCELLED),
    ],
)
def test_the_status_of_a_run(ledger: Ledger, status: str, tags: dict[str, str], expected: JobStatus) -> None:
    """Dagster's status decides; a tag only where it leaves open how a run succeeded, or whether a failure is final."""
    assert status_of(ledger.get(ledger.run(status, **tags))) is expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], JobStatus.PROCESSING),
        ([Type.STEP_START], JobStatus.PROCESSING),
        ([Type.STEP_START, Type.STEP_UP_FOR_RETRY], JobStatus.DELAYED),
        ([Type.STEP_START, Type.STEP_UP_FOR_RETRY, Type.STEP_RESTARTED], JobStatus.PROCESSING),
        ([Type.STEP_UP_FOR_RETRY, Type.STEP_RESTARTED, Type.STEP_UP_FOR_RETRY], JobStatus.DELAYED),
    ],
)
def test_a_run_whose_op_waits_for_its_next_try_is_delayed(
    ledger: Ledger, events: list[dg.DagsterEventType], expected: JobStatus
) -> None:
    """From the moment the try failed until the next one begins."""
    run = ledger.get(ledger.run("STARTED"))
    for event in events:
        ledger.say(run.run_id, event)
    assert status_of(run, is_waiting(ledger.instance, run)) is expected


def test_only_a_started_run_waits(ledger: Ledger) -> None:
    """One that was killed while an op waited waits no more."""
    run_id = ledger.run("FAILURE", **{WILL_RETRY: "false"})
    ledger.say(run_id, Type.STEP_UP_FOR_RETRY)
    assert not is_waiting(ledger.instance, ledger.get(run_id))


@pytest.mark.parametrize(
    ("start", "end", "started", "finished"),
    [
        (1, 5, 1, 5),
        (None, 5, None, 5),
        (1, None, 1, None),
        (None, None, None, None),
        (-3, 5, 0, 5),
        (4, 2, 4, 4),
        (-4, -2, 0, 0),
    ],
)
def test_times_are_in_order(
    ledger: Ledger, start: int | None, end: int | None, started: int | None, finished: int | None
) -> None:
    """Made, begun, ended: whatever the clocks of the machines that wrote them said."""
    run_id = ledger.run("SUCCESS")
    ledger.time(run_id, NOW, start, end)
    record = ledger.instance.get_run_record_by_id(run_id)
    assert record is not None

    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    assert times_of(record) == (NOW, at(started), at(finished))
