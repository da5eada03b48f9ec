"""A job's log, as lines: of jobs that really ran, with tries, failures, and what the job logger would write."""

from typing import Any

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from discubot_pipeline.domain.facts import Level, LogLine
from discubot_pipeline.tracking.jobs import JobStore
from discubot_pipeline.tracking.lines import read_log
from tests.tracking.ledger import Ledger


@dg.op
def build_thread(context: dg.OpExecutionContext) -> None:
    """Say something, fail once, and say it again."""
    context.log.info("Reading the thread.")
    if context.retry_number == 0:
        raise dg.RetryRequested(1, 0.01)
    metadata = {"kind": "milestone", "stage": "thread_building", "context": dg.MetadataValue.json({"messages": 3})}
    event = dg.DagsterEvent(
        dg.DagsterEventType.ENGINE_EVENT.value,
        context.job_name,
        step_key=context.op.name,
        event_specific_data=EngineEventData(metadata),
        message="3 messages.",
    )
    context.instance.report_dagster_event(event, context.run_id, 30)


@dg.op(ins={"start": dg.In(dg.Nothing)})
def create_tasks() -> None:
    """Fail for good."""
    try:
        raise ValueError("secret page")
    except ValueError as error:
        raise dg.Failure("Notion says no.", metadata={"reason": "unauthorized"}, allow_retries=False) from error


@dg.job
def discussion_job() -> None:
    """Wire both."""
    create_tasks(start=build_thread())


@pytest.fixture
def ran(ledger: Ledger) -> str:
    """Let the job run; gives its id."""
    return discussion_job.execute_in_process(instance=ledger.instance, raise_on_error=False).run_id


def lines(ledger: Ledger, run_id: str, level: Level = Level.INFO, **more: Any) -> list[LogLine]:
    """Read a whole log."""
    return read_log(ledger.instance, run_id, level, more.get("limit", 1000), more.get("after", 0)).lines


def test_a_log_reads_as_what_happened(ledger: Ledger, ran: str) -> None:
    """Stages begin, are tried again, and fail with what a person can read."""
    told = [(line.level, line.stage, line.message) for line in lines(ledger, ran)]
    assert [each for each in told if each[1]] == [
        ("info", "thread_building", "thread_building began."),
        ("info", "thread_building", "Reading the thread."),
        ("warning", "thread_building", "thread_building is tried again in 0.0 s."),
        ("info", "thread_building", "thread_building is tried once more."),
        ("info", "thread_building", "Reading the thread."),
        ("warning", "thread_building", "3 messages."),
        ("info", "thread_building", told[7][2]),
        ("info", "task_creation", "task_creation began."),
        ("error", "task_creation", "task_creation failed: Notion says no."),
    ]
    assert told[7][2].startswith("thread_building is done after ")
    assert [each[0] for each in told if not each[1]] == ["info", "error"]


def test_context_is_told_apart_from_words(ledger: Ledger, ran: str) -> None:
    """What the job logger was given, and what Dagster knows of a step."""
    by_message = {line.message: line.context for line in lines(ledger, ran)}
    assert by_message["3 messages."] == {"messages": 3, "kind": "milestone"}
    failed = by_message["task_creation failed: Notion says no."]
    assert failed == {"event": "STEP_FAILURE", "step": "create_tasks", "reason": "unauthorized"}
    assert by_message["Reading the thread."] == {}


@pytest.mark.parametrize(
    ("level", "least"), [(Level.DEBUG, 11), (Level.INFO, 11), (Level.WARNING, 4), (Level.ERROR, 2)]
)
def test_the_level_is_a_minimum(ledger: Ledger, ran: str, level: Level, least: int) -> None:
    """Debug shows what Dagster does; from info on it is what people do."""
    found = lines(ledger, ran, level)
    assert len(found) == least if level is not Level.DEBUG else len(found) > least
    assert all(list(Level).index(line.level) >= list(Level).index(level) for line in found)


def test_a_log_is_read_in_pages_without_a_gap(jobs: JobStore, ledger: Ledger, ran: str) -> None:
    """Each page goes on after the last event that was read; the last one says that nothing more will come."""
    ids, after, has_more = [], 0, True
    while has_more:
        page = jobs.log(ran, Level.INFO, 3, after)
        ids += [line.id for line in page.lines]
        after, has_more = page.last, page.has_more
    assert ids == [line.id for line in lines(ledger, ran)]
    assert ids == sorted(ids)


def test_more_may_come_while_a_job_works(jobs: JobStore, ledger: Ledger) -> None:
    """So that whoever follows it knows to ask again, from where the page ended."""
    run_id = ledger.run("STARTED")
    ledger.say(run_id, dg.DagsterEventType.STEP_RESTARTED)
    page = jobs.log(run_id, Level.INFO, 10, 0)
    assert (len(page.lines), page.has_more) == (1, True)
    assert jobs.log(run_id, Level.INFO, 10, page.last).lines == []
    ledger.say(run_id, dg.DagsterEventType.STEP_RESTARTED)
    assert len(jobs.log(run_id, Level.INFO, 10, page.last).lines) == 1


def test_a_failure_is_told_with_its_reason_and_stack(jobs: JobStore, ran: str) -> None:
    """The stack of what was raised, not of what Dagster made of it."""
    error = jobs.details(ran).error
    assert error is not None
    assert (error.reason, error.message, error.stage) == ("unauthorized", "Notion says no.", "task_creation")
    assert any("secret page" in line for line in error.stack or [])


def test_a_run_that_died_is_told_by_what_dagster_says_of_it(jobs: JobStore, ledger: Ledger) -> None:
    """No step of it failed."""
    run_id = ledger.run("STARTED")
    ledger.instance.report_run_failed(ledger.get(run_id), "The process is gone.")
    error = jobs.details(run_id).error
    assert error is not None
    assert (error.message, error.stage, error.stack) == ("The process is gone.", None, None)
