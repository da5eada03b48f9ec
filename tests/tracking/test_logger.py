"""The job logger: what a job tells stands in its note and in Dagster's log, and never fails its work."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.notes import Note, Notes
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking.batch import PAUSE
from discubot_pipeline.tracking.logger import CONTEXT, DEBUG, KIND, STAGE, JobLogger
from tests.tracking.hands import Time

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:9/none"
"""A database that does not answer."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def time() -> Time:
    """Give a clock to set by hand."""
    return Time()


class Bench:
    """A run at work, with its logger, its note and its log."""

    def __init__(self, instance: dg.DagsterInstance, notes: Notes, time: Time, **tags: str) -> None:
        self.run = dg.DagsterRun(job_name="discussion_job", run_id=str(uuid4()), tags=tags)
        self.instance, self.notes = instance, notes
        notes.open(self.run.run_id, self.run.run_id, Trigger.WEBHOOK, {"delivery_ids": [1]}, "0.1.0")
        self.log = JobLogger(self.run, instance, notes, tuple(Stage), time.later)

    @property
    def note(self) -> Note:
        """Read the note."""
        note = self.notes.get(self.run.run_id)
        assert note is not None
        return note

    @property
    def lines(self) -> list[tuple[int | str, str, dict[str, Any]]]:
        """List the lines of the log: level, words, metadata."""
        entries = [entry for entry in self.instance.all_logs(self.run.run_id) if entry.dagster_event]
        return [
            (
                entry.level,
                entry.message,
                {name: each.value for name, each in entry.get_dagster_event().engine_event_data.metadata.items()},
            )
            for entry in entries
        ]


@pytest.fixture
def bench(instance: dg.DagsterInstance, stores: Stores, time: Time) -> Bench:
    """Give a run at work."""
    return Bench(instance, stores.notes, time)


def test_progress_and_outcome_stand_in_the_note(bench: Bench, time: Time) -> None:
    """A moment after they are told, with parameters apart."""
    bench.log.set_stage("task_creation", "Making pages")
    bench.log.set_total(4, "pages")
    bench.log.increment()
    bench.log.add_outcome(created=1)
    time.pass_to(time.now + PAUSE)
    note = bench.note
    assert (note.stage, note.progress.message) == (Stage.TASK_CREATION, "Making pages")
    assert (note.progress.current, note.progress.total, note.progress.unit) == (1, 4, "pages")
    assert (note.counters, note.params) == ({"created": 1}, {"delivery_ids": [1]})


def test_the_first_stage_is_written_at_once(bench: Bench) -> None:
    """A run that dies the next moment is known to have begun; later stages take their time."""
    bench.log.set_stage("ingestion")
    bench.log.set_stage("config_loading")
    assert bench.note.stage is Stage.INGESTION


def test_writes_are_a_pause_apart(bench: Bench, time: Time, stores: Stores) -> None:
    """A job that tells a hundred things in a second costs no more than five statements, and one at its end."""
    statements: list[str] = []

    def count(*call: Any) -> None:
        statements.append(call[2])

    sa.event.listen(stores.engine, "before_cursor_execute", count)
    try:
        bench.log.set_total(100)
        for number in range(1, 101):
            time.pass_to(100 + number / 100)
            bench.log.increment()
            bench.log.add_outcome(done=1)
        assert len(statements) <= 5
        bench.log.save_outcome()
        assert len(statements) <= 6
    finally:
        sa.event.remove(stores.engine, "before_cursor_execute", count)
    assert (bench.note.progress.current, bench.note.counters) == (100, {"done": 100})


def test_a_stage_that_is_tried_again_counts_once(bench: Bench) -> None:
    """What other stages have counted stays."""
    bench.log.set_stage("ai_analysis")
    bench.log.add_outcome(tasks=3)
    for _ in range(2):
        bench.log.set_stage("task_creation")
        bench.log.add_outcome(created=2, missing=0)
    bench.log.set_stage("ai_analysis")
    bench.log.save_outcome()
    assert bench.note.counters == {"tasks": 3, "created": 2, "missing": 0}
    assert bench.note.stage is Stage.TASK_CREATION


def test_a_share_may_be_told_where_nothing_can_be_counted(bench: Bench) -> None:
    """It is of the stage, and never taken back."""
    bench.log.set_stage("ai_analysis")
    bench.log.set_progress(50, "Half of it")
    bench.log.set_progress(10)
    assert (bench.log.progress.percent, bench.log.progress.message) == (58, "Half of it")


@pytest.mark.parametrize(
    ("error", "state"), [(ValueError, "failed"), (KeyboardInterrupt, "cancelled")], ids=["failed", "cancelled"]
)
def test_what_a_stage_had_done_is_saved_when_it_is_stopped(
    bench: Bench, error: type[BaseException], state: str
) -> None:
    """At once, without waiting for the pause."""

    def work() -> None:
        with bench.log.stage("task_creation"):
            bench.log.add_outcome(created=1)
            raise error

    with pytest.raises(error):
        work()
    assert (bench.note.counters, bench.note.progress.steps["task_creation"]) == ({"created": 1}, state)


def test_a_line_with_context_is_an_event_that_carries_it(bench: Bench) -> None:
    """With its kind and its stage, at its level; a milestone is one even without."""
    bench.log.set_stage("task_creation")
    bench.log.info("One page made", page="p1")
    bench.log.milestone("All pages made")
    bench.log.warning("Slow today", seconds=1.5, since=Stage)
    bench.log.error("Nothing works", reason="none")
    [info, milestone, warning, error] = bench.lines
    stage = {STAGE: "task_creation"}
    assert info == (logging.INFO, "One page made", {KIND: "info", CONTEXT: {"page": "p1"}} | stage)
    assert milestone == (logging.INFO, "All pages made", {KIND: "milestone"} | stage)
    assert (warning[0], warning[2][KIND], warning[2][CONTEXT]["seconds"]) == (logging.WARNING, "warning", 1.5)
    assert (error[0], error[2][KIND]) == (logging.ERROR, "error")


def test_debug_is_kept_for_runs_that_ask_for_it(bench: Bench, instance: dg.DagsterInstance, stores: Stores) -> None:
    """Others store nothing of it."""
    bench.log.debug("The third call", number=3)
    assert bench.lines == []
    watched = Bench(instance, stores.notes, Time(), **{DEBUG: "true"})
    watched.log.debug("The third call", number=3)
    assert watched.lines == [(logging.DEBUG, "The third call", {KIND: "debug", CONTEXT: {"number": 3}})]


def test_the_summary_stands_in_the_note_and_in_the_log(bench: Bench) -> None:
    """It is the last word."""
    bench.log.summary("Two pages made.", created=2)
    bench.log.save_outcome()
    assert bench.note.summary == "Two pages made."
    assert bench.lines == [(logging.INFO, "Two pages made.", {KIND: "summary", CONTEXT: {"created": 2}})]


def test_lines_within_an_op_are_its_step_s(stores: Stores) -> None:
    """Those without context are plain lines of Dagster's own log."""

    @dg.op
    def talk(context: dg.OpExecutionContext) -> None:
        stores.notes.open(context.run_id, context.run_id, Trigger.MANUAL, {}, "0.1.0")
        log = JobLogger(context.run, context.instance, stores.notes)
        log.info("A plain line")
        log.info("A line with more", number=1)

    @dg.job(executor_def=dg.in_process_executor)
    def chat() -> None:
        talk()

    with dg.DagsterInstance.ephemeral() as instance:
        run_id = chat.execute_in_process(instance=instance).run_id
        lines = {entry.message: entry for entry in instance.all_logs(run_id)}
    assert [lines[words].step_key for words in ("A plain line", "A line with more")] == ["talk", "talk"]
    assert lines["A plain line"].dagster_event is None
    assert lines["A line with more"].is_dagster_event


def test_nothing_that_goes_wrong_here_fails_the_work(
    instance: dg.DagsterInstance, stores: Stores, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is away, context that cannot be written, words that make no sense: all of it is logged."""
    bench = Bench(instance, stores.notes, time)
    away = connect(NOBODY)
    broken = JobLogger(bench.run, instance, Notes(away), tuple(Stage), time.later)
    endless: dict[str, Any] = {}
    endless["itself"] = endless
    with broken.stage("task_creation"):
        broken.milestone("All pages made", **endless)
        broken.set_progress(float("nan"))
        broken.increment("many")  # type: ignore[arg-type]
        broken.summary("It went well.", **endless)
    time.pass_to(time.now + 1)
    broken.save_outcome()
    calls = [vars(record).get("call", "write") for record in caplog.records if record.msg == "tracking_failed"]
    assert calls == ["write", "milestone", "set_progress", "increment", "summary", "write", "write"]
    assert broken.progress.steps["task_creation"] == "completed"
    away.dispose()
