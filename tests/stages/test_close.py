"""A run that did not reach its last stage is closed: failed with a word to the people, cancelled without."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.job import Stage
from discubot_pipeline.stages.close import close_cancelled, close_failed
from discubot_pipeline.store.tables import discussions, notes, source_configs
from tests.stages.acme import JOB, Acme, job
from tests.store.samples import rows

WORDS = "❌ I could not turn this thread into tasks (not_found). Nothing is lost: it can be retried."
Close = Callable[[Acme], None]


def fail(acme: Acme, run_id: str = "run-1", root: str = "run-1") -> None:
    """Close a run as failed."""
    why = ("not_found", "Share the database")
    close_failed(run_id, root, Stage.TASK_CREATION, *why, acme.stores, acme.outside)


def cancel(acme: Acme) -> None:
    """Close a run as cancelled."""
    close_cancelled("run-1", acme.stores)


def asked(acme: Acme) -> tuple[int, Thread]:
    """Let a run have begun upon a mention."""
    id = acme.ask()
    return id, acme.gather(delivery_ids=(id,))


def seen(acme: Acme, thread: Thread) -> tuple[list[str], list[str]]:
    """Read the bot's answers in the thread and its reactions on the mention."""
    parsed = thread.configured.parsed
    marks = acme.slack.marks(parsed.ref.thread_id, parsed.mention_ids[0])
    return acme.slack.answers(parsed.ref.thread_id), marks


class TestFailed:
    """For good."""

    def test_it_is_told_and_noted(self, acme: Acme, engine: sa.Engine) -> None:
        """One short answer and ❌ in the thread; discussion, delivery and note have the reason."""
        id, thread = asked(acme)
        fail(acme)
        assert seen(acme, thread) == ([WORDS], ["eyes", "x"])
        assert acme.status_of(id) == ("failed", "not_found", "run-1")
        [discussion], [note] = rows(engine, discussions), rows(engine, notes)
        assert (discussion.status, discussion.reason, discussion.error) == ("failed", "not_found", "Share the database")
        assert (discussion.failed_stage, discussion.active_run_id) == ("task_creation", None)
        assert (note.outcome, note.reason, note.error) == ("failed", "not_found", "Share the database")

    def test_twice_is_harmless(self, acme: Acme, engine: sa.Engine) -> None:
        """The hook and the sensor may both close a run: one answer, and the first reason stays."""
        _, thread = asked(acme)
        fail(acme)
        close_failed("run-1", "run-1", None, "crashed", "the process died", acme.stores, acme.outside)
        cancel(acme)
        assert seen(acme, thread) == ([WORDS], ["eyes", "x"])
        assert rows(engine, discussions)[0].reason == rows(engine, notes)[0].reason == "not_found"

    def test_a_chain_fails_aloud_once(self, acme: Acme) -> None:
        """When a retry of the same job fails as well, people are not told again."""
        id, thread = asked(acme)
        fail(acme)
        acme.gather(job("run-2", root="run-1", parent_run_id="run-1"), delivery_ids=(id,))
        fail(acme, "run-2")
        assert seen(acme, thread)[0] == [WORDS]
        assert acme.status_of(id) == ("failed", "not_found", "run-2")

    def test_the_reasons_message_is_not_posted(self, acme: Acme) -> None:
        """What went wrong inside may quote names of databases: people get the constant."""
        _, thread = asked(acme)
        fail(acme)
        assert "Share the database" not in seen(acme, thread)[0][0]

    def test_a_lost_answer_is_not_repeated(self, acme: Acme) -> None:
        """Also this answer is given once, when its first try was carried out unseen."""
        _, thread = asked(acme)
        with acme.slack.losing_the_answer():
            fail(acme)
        assert seen(acme, thread)[0] == [WORDS]

    @pytest.mark.parametrize("match", ["chat.postMessage", "reactions.add"])
    def test_a_source_that_is_down_stops_nothing(
        self, acme: Acme, match: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """That nobody could be told is logged; the discussion ends all the same."""
        id, thread = asked(acme)
        with acme.sandbox.fault(service="slack", match=match, kind="status", status=503, times=None):
            fail(acme)
        assert "failure_reply_failed" in caplog.messages
        assert acme.status_of(id)[0] == "failed"
        assert acme.stores.discussions.holder(thread.configured.parsed.discussion_id) is None

    def test_a_source_that_is_gone_stops_nothing(self, acme: Acme, engine: sa.Engine) -> None:
        """A discussion outlives its source config, and can be closed."""
        asked(acme)
        with engine.begin() as connection:
            connection.execute(sa.delete(source_configs))
        fail(acme)
        assert rows(engine, discussions)[0].status == "failed"

    def test_a_launch_by_a_person_is_told_on_the_thread(self, acme: Acme) -> None:
        """Where nobody asked, the first message gets the ❌."""
        thread = acme.held()
        fail(acme)
        ref = thread.configured.parsed.ref
        assert acme.slack.marks(ref.thread_id, thread.messages[0].id) == ["eyes", "x"]


class TestCancelled:
    """By a person."""

    def test_nothing_is_posted(self, acme: Acme, engine: sa.Engine) -> None:
        """Who cancels knows; discussion, delivery and note say that it was cancelled."""
        id, thread = asked(acme)
        with acme.calls() as calls:
            cancel(acme)
        assert calls == []
        assert seen(acme, thread) == ([], ["eyes"])
        assert acme.status_of(id) == ("failed", "cancelled", "run-1")
        [discussion], [note] = rows(engine, discussions), rows(engine, notes)
        assert (discussion.status, discussion.active_run_id) == ("cancelled", None)
        assert (note.outcome, note.reason) == ("cancelled", "cancelled")

    def test_twice_is_harmless(self, acme: Acme, engine: sa.Engine) -> None:
        """A late failure does not turn a cancellation into one, nor does it speak."""
        _, thread = asked(acme)
        cancel(acme)
        cancel(acme)
        fail(acme)
        assert seen(acme, thread) == ([], ["eyes"])
        assert rows(engine, discussions)[0].status == "cancelled"


@pytest.mark.parametrize("close", [fail, cancel])
class TestWhoseItIs:
    """Only what the run still holds is closed."""

    def test_another_runs_discussion_stays(self, acme: Acme, engine: sa.Engine, close: Close) -> None:
        """A run that was overtaken ends itself, and leaves discussion and thread to the one at work."""
        id, thread = asked(acme)
        acme.stores.discussions.take(thread.configured.parsed.discussion_id, "run-2", ["run-1"])
        acme.stores.inboxes[SourceType.SLACK].inherit(["run-1"], "run-2")
        close(acme)
        assert seen(acme, thread) == ([], ["eyes"])
        assert acme.status_of(id) == ("running", None, "run-2")
        [discussion] = rows(engine, discussions)
        assert (discussion.status, discussion.active_run_id) == ("processing", "run-2")
        assert rows(engine, notes)[0].closed_at is not None

    def test_a_run_that_never_began(self, acme: Acme, close: Close) -> None:
        """Without note, discussion or deliveries there is nothing to close, and no error."""
        close(acme)

    def test_a_run_that_stopped_in_its_first_stage(self, acme: Acme, close: Close) -> None:
        """A delivery that was claimed is closed though no discussion was opened yet."""
        id = acme.ask()
        acme.parse(JOB, delivery_ids=(id,))
        close(acme)
        assert acme.status_of(id)[0] == "failed"
