"""A discussion is one run's at a time; a run that lost its hold writes nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.analysis import Analysis, DetectedTask, Findings, Sentiment
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Attachment, Author, DiscussionStatus
from discubot_pipeline.domain.errors import Ignored
from discubot_pipeline.domain.job import Stage
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, messages
from tests.store.samples import ago, change, message, parsed_of, rows, thread_of

DONE = DiscussionStatus.COMPLETED


def the_one(stores: Stores, config: SourceConfig) -> Discussion:
    """Read the discussion of the sample thread."""
    found = stores.discussions.get(parsed_of(config).discussion_id)
    assert found is not None
    return found


class TestHold:
    """Who has a discussion."""

    def test_a_new_discussion_is_its_first_runs(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Opening makes the row, in work and held."""
        parsed = parsed_of(slack_config)
        assert stores.discussions.open(parsed, "run-1", ()) == 1
        found = the_one(stores, slack_config)
        assert (found.status, found.active_run_id, found.run_id) == ("processing", "run-1", "run-1")
        assert stores.discussions.holder(parsed.discussion_id) == "run-1"
        assert [one.id for one in stores.discussions.at_work()] == [parsed.discussion_id]

    def test_another_run_finds_it_busy(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Neither open nor take give away what a run holds; the run itself may ask again."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        for attempt in (stores.discussions.open, lambda p, *more: stores.discussions.take(p.discussion_id, *more)):
            with pytest.raises(Ignored, match="busy"):
                attempt(parsed, "run-2", ("run-0",))
        assert stores.discussions.open(parsed, "run-1", ()) == 1
        assert stores.discussions.take(parsed.discussion_id, "run-1", ())

    def test_a_run_of_the_chain_takes_over(self, stores: Stores, slack_config: SourceConfig) -> None:
        """A run may follow those that are named as free, and its predecessor is out."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        assert stores.discussions.take(parsed.discussion_id, "run-2", ["run-1"])
        assert stores.discussions.holder(parsed.discussion_id) == "run-2"
        assert not stores.discussions.finish(parsed.discussion_id, "run-1", DONE)

    def test_there_is_nothing_to_take_before_the_first_run(self, stores: Stores) -> None:
        """Taking what is not there yet is no error: the second stage makes it."""
        assert not stores.discussions.take(uuid4(), "run-1", ())
        assert stores.discussions.holder(uuid4()) is None

    def test_finishing_frees(self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
        """After the end the next run gets it, and what the last one ended with is forgotten."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        why = {"reason": "not_found", "error": "no such database", "failed_stage": Stage.TASK_CREATION}
        assert stores.discussions.finish(parsed.discussion_id, "run-1", DiscussionStatus.FAILED, **why)
        found = the_one(stores, slack_config)
        assert (found.status, found.reason, found.active_run_id) == ("failed", "not_found", None)
        assert stores.discussions.open(parsed, "run-2", ()) == 2
        [row] = rows(engine, discussions)
        assert (row.status, row.reason, row.error, row.failed_stage) == ("processing", None, None, None)
        assert (row.completed_at, row.run_id) == (None, "run-2")

    def test_releasing_changes_nothing_else(self, stores: Stores, slack_config: SourceConfig) -> None:
        """A run that has to wait gives the discussion back as it stands; another run cannot do that for it."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        stores.discussions.release(parsed.discussion_id, "run-2")
        assert the_one(stores, slack_config).active_run_id == "run-1"
        stores.discussions.release(parsed.discussion_id, "run-1")
        found = the_one(stores, slack_config)
        assert (found.status, found.active_run_id) == ("processing", None)

    @pytest.mark.parametrize(("status", "is_done"), [("completed", True), ("partial", True), ("cancelled", False)])
    def test_an_end_has_its_time(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine, status: str, is_done: bool
    ) -> None:
        """How long the run took is noted, and when it was completed if it was."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        change(engine, discussions, started_at=ago(seconds=2))
        stores.discussions.finish(parsed.discussion_id, "run-1", DiscussionStatus(status))
        [row] = rows(engine, discussions)
        assert 2000 <= row.processing_ms < 60_000
        assert (row.completed_at is not None) is is_done

    def test_an_end_after_a_month_is_an_end(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """A discussion that was held while the system stood still for weeks can be closed."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        change(engine, discussions, started_at=ago(days=40))
        assert stores.discussions.finish(parsed.discussion_id, "run-1", DiscussionStatus.FAILED, reason="crashed")

    def test_a_retry_within_the_run_keeps_its_start(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """Taking again what one has does not start the clock anew; a new run does."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        change(engine, discussions, started_at=ago(hours=1))
        [before] = rows(engine, discussions)
        stores.discussions.take(parsed.discussion_id, "run-1", ())
        assert rows(engine, discussions)[0].started_at == before.started_at
        stores.discussions.take(parsed.discussion_id, "run-2", ["run-1"])
        assert rows(engine, discussions)[0].started_at - before.started_at > timedelta(minutes=59)


class TestFence:
    """Every write says which run it is of."""

    def test_a_run_that_lost_its_hold_writes_nothing(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """Thread, analysis and end of the earlier run change nothing of the later one's discussion."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        stores.discussions.take(parsed.discussion_id, "run-2", ["run-1"])
        before = rows(engine, discussions)
        with pytest.raises(Ignored, match="busy"):
            stores.discussions.record_thread(thread_of(slack_config, [message(1)]), "run-1")
        stores.discussions.record_analysis(analysis_of(parsed.discussion_id), "run-1")
        assert not stores.discussions.finish(parsed.discussion_id, "run-1", DONE)
        stores.discussions.release(parsed.discussion_id, "run-1")
        assert rows(engine, discussions) == before
        assert stores.discussions.messages_of(parsed.discussion_id) == 0


class TestThread:
    """What is stored of a thread."""

    def test_a_long_thread_is_stored_once(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Three hundred messages, read twice, are three hundred rows."""
        thread = thread_of(slack_config, [message(number) for number in range(300)])
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        for _ in range(2):
            stores.discussions.record_thread(thread, "run-1")
        assert stores.discussions.messages_of(thread.configured.parsed.discussion_id) == 300
        assert the_one(stores, slack_config).total_messages == 300

    def test_a_thread_longer_than_a_batch_keeps_its_order(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """The positions of twelve hundred messages go on from batch to batch."""
        thread = thread_of(slack_config, [message(number) for number in range(1200)])
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        stores.discussions.record_thread(thread, "run-1")
        stored = {row.position: row.source_message_id for row in rows(engine, messages)}
        assert stored == {number: f"m{number}" for number in range(1200)}

    def test_an_edited_message_replaces_its_text(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """The newest version of a message is the one that is kept, at its new place."""
        first = thread_of(slack_config, [message(1, "helo"), message(2)])
        stores.discussions.open(first.configured.parsed, "run-1", ())
        stores.discussions.record_thread(first, "run-1")
        later = thread_of(slack_config, [message(0), message(1, "hello"), message(2)])
        stores.discussions.record_thread(later, "run-1")
        stored = {row.source_message_id: (row.position, row.content) for row in rows(engine, messages)}
        assert stored == {"m0": (0, "message 0"), "m1": (1, "hello"), "m2": (2, "message 2")}

    def test_a_message_that_comes_twice_is_stored_once(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """A source that repeats a message within one thread does no harm; its last version counts."""
        thread = thread_of(slack_config, [message(1, "helo"), message(2), message(1, "hello")])
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        stores.discussions.record_thread(thread, "run-1")
        assert sorted(row.content for row in rows(engine, messages)) == ["hello", "message 2"]

    def test_what_a_database_cannot_hold_does_not_stop_a_thread(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """NUL characters and halves of characters that people paste are left out, the rest stays."""
        author = Author(id="U1", name="An\0na")
        thread = thread_of(slack_config, [message(1, "a\0b\ud800c 🎉", author)], title="a\0b")
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        stores.discussions.record_thread(thread, "run-1")
        [row] = rows(engine, messages)
        assert row.author_name == "Anna"
        assert row.content.startswith("ab")
        assert row.content.endswith("c 🎉")

    def test_a_thread_describes_its_discussion(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """Title, link, first words, their author and the people are kept with the discussion."""
        ben = Author(id="U2", name="Ben")
        file = Attachment(name="plan.pdf", url="https://files.example/1", kind="application/pdf")
        first = message(1).model_copy(update={"attachments": (file,)})
        thread = thread_of(slack_config, [first, message(2, author=ben), message(3)])
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        stores.discussions.record_thread(thread, "run-1")
        [row] = rows(engine, discussions)
        assert (row.title, row.source_url, row.content) == (thread.title, thread.url, "message 1")
        assert (row.author_id, row.author_handle, row.author_name) == ("U1", "anna", "Anna")
        assert row.participants == ["Anna", "Ben"]
        assert rows(engine, messages)[0].attachments == [file.model_dump()]

    def test_a_thread_may_be_empty(self, stores: Stores, slack_config: SourceConfig) -> None:
        """A bare mention without a thread is a discussion without messages."""
        thread = thread_of(slack_config)
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        stores.discussions.record_thread(thread, "run-1")
        assert the_one(stores, slack_config).total_messages == 0

    def test_an_analysis_is_kept_with_its_discussion(
        self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """Summary, key points, mood, and the action items: a task without any is one itself."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        stores.discussions.record_analysis(analysis_of(parsed.discussion_id), "run-1")
        [row] = rows(engine, discussions)
        assert (row.ai_summary, row.ai_key_points) == ("Header breaks", ["on phones"])
        assert row.ai_action_items == ["Look", "Repair", "Tell Ben"]
        assert (row.sentiment, row.confidence, row.analyst) == ("negative", 0.8, "rules")
        assert row.is_multi_task


def test_another_teams_discussion_is_not_there(stores: Stores, slack_config: SourceConfig) -> None:
    """An id opens a discussion only together with its own team, where a team is named."""
    parsed = parsed_of(slack_config)
    stores.discussions.open(parsed, "run-1", ())
    assert stores.discussions.get(parsed.discussion_id, slack_config.team_id) is not None
    assert stores.discussions.get(parsed.discussion_id, uuid4()) is None
    assert stores.discussions.get(uuid4()) is None


def analysis_of(discussion_id: object) -> Analysis:
    """Make an analysis with two tasks."""
    tasks = (DetectedTask(title="Fix the header", action_items=("Look", "Repair")), DetectedTask(title="Tell Ben"))
    findings = Findings(
        summary="Header breaks", key_points=("on phones",), sentiment=Sentiment.NEGATIVE, confidence=0.8, tasks=tasks
    )
    return Analysis(discussion_id=discussion_id, findings=findings, analyst="rules")
