"""Notes: what is known of a run; its first end is its last."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
from discubot_pipeline.store.notes import Note
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


def test_a_note_is_opened_once(stores: Stores, engine: sa.Engine) -> None:
    """Each op opens the note of its run; what the first one wrote stays."""
    opened(stores)
    stores.notes.open("run-1", "other", Trigger.RETRY, {}, "9.9.9")
    [row] = rows(engine, notes)
    assert (row.root_run_id, row.trigger, row.pipeline_version) == ("run-1", "webhook", "0.1.0")
    assert row.params == {"delivery_ids": [1]}


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
