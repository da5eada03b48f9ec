"""The last stage answers once, and ends everything at the same moment."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.errors import Ignored, Transient
from discubot_pipeline.domain.job import LONGEST_WAIT, Job, Outcome, RunOutcome
from discubot_pipeline.domain.task import CreatedTasks, MadeTask, Missing
from discubot_pipeline.stages.notify import notify
from discubot_pipeline.store.tables import discussions, notes, replies, source_configs
from tests.stages.acme import JOB, Acme, analysis_of, job
from tests.store.samples import change, rows

LAST = JOB.model_copy(update={"is_last_attempt": True})


def task(title: str, **more: Any) -> MadeTask:
    """Make a task that stands in Notion."""
    return MadeTask(title=title, page_id=title, url=f"https://notion.so/{len(title)}", **more)


def lacking(title: str, output: str = "design") -> Missing:
    """Make a task that could not be made."""
    return Missing(title=title, output=output, reason="not_found", message="Share the database")


def notified(
    acme: Acme, thread: Thread, made: Sequence[MadeTask] = (), missing: Sequence[Missing] = (), run: Job = JOB
) -> Outcome:
    """Notify of tasks."""
    created = CreatedTasks(analysis=analysis_of(thread), made=tuple(made), missing=tuple(missing))
    return notify(thread, created, run, acme.stores, acme.outside)


def answers(acme: Acme, thread: Thread) -> list[str]:
    """Read what the bot has said in a thread."""
    return acme.slack.answers(thread.configured.parsed.ref.thread_id)


class TestWords:
    """What people read."""

    @pytest.mark.parametrize(
        ("made", "missing", "words"),
        [
            (
                [],
                [],
                "✅ I read the thread and found nothing to be done. "
                "To make a task all the same: mention me with “task: …”.",
            ),
            ([task("Fix it")], [], "✅ 1 task created in Notion\n1. <https://notion.so/6|Fix it>"),
            (
                [task("Fix it"), task("Call B")],
                [],
                "✅ 2 tasks created in Notion\n1. <https://notion.so/6|Fix it>\n2. <https://notion.so/6|Call B>",
            ),
            (
                [task("Old", is_new=False), task("Fix it")],
                [],
                "✅ 1 task created in Notion (1 was there already)\n"
                "1. <https://notion.so/3|Old>\n2. <https://notion.so/6|Fix it>",
            ),
            (
                [task("Old", is_new=False)],
                [],
                "✅ Nothing new: these tasks are there already.\n1. <https://notion.so/3|Old>",
            ),
            (
                [task("Fix it")],
                [lacking("Call <Ben> & co")],
                "⚠️ 1 of 2 new tasks created. A retry creates the rest.\n1. <https://notion.so/6|Fix it>\n"
                "⚠️ Not created in design: Call &lt;Ben&gt; &amp; co (not_found)",
            ),
            (
                [task("Fix it", skipped=("Tags", "Assignee")), task("Old", is_new=False, skipped=("Priority",))],
                [],
                "✅ 1 task created in Notion (1 was there already)\n1. <https://notion.so/6|Fix it>\n"
                "2. <https://notion.so/3|Old>\nCould not be set: Assignee, Tags",
            ),
        ],
        ids=["nothing", "one", "several", "some old", "nothing new", "partial", "skipped"],
    )
    def test_the_answer(self, acme: Acme, made: list[MadeTask], missing: list[Missing], words: str) -> None:
        """It says what was made, with links, what is missing, and what to do next; nothing in it is markup."""
        thread = acme.held()
        outcome = notified(acme, thread, made, missing)
        assert outcome.reply == words
        assert answers(acme, thread) == [words]
        assert outcome.outcome is (RunOutcome.PARTIAL if missing else RunOutcome.COMPLETED)

    def test_a_team_may_want_no_answer(self, acme: Acme, engine: sa.Engine) -> None:
        """Without a confirmation the reaction is all that people see."""
        thread = acme.held()
        change(engine, source_configs, preferences={"post_confirmation": False})
        assert notified(acme, thread, [task("Fix it")]).outcome is RunOutcome.COMPLETED
        assert answers(acme, thread) == []
        assert "white_check_mark" in acme.slack.marks(thread.configured.parsed.ref.thread_id, thread.messages[0].id)


class TestOnce:
    """One answer for each end of a job."""

    def test_again_posts_nothing(self, acme: Acme, engine: sa.Engine) -> None:
        """An op that is repeated after it has answered does not even look."""
        thread = acme.held()
        notified(acme, thread, [task("Fix it")])
        acme.stores.discussions.take(thread.configured.parsed.discussion_id, "run-1", ())
        with acme.calls() as calls:
            notified(acme, thread, [task("Fix it")])
        assert "POST /chat.postMessage" not in calls
        assert len(answers(acme, thread)) == 1

    def test_a_retry_in_another_run_posts_nothing(self, acme: Acme) -> None:
        """The answer is the job's, whichever of its runs gave it."""
        thread = acme.held()
        notified(acme, thread, [task("Fix it")])
        retry = job("run-2", root="run-1")
        acme.stores.discussions.take(thread.configured.parsed.discussion_id, "run-2", ())
        acme.note(thread.configured.parsed, retry)
        notified(acme, thread, [task("Fix it")], run=retry)
        assert len(answers(acme, thread)) == 1

    def test_a_lost_answer_is_not_repeated(self, acme: Acme) -> None:
        """The post was carried out, its answer lost: looking finds it."""
        thread = acme.held()
        with acme.slack.losing_the_answer():
            notified(acme, thread, [task("Fix it")])
        assert len(answers(acme, thread)) == 1

    def test_an_answer_of_unknown_fate_is_looked_for_by_the_next_attempt(self, acme: Acme) -> None:
        """When looking fails too the op is tried again, and finds what it had posted."""
        thread = acme.held()
        fault = {"service": "slack", "match": "conversations.replies", "kind": "status", "status": 503}
        with acme.slack.losing_the_answer(), acme.sandbox.fault(**fault, times=None), pytest.raises(Transient):
            notified(acme, thread, [task("Fix it")])
        assert notified(acme, thread, [task("Fix it")]).outcome is RunOutcome.COMPLETED
        assert len(answers(acme, thread)) == 1

    def test_a_partial_end_and_a_later_complete_one_are_two(self, acme: Acme) -> None:
        """The retry that creates the rest says so."""
        thread = acme.held()
        notified(acme, thread, [task("Fix it")], [lacking("Call B")])
        retry = job("run-2", root="run-1")
        acme.stores.discussions.take(thread.configured.parsed.discussion_id, "run-2", ())
        acme.note(thread.configured.parsed, retry)
        notified(acme, thread, [task("Fix it"), task("Call B")], run=retry)
        assert [answer[0] for answer in answers(acme, thread)] == ["⚠", "✅"]


class TestEnd:
    """Discussion, deliveries and note."""

    def test_all_ends_together(self, acme: Acme, engine: sa.Engine) -> None:
        """The mention is marked, the deliveries are done, the note is closed with its counts."""
        id = acme.ask()
        thread = acme.gather(delivery_ids=(id,))
        notified(acme, thread, [task("Fix it"), task("Old", is_new=False)])
        parsed = thread.configured.parsed
        assert acme.slack.marks(parsed.ref.thread_id, parsed.mention_ids[0]) == ["eyes", "white_check_mark"]
        assert acme.status_of(id) == ("done", None, "run-1")
        [discussion], [note], [reply] = (rows(engine, table) for table in (discussions, notes, replies))
        assert (discussion.status, discussion.active_run_id) == ("completed", None)
        assert (note.outcome, note.counters) == ("completed", {"created": 1, "there_already": 1, "missing": 0})
        assert (reply.key, reply.posted_at is not None) == ("run-1:completed", True)

    def test_a_partial_end_names_its_reason(self, acme: Acme, engine: sa.Engine) -> None:
        """What is missing is the reason of discussion and note; the deliveries are done all the same."""
        id = acme.ask()
        thread = acme.gather(delivery_ids=(id,))
        outcome = notified(acme, thread, [task("Fix it")], [lacking("Call B")])
        assert outcome.reason == "not_found"
        assert acme.status_of(id)[0] == "done"
        [discussion], [note] = rows(engine, discussions), rows(engine, notes)
        assert (discussion.status, discussion.reason) == ("partial", "not_found")
        assert (note.outcome, note.reason, note.counters["missing"]) == ("partial", "not_found", 1)

    def test_a_run_that_lost_its_hold_ends_nothing(self, acme: Acme, engine: sa.Engine) -> None:
        """Neither delivery nor note is closed when the discussion is another run's: all three or none."""
        id = acme.ask()
        thread = acme.gather(delivery_ids=(id,))
        acme.stores.discussions.take(thread.configured.parsed.discussion_id, "run-2", ["run-1"])
        with pytest.raises(Ignored, match="busy"):
            notified(acme, thread, [task("Fix it")])
        assert acme.status_of(id) == ("running", None, "run-1")
        assert rows(engine, notes)[0].closed_at is None
        assert rows(engine, discussions)[0].status == "processing"

    def test_an_answer_that_cannot_be_posted_makes_it_partial(self, acme: Acme, engine: sa.Engine) -> None:
        """The tasks stand; that nobody was told is the reason, and the answer is not counted as given."""
        thread = acme.held()
        fault = {"service": "slack", "match": "chat.postMessage", "kind": "error", "error": "is_archived"}
        with acme.sandbox.fault(**fault):
            outcome = notified(acme, thread, [task("Fix it")])
        assert (outcome.outcome, outcome.reason) == (RunOutcome.PARTIAL, "is_archived")
        assert rows(engine, replies)[0].posted_at is None
        assert rows(engine, discussions)[0].status == "partial"

    def test_an_outage_is_tried_again_before_it_counts(self, acme: Acme, engine: sa.Engine) -> None:
        """With attempts left it is raised and nothing has ended; the last attempt ends without an answer."""
        thread = acme.held()
        fault = {"service": "slack", "match": "chat.postMessage", "kind": "status", "status": 503, "times": None}
        with acme.sandbox.fault(**fault):
            with pytest.raises(Transient):
                notified(acme, thread, [task("Fix it")])
            assert rows(engine, discussions)[0].status == "processing"
            assert notified(acme, thread, [task("Fix it")], run=LAST).outcome is RunOutcome.PARTIAL
        assert rows(engine, discussions)[0].status == "partial"

    def test_those_who_waited_are_next(self, acme: Acme) -> None:
        """A mention that came while the run was at work is due as soon as it has ended."""
        thread = acme.gather(delivery_ids=(acme.ask(),))
        inbox = acme.stores.inboxes[SourceType.SLACK]
        [waiting] = [acme.ask("Another one")]
        parsed = thread.configured.parsed
        move = {"thread_id": parsed.ref.thread_id, "discussion_id": parsed.discussion_id}
        change(acme.stores.engine, inbox.table, inbox.table.c.id == waiting, **move)
        assert inbox.lease(10, LONGEST_WAIT) == []
        notified(acme, thread, [task("Fix it")])
        assert [run.delivery_ids for run in inbox.lease(10, LONGEST_WAIT)] == [(waiting,)]
