"""A task's page changes in Notion: its row follows, and the thread hears once that it is done."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.defs.jobs import status_job
from discubot_pipeline.defs.resources import job, step_outputs
from discubot_pipeline.defs.sensors import request
from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, DeliveryKind, SourceType
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.domain.task import Standing, TaskRow
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.tables import inboxes, outputs, source_configs
from tests.defs.workshop import THREAD, Ended, Workshop
from tests.store.samples import change, rows

OPEN, DONE = Standing(title="Fix the header", status="Doing"), Standing(title="Fix it", status="Done", is_done=True)
_numbers = count(1)


@dataclass(frozen=True)
class Board:
    """A task with its page, and the Notion source that tells of it."""

    workshop: Workshop
    config: SourceConfig

    @property
    def inbox(self) -> Inbox:
        """Give Notion's inbox."""
        return self.workshop.services.stores.inboxes[SourceType.NOTION]

    @property
    def task(self) -> TaskRow:
        """Give the task's row."""
        return self.workshop.services.stores.tasks.of_discussion(self.workshop.id)[0]

    @property
    def said(self) -> list[str]:
        """List what the thread was told after the first answer."""
        return self.workshop.paper.replies[THREAD][1:]

    def hears(self, standing: Standing | None = None, page: str | None = None) -> int:
        """Let the page change and the news of it arrive; gives the delivery's id."""
        page = page or str(self.task.page_id)
        self.workshop.paper.standings[page] = standing
        arrival = Arrival(
            delivery_key=f"event-{next(_numbers)}",
            kind=DeliveryKind.PAGE,
            thread_id=f"page:{page}",
            payload={"page_id": page},
        )
        return self.inbox.store(self.config, arrival).id

    def run(self, *ids: int) -> Ended:
        """Run the status job on deliveries."""
        result = status_job.execute_in_process(
            {"ops": {"follow_page": {"config": {"delivery_ids": list(ids)}}}},
            instance=self.workshop.instance,
            resources={"services": self.workshop.services, "job": job, "io_manager": step_outputs},
            raise_on_error=False,
        )
        return self.workshop.ended(result.run_id)

    def delivery(self, id: int) -> Any:
        """Give an inbox row."""
        table = inboxes[SourceType.NOTION]
        return rows(self.workshop.services.engine, table, table.c.id == id)[0]


@pytest.fixture
def board(workshop: Workshop) -> Board:
    """Make two tasks of a Slack thread, and a Notion source beside it."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    stores = workshop.services.stores
    own = NotionSourceCredentials(token=SecretStr("ntn_test"), signing_secret=SecretStr("secret_1"))
    config = stores.configs.add_source(stores.configs.team("acme"), SourceType.NOTION, "notion", own, "test")
    return Board(workshop, config)


def test_done_is_told_once_in_the_source_thread(board: Board) -> None:
    """The row has the new status, the thread one more answer with a link; a repeat of the news changes nothing."""
    first = board.hears(DONE)
    ended = board.run(first)
    assert (ended.status, ended.tags["discubot/outcome"]) == ("SUCCESS", "completed")
    assert board.said == [f"✅ Done in Notion: [Fix it]({board.task.page_url})"]
    assert (board.task.status, board.task.completions) == ("Done", 1)
    assert board.task.completed_at is not None
    assert board.delivery(first).status == "done"
    again = board.run(board.hears(DONE), board.hears(DONE))
    assert len(board.said) == 1
    told, noted = board.workshop.note(ended.id), board.workshop.note(again.id)
    assert (told.job_name, told.summary) == ("status_job", "Told the thread that its task is done.")
    assert (noted.summary, noted.progress.percent) == ("Noted how the page stands; there was nothing to tell.", 100)
    assert board.task.completions == 1


def test_an_imported_thread_stays_silent_until_somebody_asks_in_it(board: Board) -> None:
    """The row follows its page; a mention brings the thread to life, for the next time that the task is done."""
    table = inboxes[SourceType.SLACK]
    with board.workshop.services.engine.begin() as connection:
        connection.execute(sa.update(table).values(trigger=Trigger.BACKFILL))
    ended = board.run(board.hears(DONE))
    assert (ended.status, board.said) == ("SUCCESS", [])
    assert (board.task.status, board.task.completions) == ("Done", 1)
    board.workshop.deliver()
    board.run(board.hears(OPEN))
    board.run(board.hears(DONE))
    assert len(board.said) == 1


def test_a_status_that_is_not_done_is_only_noted(board: Board) -> None:
    """Nobody is told of a card that moves on."""
    assert board.run(board.hears(OPEN)).status == "SUCCESS"
    assert (board.task.status, board.task.completed_at, board.said) == ("Doing", None, [])


def test_a_reopened_task_may_be_done_again(board: Board) -> None:
    """Each completion is told once."""
    for standing in (DONE, OPEN, OPEN, DONE, DONE):
        board.run(board.hears(standing))
    assert len(board.said) == 2
    assert board.task.completions == 2


@pytest.mark.parametrize("trouble", ["reply", "standing"])
def test_a_hiccup_is_waited_for_and_nothing_is_told_twice(board: Board, trouble: str) -> None:
    """The op is tried again; what was begun is looked for by its key."""
    board.workshop.paper.troubles[trouble] = [Transient("slack_down", "away for a moment", timedelta(milliseconds=1))]
    assert board.run(board.hears(DONE)).status == "SUCCESS"
    assert len(board.said) == 1
    assert board.task.completions == 1


def test_a_failure_is_visible_and_told_to_nobody(board: Board) -> None:
    """The run fails with its reason, and so does the delivery; the discussion stays completed."""
    board.workshop.paper.troubles["standing"] = [Permanent("unauthorized", "the token is wrong")]
    delivery = board.hears(DONE)
    assert board.run(delivery).status == "FAILURE"
    assert (board.delivery(delivery).status, board.delivery(delivery).reason) == ("failed", "unauthorized")
    assert board.said == []
    assert board.workshop.discussion is not None
    assert board.workshop.discussion.status == "completed"


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("in_trash", lambda board: board.hears(None)),
        ("unknown_page", lambda board: board.hears(DONE, page="elsewhere")),
        ("no_output", lambda board: forget(board, outputs)),
        ("no_source", lambda board: forget(board, source_configs)),
    ],
)
def test_what_cannot_be_followed_is_ignored(board: Board, reason: str, spoil: Any) -> None:
    """A page in the trash, an unknown page, an output or source that is gone: green, with the reason."""
    delivery = spoil(board)
    ended = board.run(delivery)
    assert (ended.status, ended.tags["discubot/outcome"]) == ("SUCCESS", "ignored")
    assert (board.delivery(delivery).status, board.delivery(delivery).reason) == ("ignored", reason)
    assert board.said == []


def forget(board: Board, table: Any) -> int:
    """Delete the output, or the source with its outputs, after the news have arrived."""
    delivery = board.hears(DONE)
    mine = (
        table.c.source_config_id == board.workshop.config.id
        if table is outputs
        else table.c.id == board.workshop.config.id
    )
    with board.workshop.services.engine.begin() as connection:
        connection.execute(table.delete().where(mine))
    return delivery


def test_a_team_that_wants_no_confirmation_hears_nothing(board: Board) -> None:
    """The row follows all the same."""
    change(
        board.workshop.services.engine,
        source_configs,
        source_configs.c.id == board.workshop.config.id,
        preferences={"post_confirmation": False},
    )
    board.run(board.hears(DONE))
    assert (board.task.status, board.said) == ("Done", [])


def test_the_sensor_asks_for_one_run_of_the_status_job_a_page(board: Board) -> None:
    """News of one page that wait together are one run; it bears no discussion's tag, since it is none's attempt."""
    ids = (board.hears(DONE), board.hears(DONE))
    [run] = board.inbox.lease(9, timedelta(minutes=1))
    asked = request(run)
    assert isinstance(asked, dg.RunRequest)
    assert (run.delivery_ids, asked.job_name) == (ids, "status_job")
    assert asked.run_config == {"ops": {"follow_page": {"config": {"delivery_ids": list(ids)}}}}
    assert "discubot/discussion" not in asked.tags
    assert asked.tags["discubot/thread"] == f"page:{board.task.page_id}"
