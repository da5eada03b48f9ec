"""The fifth stage: every task stands once in every output that wants it, whatever dies in between."""

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.errors import Ignored, Permanent, Transient
from discubot_pipeline.domain.job import Job
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.stages.publish import publish
from discubot_pipeline.store.tables import tasks
from tests.adapters.notion_space import workspace
from tests.stages.acme import JOB, Acme, analysis_of, job
from tests.store.samples import rows

NOWHERE = "00000000-0000-4000-8000-000000000000"
LAST = JOB.model_copy(update={"is_last_attempt": True})


@pytest.fixture
def thread(acme: Acme) -> Thread:
    """Give a thread that `run-1` holds."""
    return acme.held()


def published(acme: Acme, thread: Thread, *titles: str, run: Job = JOB, domain: str | None = None) -> CreatedTasks:
    """Publish an analysis that found tasks of these titles."""
    return publish(thread, analysis_of(thread, *titles, domain=domain), run, acme.stores, acme.outside)


def pages(acme: Acme) -> list[str]:
    """Name the pages of the database, as people see them."""
    return [page["title"] for page in acme.notion.pages()]


def next_run(acme: Acme, thread: Thread, run: Job) -> None:
    """Let a later run have the discussion."""
    held = acme.stores.discussions.holder(thread.configured.parsed.discussion_id)
    acme.stores.discussions.take(thread.configured.parsed.discussion_id, run.run_id, [held] if held else [])
    acme.note(thread.configured.parsed, run)


def break_output(acme: Acme, name: str = "ui", domains: tuple[str, ...] = ("ui",)) -> None:
    """Add an output whose database nobody shared with the connection."""
    token = NotionCredentials(token=SecretStr(acme.notion.token))
    acme.stores.configs.add_output(acme.config, name, NOWHERE, token, "test", domains=domains)


class TestOnce:
    """However often it runs."""

    def test_each_task_has_a_page(self, acme: Acme, thread: Thread) -> None:
        """Pages are made in the order of the tasks, whole, and known by row."""
        created = published(acme, thread, "Fix the header", "Call Ben")
        assert pages(acme) == [task.title for task in created.made] == ["Fix the header", "Call Ben"]
        assert [task.url for task in created.new] == [page["url"] for page in acme.notion.pages()]
        assert created.missing == ()
        stored = acme.stores.tasks.of_discussion(thread.configured.parsed.discussion_id)
        assert [(row.title, row.state, row.page_id) for row in stored] == [
            (task.title, "created", task.page_id) for task in created.made
        ]

    def test_a_repeated_op_makes_nothing_twice(self, acme: Acme, thread: Thread) -> None:
        """The same run again gives the same tasks, still its own, without writing to Notion."""
        first = published(acme, thread, "Fix the header")
        with acme.calls() as calls:
            assert published(acme, thread, "Fix the header") == first
        assert calls == []

    def test_a_later_run_adds_what_is_new(self, acme: Acme, thread: Thread) -> None:
        """Known tasks are listed as there already, in whatever way they are written now."""
        published(acme, thread, "Fix the header")
        later = job("run-2")
        next_run(acme, thread, later)
        created = published(acme, thread, "fix the header!", "Call Ben", run=later)
        assert [(task.title, task.is_new) for task in created.made] == [("Fix the header", False), ("Call Ben", True)]
        assert pages(acme) == ["Fix the header", "Call Ben"]

    def test_a_retry_of_the_chain_counts_as_the_same_job(self, acme: Acme, thread: Thread) -> None:
        """What the run before it made is new to the people who read the one answer."""
        published(acme, thread, "Fix the header")
        retry = job("run-2", root="run-1", parent_run_id="run-1")
        next_run(acme, thread, retry)
        assert [task.title for task in published(acme, thread, "Fix the header", run=retry).new] == ["Fix the header"]

    def test_the_same_task_twice_is_one(self, acme: Acme, thread: Thread) -> None:
        """An analyst that says something twice does not make two pages."""
        assert len(published(acme, thread, "Fix the header", "FIX the header").made) == 1
        assert len(pages(acme)) == 1

    def test_nothing_to_do_is_no_failure(self, acme: Acme, thread: Thread) -> None:
        """Without tasks nothing is asked of Notion."""
        with acme.calls() as calls:
            created = published(acme, thread)
        assert (created.made, created.missing, calls) == ((), (), [])

    def test_a_run_that_lost_its_hold_makes_nothing(self, acme: Acme, thread: Thread) -> None:
        """The fence stands before each page."""
        next_run(acme, thread, job("run-2"))
        with acme.calls() as calls, pytest.raises(Ignored, match="busy"):
            published(acme, thread, "Fix the header")
        assert (calls, pages(acme)) == ([], [])


class TestCrash:
    """Between the page and the row that knows it."""

    def test_a_lost_answer_is_looked_up(self, acme: Acme, thread: Thread) -> None:
        """The page was made, its answer lost: it is found and adopted, exactly one."""
        acme.notion.lose_answer()
        created = published(acme, thread, "Fix the header")
        [page] = acme.notion.pages()
        assert [task.page_id for task in created.made] == [page["id"]]

    @pytest.mark.parametrize("properties", [None, {}], ids=["by key", "by title and time"])
    def test_the_next_attempt_adopts_the_page(
        self, acme: Acme, thread: Thread, properties: dict[str, str] | None
    ) -> None:
        """When the lookup fails too the outcome stays open; the next attempt finds the page and finishes it."""
        changes = {} if properties is None else {"properties": properties}
        with workspace(acme.sandbox, **changes) as other:
            token = NotionCredentials(token=SecretStr(other.token))
            database = other.database["database_id"]
            acme.stores.configs.add_output(acme.config, "other", database, token, "test", domains=("ui",))
            other.lose_answer()
            other.fault("^POST .*/query$", "drop_before")
            with pytest.raises(Transient):
                published(acme, thread, "Fix the header", domain="ui")
            [page] = other.pages()
            created = published(acme, thread, "Fix the header", domain="ui")
            assert [task.page_id for task in created.new] == [page["id"]]
            assert other.page_count() == 1

    def test_a_half_written_page_is_finished(self, acme: Acme) -> None:
        """A page whose blocks stopped half-way gets the rest, not a second page."""
        long = acme.held(job("run-1"), *[f"message {number}" for number in range(150)])
        acme.notion.break_append(after=0)
        with pytest.raises(Transient):
            published(acme, long, "Fix the header")
        acme.notion.mend()
        [half] = acme.notion.pages()
        created = published(acme, long, "Fix the header")
        [whole] = acme.notion.pages()
        assert created.made[0].page_id == half["id"] == whole["id"]
        assert whole["block_count"] > 150 > half["block_count"]

    def test_a_page_that_never_came_is_made(self, acme: Acme, thread: Thread) -> None:
        """When the connection dropped before anything was done, looking finds nothing and the page is made anew."""
        acme.notion.fault("^POST /pages$", "drop_before")
        with pytest.raises(Transient):
            published(acme, thread, "Fix the header")
        assert pages(acme) == []
        assert len(published(acme, thread, "Fix the header").new) == 1
        assert pages(acme) == ["Fix the header"]


class TestPartial:
    """When some of it cannot be made."""

    def test_what_fails_for_good_is_listed(self, acme: Acme, thread: Thread, engine: sa.Engine) -> None:
        """One output of two is gone: the other has its pages, and what is missing is named with its reason."""
        break_output(acme)
        analysis = analysis_of(thread, "Fix the header", domain="ui")
        plain = analysis_of(thread, "Call Ben").findings.tasks
        tasks_of_both = analysis.findings.model_copy(update={"tasks": analysis.findings.tasks + plain})
        both = analysis.model_copy(update={"findings": tasks_of_both})
        created = publish(thread, both, JOB, acme.stores, acme.outside)
        assert [task.title for task in created.made] == pages(acme) == ["Call Ben"]
        [miss] = created.missing
        assert (miss.title, miss.output, miss.reason) == ("Fix the header", "ui", "not_found")
        assert {row.title: (row.state, row.reason) for row in rows(engine, tasks)} == {
            "Fix the header": ("failed", "not_found"),
            "Call Ben": ("created", None),
        }

    def test_when_nothing_can_be_made_it_is_a_failure(self, acme: Acme, thread: Thread) -> None:
        """A partial result has a part; without one the job fails with what stood in its way."""
        break_output(acme)
        with pytest.raises(Permanent) as failed:
            published(acme, thread, "Fix the header", "Call Ben", domain="ui")
        assert failed.value.reason == "not_found"

    def test_a_passing_trouble_is_tried_again_before_it_counts(self, acme: Acme, thread: Thread) -> None:
        """With attempts left it is raised, what works being made already; the last attempt settles for a part."""
        with workspace(acme.sandbox) as other:
            token = NotionCredentials(token=SecretStr(other.token))
            database = other.database["database_id"]
            acme.stores.configs.add_output(acme.config, "also", database, token, "test", domains=("ui",))
            acme.stores.configs.add_output(
                acme.config, "main", acme.output.database_id, acme.output.credentials, "test", domains=("ui",)
            )
            other.fault(f"/databases/{database}", "status", status=502, times=None)
            with pytest.raises(Transient):
                published(acme, thread, "Fix the header", domain="ui")
            assert pages(acme) == ["Fix the header"]
            created = published(acme, thread, "Fix the header", domain="ui", run=LAST)
            assert [task.is_new for task in created.made] == [True]
            assert [miss.output for miss in created.missing] == ["also"]
            other.mend()
            mended = published(acme, thread, "Fix the header", domain="ui", run=LAST)
            assert (len(mended.made), mended.missing) == (2, ())
            assert (len(pages(acme)), other.page_count()) == (1, 1)

    def test_a_long_pause_is_not_settled_for(self, acme: Acme, thread: Thread) -> None:
        """A service that asks for hours is waited for, also on the last attempt and beside what works."""
        published(acme, thread, "Call Ben")
        acme.notion.ask_for_pause(7200)
        with pytest.raises(Transient) as asked:
            published(acme, thread, "Call Ben", "Fix the header", run=LAST)
        assert asked.value.retry_after is not None
        assert asked.value.retry_after.total_seconds() == 7200

    def test_the_last_attempt_with_nothing_made_fails(self, acme: Acme, thread: Thread) -> None:
        """A passing trouble that does not pass is a failure when there is no part to settle for."""
        acme.notion.fault("^POST /pages$", "status", status=502, times=None)
        with pytest.raises(Transient):
            published(acme, thread, "Fix the header", run=LAST)
        assert pages(acme) == []
