"""Step records: one a run and op, with its attempts and its output."""

import sqlalchemy as sa

from discubot_pipeline.domain.analysis import Analysis, DetectedTask, Findings, Priority
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import Stage
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import StepStatus, steps
from tests.store.samples import message, parsed_of, rows, thread_of

KEY = ("run-1", "build_thread")


def test_a_step_is_opened_and_closed(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """What went in, how it ended, when, and what it was about."""
    parsed = parsed_of(slack_config)
    stores.steps.begin(*KEY, Stage.THREAD_BUILDING, {"Thread": 1})
    links = {"team_id": parsed.team_id, "discussion_id": parsed.discussion_id}
    stores.steps.end(*KEY, StepStatus.COMPLETED, **links)
    [row] = rows(engine, steps)
    assert (row.stage, row.status, row.input, row.attempts) == ("thread_building", "completed", {"Thread": 1}, 1)
    assert (row.team_id, row.discussion_id) == (parsed.team_id, parsed.discussion_id)
    assert row.finished_at >= row.started_at


def test_attempts_are_counted(stores: Stores, engine: sa.Engine) -> None:
    """Each further begin is an attempt more, and wipes away how the last one ended."""
    for _ in range(3):
        stores.steps.begin(*KEY, Stage.THREAD_BUILDING, {})
        [row] = rows(engine, steps)
        assert (row.status, row.reason, row.error, row.finished_at) == ("running", None, None, None)
        stores.steps.end(*KEY, StepStatus.RETRYING, reason="rate_limited", error="wait")
    [row] = rows(engine, steps)
    assert (row.attempts, row.status, row.reason) == (3, "retrying", "rate_limited")


def test_what_a_step_is_about_outlives_its_end_without_it(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine
) -> None:
    """An end that does not know its discussion leaves the one that is known."""
    parsed = parsed_of(slack_config)
    stores.steps.begin(*KEY, Stage.THREAD_BUILDING, {})
    links = {"team_id": parsed.team_id, "discussion_id": parsed.discussion_id}
    stores.steps.end(*KEY, StepStatus.RETRYING, **links)
    stores.steps.end(*KEY, StepStatus.FAILED)
    assert rows(engine, steps)[0].discussion_id == parsed.discussion_id


def test_an_output_comes_back_as_it_was(stores: Stores, slack_config: SourceConfig) -> None:
    """Thread and analysis survive the way through the database, to the microsecond and the emoji."""
    thread = thread_of(slack_config, [message(number, f"Größe {number} 🎉\n\ttab") for number in range(3)])
    task = DetectedTask(title="Fix it", priority=Priority.HIGH, due_date="2026-12-01", tags=("a", "b"))
    analysis = Analysis(
        discussion_id=thread.configured.parsed.discussion_id,
        findings=Findings(summary="…", confidence=0.1, tasks=(task,)),
        analyst="rules",
        cost_usd=0.000001,
    )
    for step, value in (("build_thread", thread), ("analyze_thread", analysis)):
        stores.steps.begin("run-1", step, Stage.AI_ANALYSIS, {})
        stores.steps.store_output("run-1", step, value.model_dump(mode="json"))
        assert type(value).model_validate(stores.steps.output("run-1", step)) == value


def test_an_output_without_a_record_is_kept_too(stores: Stores) -> None:
    """Dagster may store an output before or after the record is there."""
    stores.steps.store_output(*KEY, {"a": 1})
    stores.steps.begin(*KEY, Stage.THREAD_BUILDING, {})
    assert stores.steps.output(*KEY) == {"a": 1}
    stores.steps.store_output(*KEY, {"a": 2})
    assert stores.steps.output(*KEY) == {"a": 2}


def test_there_is_no_output_of_what_never_ran(stores: Stores) -> None:
    """Neither an unknown run nor an op without output has one."""
    stores.steps.begin(*KEY, Stage.THREAD_BUILDING, {})
    assert stores.steps.output(*KEY) is None
    assert stores.steps.output("run-2", KEY[1]) is None
