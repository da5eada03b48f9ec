"""The recorder: anybody's steps, written as they happen, without secrets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import RunOutcome, Trigger
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.executions import ExecutionQuery, ExecutionWithSteps
from discubot_pipeline.store.tables import notes
from discubot_pipeline.wiring import Services, build

KEY = "sk-abcdefghijklmnop1234"


@pytest.fixture
def here(settings: Settings, engine: sa.Engine) -> Iterator[Services]:
    """Give the services as a script builds them, with a field that the operator wants hidden."""
    here = build(settings.model_copy(update={"redacted_fields": "iban, Home Address"}))
    yield here
    here.close()


def found(here: Services, id: str) -> ExecutionWithSteps:
    """Look an execution up that must be there."""
    execution = here.stores.executions.get(id)
    assert execution is not None
    return execution


def test_a_script_records_its_steps(here: Services, slack_config: SourceConfig) -> None:
    """With what went in, what came out, how long it took, and how all of it ended."""
    with here.recorder("billing", {"month": "2026-03", "thread": "T1"}, team="acme") as recorder:
        with recorder.step("read", input={"file": "a.csv", "at": datetime(2026, 3, 2, tzinfo=UTC)}) as step:
            step.output = {"rows": 3}
        with recorder.step("count") as step:
            step.output = 3
        assert found(here, recorder.id).status == "running"
    execution = found(here, recorder.id)
    assert (execution.project, execution.status, execution.team) == ("billing", "completed", "acme")
    assert execution.completed_at is not None
    assert execution.completed_at >= execution.started_at
    read, count = execution.steps
    assert (read.step, read.input, read.output) == (
        "read",
        {"file": "a.csv", "at": "2026-03-02T00:00:00Z"},
        {"rows": 3},
    )
    assert (count.output, count.status, count.attempts) == (3, "completed", 1)
    assert count.duration_ms is not None
    query = ExecutionQuery(team_id=slack_config.team_id, project="billing", thread="T1")
    assert [each.id for each in here.stores.executions.last(query, 10)] == [recorder.id]


def test_what_a_step_raises_is_recorded_and_raised(here: Services) -> None:
    """With its stack and its reason, but not with the secrets in it."""
    recorder = here.recorder("billing")
    with pytest.raises(Permanent, match=KEY), recorder, recorder.step("pay", input={"iban": "NL1", "token": KEY}):
        raise Permanent("bank", f"the bank refused {KEY}")
    execution = found(here, recorder.id)
    [step] = execution.steps
    assert (execution.status, step.status, step.reason) == ("failed", "failed", "bank")
    assert step.error is not None
    assert "test_recorder.py" in step.error
    assert "the bank refused [redacted]" in step.error
    assert step.input == {"iban": "[redacted]", "token": "[redacted]"}
    assert KEY not in execution.model_dump_json()


def test_a_step_that_is_tried_again_is_one_step(here: Services) -> None:
    """With the number of its attempts, and how the last one ended."""
    with here.recorder("billing") as recorder:
        with pytest.raises(ZeroDivisionError), recorder.step("divide"):
            1 / 0  # noqa: B018
        with recorder.step("divide") as step:
            step.output = {"half": 1}
    [step_record] = found(here, recorder.id).steps
    assert (step_record.attempts, step_record.status, step_record.error) == (2, "completed", None)


def test_steps_of_a_run_are_recorded_as_its_own(here: Services) -> None:
    """An op of another job needs no execution beside its run's."""
    here.stores.notes.open("run-1", "run-1", Trigger.MANUAL, {}, "0.1.0", "other_job")
    with here.recorder("others", run_id="run-1") as recorder, recorder.step("one"):
        pass
    execution = found(here, "run-1")
    assert ([step.step for step in execution.steps], execution.status) == (["one"], "running")


def test_recordings_are_explained_and_forgotten(here: Services) -> None:
    """Like jobs: they can be asked about, and go when they are too old."""
    with here.recorder("billing") as recorder, recorder.step("read") as step:
        step.output = {"rows": 3}
    assert here.stores.reasonings.ask(recorder.id, "test") == 1
    retention, day = here.stores.retention, timedelta(days=1)
    assert retention.forget_recordings(day) == 0
    with here.engine.begin() as connection:
        connection.execute(sa.update(notes).values(created_at=sa.func.now() - 2 * day))
    assert retention.forget_recordings(day, dry_run=True) == 1
    assert retention.forget_recordings(day) == 1
    assert here.stores.executions.get(recorder.id) is None
    assert here.stores.reasonings.of_run(recorder.id) == []


def test_notes_of_runs_are_closed_by_their_runs_only(here: Services) -> None:
    """The store of executions leaves them alone."""
    here.stores.notes.open("run-1", "run-1", Trigger.MANUAL, {}, "0.1.0")
    here.stores.executions.close("run-1", RunOutcome.FAILED)
    assert found(here, "run-1").status == "running"
