"""A task's row is there before its page, and knows how far the page has come; so it is with answers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.task import Page, TaskRow, TaskState
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, replies, tasks
from tests.store.samples import change, message, planned, rows, thread_of

PAGE = Page(id="page-1", url="https://notion.example/1", created_at=datetime(2026, 11, 21, 9, tzinfo=UTC))


@pytest.fixture
def thread(stores: Stores, slack_config: SourceConfig) -> Thread:
    """Give a thread whose discussion `run-1` holds."""
    thread = thread_of(slack_config, [message(1)])
    stores.discussions.open(thread.configured.parsed, "run-1", ())
    return thread


def begin(stores: Stores, thread: Thread, output: Output, title: str = "Fix the header", run: str = "run-1") -> TaskRow:
    """Begin a task, which must work."""
    row = stores.tasks.begin(planned(thread, output.id, title), thread, "Header breaks", run, is_multi=False)
    assert row is not None
    return row


def id_of(thread: Thread) -> UUID:
    """Give the id of a thread's discussion."""
    return thread.configured.parsed.discussion_id


class TestTasks:
    """From the plan to the whole page."""

    def test_a_row_is_there_before_the_page(self, stores: Stores, thread: Thread, output: Output) -> None:
        """Begun is committed, new and without a page."""
        row = begin(stores, thread, output)
        assert (row.state, row.page, row.is_new, row.run_id) == (TaskState.CREATING, None, True, "run-1")
        [stored] = stores.tasks.of_discussion(id_of(thread))
        assert stored == row.model_copy(update={"is_new": False})

    def test_the_same_task_again_is_the_same_row(self, stores: Stores, thread: Thread, output: Output) -> None:
        """A second begin gives the first one's row, which is not new any more."""
        first = begin(stores, thread, output)
        again = begin(stores, thread, output, "fix the HEADER!")
        assert again == first.model_copy(update={"is_new": False})
        assert begin(stores, thread, output, "Fix the footer").id != first.id

    def test_two_that_begin_at_once_get_one_row(self, stores: Stores, thread: Thread, output: Output) -> None:
        """Of two who begin the same task together one has made it."""
        with ThreadPoolExecutor(8) as pool:
            begun = [pool.submit(begin, stores, thread, output) for _ in range(8)]
            found = [one.result(10) for one in begun]
        assert len({row.id for row in found}) == 1
        assert [row.is_new for row in found].count(True) == 1

    def test_a_run_that_lost_its_hold_begins_nothing(
        self, stores: Stores, thread: Thread, output: Output, engine: sa.Engine
    ) -> None:
        """Neither a new task nor one that is there already is given to another run."""
        plan = planned(thread, output.id)
        assert stores.tasks.begin(plan, thread, "", "run-2", is_multi=False) is None
        assert rows(engine, tasks) == []
        begin(stores, thread, output)
        assert stores.tasks.begin(plan, thread, "", "run-2", is_multi=False) is None

    def test_a_page_is_noted_and_then_whole(self, stores: Stores, thread: Thread, output: Output) -> None:
        """Its id is kept while blocks are missing, so that it is found again; then the task is created."""
        row = begin(stores, thread, output)
        stores.tasks.paged(row, PAGE, ["Assignee"])
        begun = begin(stores, thread, output)
        assert (begun.state, begun.page, begun.skipped) == (TaskState.CREATING, PAGE, ("Assignee",))
        stores.tasks.created(row)
        assert begin(stores, thread, output).state is TaskState.CREATED

    def test_a_failure_is_kept_until_the_next_page(
        self, stores: Stores, thread: Thread, output: Output, engine: sa.Engine
    ) -> None:
        """Why there is no page is noted, and forgotten when there is one."""
        row = begin(stores, thread, output)
        stores.tasks.failed(row, "not_found", "no such database")
        failed = begin(stores, thread, output)
        assert (failed.state, failed.reason) == (TaskState.FAILED, "not_found")
        stores.tasks.paged(row, PAGE, ())
        stores.tasks.created(row)
        [stored] = rows(engine, tasks)
        assert (stored.state, stored.reason, stored.error) == (TaskState.CREATED, None, None)

    def test_what_is_created_is_never_overwritten(self, stores: Stores, thread: Thread, output: Output) -> None:
        """Late news of an interrupted run changes nothing of a whole page."""
        row = begin(stores, thread, output)
        stores.tasks.paged(row, PAGE, ())
        stores.tasks.created(row)
        before = stores.tasks.of_discussion(id_of(thread))
        stores.tasks.paged(row, PAGE.model_copy(update={"id": "page-2"}), ["Tags"])
        stores.tasks.failed(row, "late", "too late")
        assert stores.tasks.of_discussion(id_of(thread)) == before

    def test_a_task_without_a_page_is_not_created(self, stores: Stores, thread: Thread, output: Output) -> None:
        """The database itself refuses a created task that has no page."""
        row = begin(stores, thread, output)
        with pytest.raises(sa.exc.IntegrityError, match="ck_tasks_created_page"):
            stores.tasks.created(row)

    def test_tasks_come_in_their_order(self, stores: Stores, thread: Thread, output: Output) -> None:
        """The list of a discussion follows the analysis."""
        for index in (2, 0, 1):
            plan = planned(thread, output.id, f"Task {index}", index)
            stores.tasks.begin(plan, thread, "", "run-1", is_multi=True)
        assert [row.title for row in stores.tasks.of_discussion(id_of(thread))] == ["Task 0", "Task 1", "Task 2"]


class TestReplies:
    """An answer is begun before it is posted."""

    def test_begun_then_posted(self, stores: Stores, thread: Thread) -> None:
        """The first try is told from a repeat, and a posted answer from both."""
        parsed = thread.configured.parsed
        key = ("run-1:completed", parsed.team_id, parsed.discussion_id, "run-1")
        assert stores.replies.begin(*key) is True
        assert stores.replies.begin(*key) is False
        stores.replies.posted(key[0])
        assert stores.replies.begin(*key) is None
        assert stores.replies.begin("run-1:failed", *key[1:]) is True

    def test_posted_is_seen_by_the_next_run(self, stores: Stores, thread: Thread, engine: sa.Engine) -> None:
        """Keys are of the chain, not of the run: a retry in another run knows what was posted."""
        parsed = thread.configured.parsed
        stores.replies.begin("root:completed", parsed.team_id, parsed.discussion_id, "run-1")
        stores.replies.posted("root:completed")
        change(engine, discussions, active_run_id="run-2")
        assert stores.replies.begin("root:completed", parsed.team_id, parsed.discussion_id, "run-2") is None
        [row] = rows(engine, replies)
        assert row.run_id == "run-1"
