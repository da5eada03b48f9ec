"""What people see of a discussion's run while it works and when it is over: in its note, and in Dagster's log."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.errors import DagsterExecutionInterruptedError  # what a signal raises in an op
from psycopg.types.json import Jsonb

from discubot_pipeline.defs.jobs import retention_job
from discubot_pipeline.defs.resources import job
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import Scope, Stage, Trigger
from discubot_pipeline.domain.progress import StepState
from discubot_pipeline.store.tables import notes
from discubot_pipeline.tracking.logger import CONTEXT, DEBUG, KIND
from tests.defs.test_perform import SOON
from tests.defs.workshop import Ended, Workshop


def told(workshop: Workshop, run_id: str) -> list[tuple[str, str, str | None]]:
    """List the lines of people's log: kind, words, step."""
    events = [log.dagster_event for log in workshop.instance.all_logs(run_id)]
    ours = [event for event in events if event and event.is_engine_event and KIND in event.engine_event_data.metadata]
    return [(str(event.engine_event_data.metadata[KIND].value), event.message or "", event.step_key) for event in ours]


def states(workshop: Workshop, ended: Ended) -> list[str]:
    """List how the stages of a run stand, in their order."""
    return [workshop.note(ended.id).progress.steps[stage].value for stage in Stage]


def test_people_are_told_what_each_stage_has_brought(workshop: Workshop) -> None:
    """Three milestones and one sentence, each with its step."""
    workshop.paper.troubles["create Fix the header"] = [Permanent("validation", "too long")]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    summary = "2 tasks found in 1 message by 1 person: 1 page made, 1 missing."
    assert told(workshop, ended.id) == [
        ("milestone", "1 message by 1 person read", "build_thread"),
        ("milestone", "2 tasks found", "analyze_thread"),
        ("milestone", "1 page made, 1 missing", "create_tasks"),
        ("summary", summary, "finalize_discussion"),
    ]
    assert workshop.note(ended.id).summary == summary


def test_a_run_that_is_over_is_all_done(workshop: Workshop) -> None:
    """A hundred percent, every stage completed, and its last word is the summary."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    progress = workshop.note(ended.id).progress
    assert (progress.percent, progress.stage) == (100, Stage.NOTIFICATION)
    assert progress.message == workshop.note(ended.id).summary
    assert set(states(workshop, ended)) == {"completed"}


def test_a_run_that_finds_nothing_is_all_done_too(workshop: Workshop) -> None:
    """No page is no trouble, and the sentence says so."""
    workshop.paper.titles.clear()
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    note = workshop.note(ended.id)
    assert (ended.status, note.summary) == ("SUCCESS", "0 tasks found in 1 message by 1 person.")
    assert (note.progress.percent, note.progress.total, note.counters["created"]) == (100, None, 0)


def test_the_last_write_comes_before_dagster_calls_the_run_done(workshop: Workshop, engine: sa.Engine) -> None:
    """Who hears of the end finds everything written."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    with engine.connect() as connection:
        written = connection.execute(sa.select(notes.c.updated_at).where(notes.c.run_id == ended.id)).scalar_one()
    record = workshop.instance.get_run_record_by_id(ended.id)
    assert record is not None
    assert record.end_time is not None
    assert written.timestamp() <= record.end_time


def test_a_run_that_fails_keeps_what_it_had_done(workshop: Workshop) -> None:
    """Counters, and why it failed."""
    workshop.paper.troubles["reply"] = [ZeroDivisionError("oops")]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    note = workshop.note(ended.id)
    assert (ended.status, note.counters["created"], note.counters["tasks"]) == ("FAILURE", 2, 2)
    assert (note.summary, note.progress.percent) == ("Failed: ZeroDivisionError('oops')", 83)
    assert states(workshop, ended) == ["completed"] * 5 + ["failed"]
    assert note.progress.message == "ZeroDivisionError('oops')"


def test_a_retry_begins_where_the_chain_resumes(workshop: Workshop) -> None:
    """Its first sight is two thirds, never nothing."""
    workshop.paper.troubles["create Fix the header"] = [Permanent("unauthorized", "token")]
    workshop.paper.troubles["create Update the footer"] = [Permanent("unauthorized", "token")]
    failed = workshop.launch(delivery_ids=[workshop.deliver()])
    assert workshop.note(failed.id).counters["missing"] == 2
    with watched(workshop) as seen:
        child = workshop.reexecute(failed.id)
    note = workshop.note(child.id)
    assert seen
    assert seen == sorted(seen)
    assert (seen[0], note.progress.percent) == (66, 100)
    assert (note.trigger, note.counters["created"], note.counters["missing"]) == (Trigger.RETRY, 2, 0)
    assert note.params == workshop.note(failed.id).params != {}


@contextmanager
def watched(workshop: Workshop) -> Iterator[list[int]]:
    """Collect the percents that are written in the meantime."""
    seen: list[int] = []

    def look(_: Any, __: Any, ___: Any, parameters: dict[str, Any], *____: Any) -> None:
        objects = [value.obj for value in parameters.values() if isinstance(value, Jsonb)]
        seen.extend(each["percent"] for each in objects if "percent" in each)

    sa.event.listen(workshop.services.engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        sa.event.remove(workshop.services.engine, "before_cursor_execute", look)


def test_a_stage_that_is_tried_again_is_told_and_counted_once(workshop: Workshop) -> None:
    """The pages of the first try are found at the second."""
    workshop.paper.troubles["create Update the footer"] = [Transient("notion_down", "Notion is away", SOON)]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    warning = ("warning", "notion_down: Notion is away Trying again in 0.0 s.", "create_tasks")
    assert (ended.status, told(workshop, ended.id)[2]) == ("SUCCESS", warning)
    note = workshop.note(ended.id)
    assert (note.counters["created"], note.counters["missing"]) == (2, 0)


def test_a_run_with_nothing_to_do_says_so(workshop: Workshop) -> None:
    """Ignored is a state of its stage, and a sentence."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.services.stores.discussions.take(workshop.id, "another", ())
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    note = workshop.note(ended.id)
    assert note.progress.steps[Stage.CONFIG_LOADING] is StepState.IGNORED
    assert (note.summary or "").startswith("Nothing to do here: busy")


def test_a_run_that_is_cancelled_keeps_what_it_had_done(workshop: Workshop) -> None:
    """The interrupt passes through, and what was counted is written first."""
    workshop.paper.troubles["create Update the footer"] = [DagsterExecutionInterruptedError()]  # type: ignore[list-item]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    note = workshop.note(ended.id)
    assert (note.counters["created"], note.progress.current, note.progress.total) == (1, 1, 2)
    assert note.progress.message == "Making pages"
    assert note.progress.steps[Stage.TASK_CREATION] is StepState.CANCELLED


def test_work_does_not_depend_on_being_told_of(workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    """While the note cannot be written the pages are made all the same, and the log says what is missing."""

    def refuse(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("WITH written AS") and "progress" in statement:
            raise OSError("the disk is full")

    sa.event.listen(workshop.services.engine, "before_cursor_execute", refuse)
    try:
        ended = workshop.launch(delivery_ids=[workshop.deliver()])
    finally:
        sa.event.remove(workshop.services.engine, "before_cursor_execute", refuse)
    assert (ended.status, ended.tags["discubot/outcome"], len(workshop.paper.pages)) == ("SUCCESS", "completed", 2)
    assert "tracking_failed" in caplog.messages


@pytest.mark.parametrize("error", [Permanent("no_scope", "may not react"), ZeroDivisionError("oops")])
def test_work_does_not_depend_on_reactions(workshop: Workshop, error: Exception) -> None:
    """Neither a refusal nor a fault of ours in putting one stops a job."""
    workshop.paper.troubles["mark"] = [error, error]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert (ended.status, ended.tags["discubot/outcome"]) == ("SUCCESS", "completed")


@pytest.mark.parametrize("call", ["reply", "mark"])
def test_a_failure_that_cannot_be_told_is_closed_whatever_is_in_the_way(workshop: Workshop, call: str) -> None:
    """A fault of ours in telling leaves nothing open."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    workshop.paper.troubles[call] = [ZeroDivisionError("oops")] * 2
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert (ended.status, workshop.note(ended.id).reason) == ("FAILURE", "not_in_channel")
    assert workshop.discussion is not None
    assert workshop.discussion.active_run_id is None


def test_a_plain_run_costs_few_writes(workshop: Workshop) -> None:
    """Its note takes no more than its opening, its link, its end, and a write in each quarter of a second."""
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if re.search(r"(INSERT INTO|UPDATE|DELETE FROM) discubot\.notes\b", statement):
            statements.append(statement)

    sa.event.listen(workshop.services.engine, "before_cursor_execute", count)
    try:
        ended = workshop.launch(delivery_ids=[workshop.deliver()])
    finally:
        sa.event.remove(workshop.services.engine, "before_cursor_execute", count)
    record = workshop.instance.get_run_record_by_id(ended.id)
    assert record is not None
    assert record.end_time is not None
    assert record.start_time is not None
    assert len(statements) <= 3 + 2 + (record.end_time - record.start_time) / 0.25


def test_a_run_tagged_for_it_keeps_debug_lines(workshop: Workshop) -> None:
    """The resource reads the tag of its run."""

    @dg.op(required_resource_keys={"job"})
    def look(context: dg.OpExecutionContext) -> None:
        context.resources.job.debug("Looking", depth=3)

    @dg.job(executor_def=dg.in_process_executor)
    def looking() -> None:
        look()

    resources = {"services": workshop.services, "job": job}
    kept = [
        told(workshop, looking.execute_in_process(instance=workshop.instance, resources=resources, tags=tags).run_id)
        for tags in ({}, {DEBUG: "true"})
    ]
    assert kept == [[], [("debug", "Looking", "look")]]


def test_the_clean_up_is_a_job_of_the_system(workshop: Workshop) -> None:
    """Its note has everything that any job's has."""
    tags = {"dagster/schedule_name": "retention"}
    result = retention_job.execute_in_process(
        {"ops": {"remove_old": {"config": {"dry_run": True}}}},
        instance=workshop.instance,
        resources={"services": workshop.services, "job": job},
        tags=tags,
    )
    note = workshop.note(result.run_id)
    assert (note.job_name, note.scope, note.trigger) == ("retention_job", Scope.SYSTEM, Trigger.SCHEDULE)
    assert (note.params, note.counters) == ({"dry_run": True}, {"payloads": 0, "analyses": 0, "operations": 0})
    assert (note.summary, note.progress.percent) == ("Would remove 0 jobs and 0 payloads.", 100)
    assert set(note.progress.steps.values()) == {StepState.COMPLETED}
    assert [line[0] for line in told(workshop, result.run_id)] == ["summary"]


def test_lines_have_their_level_and_context(workshop: Workshop) -> None:
    """So that a reader may ask for warnings only, and see what they are about."""
    workshop.paper.troubles["fetch"] = [Transient("slack_down", "Slack is away", SOON)]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    [warning] = [log for log in workshop.instance.all_logs(ended.id) if log.level == logging.WARNING]
    assert warning.get_dagster_event().engine_event_data.metadata[CONTEXT].value == {
        "reason": "slack_down",
        "seconds": 0.001,
    }
