"""Notes: what is known of a run; its first end is its last."""

from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger
from discubot_pipeline.domain.progress import Progress
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.notes import CHANNEL, Note
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import notes
from tests.store.samples import parsed_of, rows


def opened(stores: Stores, run_id: str = "run-1", root: str = "run-1") -> None:
    """Open the note of a run."""
    stores.notes.open(run_id, root, Trigger.WEBHOOK, {"delivery_ids": [1]}, "0.1.0")


def read(stores: Stores, run_id: str = "run-1") -> Note:
    """Read a note that must be there."""
    note = stores.notes.get(run_id)
    assert note is not None
    return note


def test_a_run_knows_best_what_it_is(stores: Stores, engine: sa.Engine) -> None:
    """Of a note that somebody else has begun, job, trigger and parameters become the run's own; its state stays."""
    stores.notes.open("run-1", "other", Trigger.RETRY, {}, "9.9.9", "retention_job", Scope.SYSTEM)
    stores.notes.track("run-1", Progress(percent=7), {"created": 1}, "So far so good.")
    opened(stores)
    [row] = rows(engine, notes)
    assert (row.root_run_id, row.trigger, row.pipeline_version) == ("run-1", "webhook", "0.1.0")
    assert (row.job_name, row.scope, row.params) == ("discussion_job", "team", {"delivery_ids": [1]})
    assert (row.progress["percent"], row.counters, row.summary) == (7, {"created": 1}, "So far so good.")


def test_a_note_follows_the_stages(stores: Stores, slack_config: SourceConfig) -> None:
    """Stage and links are as the last op wrote them."""
    parsed = parsed_of(slack_config)
    opened(stores)
    links = {"team_id": parsed.team_id, "discussion_id": parsed.discussion_id}
    stores.notes.stage("run-1", Stage.INGESTION)
    stores.notes.stage("run-1", Stage.CONFIG_LOADING, **links)
    note = read(stores)
    assert (note.stage, note.discussion_id) == (Stage.CONFIG_LOADING, parsed.discussion_id)
    assert [one.run_id for one in stores.notes.of_discussion(parsed.discussion_id)] == ["run-1"]


def test_the_first_end_is_the_last(stores: Stores) -> None:
    """Of two who close a note one is told that it came too late, and changes nothing."""
    opened(stores)
    assert stores.notes.close("run-1", RunOutcome.PARTIAL, reason="not_found", counters={"created": 1})
    before = read(stores)
    assert not stores.notes.close("run-1", RunOutcome.FAILED, reason="crashed", error="x")
    assert read(stores) == before
    assert (before.outcome, before.reason, before.counters) == (RunOutcome.PARTIAL, "not_found", {"created": 1})
    assert before.closed_at is not None


def test_progress_has_the_shape_that_is_promised(stores: Stores, engine: sa.Engine) -> None:
    """What is written is what people read; what only counts behind it is not."""
    opened(stores)
    stores.notes.track("run-1", Progress.planned(Stage).enter("ai_analysis", "Reading").of(3, "tasks"), {}, None)
    [row] = rows(engine, notes)
    steps = dict.fromkeys(Stage, "pending") | dict.fromkeys(list(Stage)[:3], "completed") | {"ai_analysis": "running"}
    shown = {"stage": "ai_analysis", "percent": 50, "current": 0, "total": 3, "unit": "tasks", "message": "Reading"}
    assert (row.stage, row.progress) == ("ai_analysis", shown | {"steps": steps})


def test_a_stage_of_another_job_stands_in_progress_only(stores: Stores) -> None:
    """The column is for the six stages of a discussion."""
    opened(stores)
    stores.notes.track("run-1", Progress().enter("payloads"), {}, None)
    assert (read(stores).stage, read(stores).progress.stage) == (None, "payloads")


def test_the_end_keeps_what_the_run_has_counted_and_said(stores: Stores) -> None:
    """Who closes it from outside adds what is missing, and replaces nothing."""
    opened(stores)
    stores.notes.track("run-1", Progress(), {"created": 2, "missing": 0}, "Two pages made.")
    stores.notes.close("run-1", RunOutcome.PARTIAL, counters={"missing": 1}, summary="It ended.")
    note = read(stores)
    assert (note.counters, note.summary) == ({"created": 2, "missing": 1}, "Two pages made.")
    stores.notes.track("run-1", note.progress, {}, None)
    assert read(stores).summary == "Two pages made."


def test_every_change_is_told_once(stores: Stores, settings: Settings) -> None:
    """Stage, progress and outcome ring with the run's id; what changes nothing does not."""
    opened(stores)
    with psycopg.connect(settings.listen_url, autocommit=True) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        stores.notes.stage("run-1", Stage.INGESTION)
        stores.notes.track("run-1", Progress(percent=1), {}, None)
        assert stores.notes.close("run-1", RunOutcome.COMPLETED)
        assert not stores.notes.close("run-1", RunOutcome.FAILED)
        stores.notes.track("run-9", Progress(percent=1), {}, None)
        assert [each.payload for each in ear.notifies(timeout=1, stop_after=4)] == ["run-1"] * 3


def test_a_deferred_run_says_when_it_goes_on(stores: Stores) -> None:
    """The time of the next try is kept with its reason."""
    at = datetime(2026, 11, 22, tzinfo=UTC)
    opened(stores)
    stores.notes.close("run-1", RunOutcome.DEFERRED, reason="rate_limited", not_before=at)
    assert read(stores).not_before == at


def test_the_root_of_a_chain(stores: Stores) -> None:
    """Every run knows the first one of its chain; who is unknown has none."""
    opened(stores, "run-2", "run-1")
    assert stores.notes.root_of("run-2") == "run-1"
    assert stores.notes.root_of("run-9") is None
    assert stores.notes.root_of(None) is None


@pytest.mark.parametrize("run_id", ["run-9", ""])
def test_a_run_without_a_note(stores: Stores, run_id: str) -> None:
    """What was never opened can be neither closed nor read."""
    assert not stores.notes.close(run_id, RunOutcome.FAILED)
    assert stores.notes.get(run_id) is None
