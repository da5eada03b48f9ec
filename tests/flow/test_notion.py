"""Notion as a source, from a comment to its answer, and back from a page that is done to the thread it came from."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from discubot_pipeline.cli.notiondemo import connect
from discubot_pipeline.cli.stage import Stage
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.store.discussions import Discussion
from tests.flow.runs import Json, Run, eventually
from tests.flow.team import Team, Thread
from tests.flow.town import Town


@dataclass(frozen=True)
class Page:
    """A page on which a team comments."""

    team: Team
    config: SourceConfig
    id: str

    @property
    def town(self) -> Town:
        """Name the town that it is in."""
        return self.team.town

    def say(self, text: str, discussion: str | None = None) -> Json:
        """Let a person comment."""
        place = {"discussion_id": discussion} if discussion else {"page_id": self.id}
        comment: Json = self.town.ask("POST", "/sandbox/notion/comments", place | {"text": text})
        return comment

    def said(self, discussion: str) -> list[str]:
        """List what the bot has said in a discussion."""
        listed = self.town.ask("GET", f"/sandbox/notion/comments?page_id={self.id}")["comments"]
        return [one["text"] for one in listed if one["is_bot"] and one["discussion_id"] == discussion]

    def discussion_id(self, discussion: str) -> UUID:
        """Give the id of our row of a discussion."""
        return discussion_id(self.team.row.id, SourceType.NOTION, f"{self.id}:{discussion}")

    def settled(self, discussion: str) -> Discussion:
        """Wait until a discussion has ended."""
        id = self.discussion_id(discussion)

        def probe() -> Discussion | None:
            found = self.town.here.stores.discussions.get(id)
            return found if found and found.active_run_id is None and found.status != "processing" else None

        return eventually(probe, f"the discussion on {self.team.name}'s page to end")


@pytest.fixture(scope="module")
def page(town: Town) -> Page:
    """Found a team that also comments on a page in Notion."""
    team = town.team("scribes")
    document = town.ask("POST", "/sandbox/notion/documents", {"title": "Plan", "tokens": [team.notion_token]})
    notion = {"token": team.notion_token, "database_id": team.database}
    config = connect(town.here, Stage(town.sandbox, team.slack, notion, {}), team.row)
    return Page(team, config, document["page_id"])


def test_a_comment_becomes_pages_and_an_answer(page: Page, town: Town) -> None:
    """The event does not name the discussion; the run finds it, works on it as its own, and answers in it."""
    discussion = page.say("The plan has no dates")["discussion_id"]
    page.say("@discubot add the dates and ask Ben", discussion)
    found = page.settled(discussion)
    assert (found.status, found.total_messages) == ("completed", 2)
    assert found.url == f"{town.system.sandbox_url}/p/{page.id.replace('-', '')}?d={discussion.replace('-', '')}"
    assert page.team.titles == ["Add the dates", "Ask Ben"]
    [answer] = page.said(discussion)
    assert answer == "✅ 2 tasks created in Notion\n1. Add the dates\n2. Ask Ben"
    run = town.finished(found.run_id or "")
    assert run.tags["discubot/discussion"] == str(found.id)
    assert run.tags["discubot/thread"] == found.thread_id
    rows = town.here.stores.inboxes[SourceType.NOTION].of_discussion(found.id)
    assert [row.status for row in rows] == ["done"]


def test_two_calls_at_once_in_one_discussion_are_both_heard(page: Page, town: Town) -> None:
    """Each begins a run of its own; whichever finds the discussion busy waits, and nothing is made twice."""
    discussion = page.say("The plan is too long")["discussion_id"]
    for words in ("shorten the introduction", "remove the appendix"):
        page.say(f"@discubot {words}", discussion)
    id = page.discussion_id(discussion)
    inbox = town.here.stores.inboxes[SourceType.NOTION]

    def done() -> bool:
        rows = inbox.of_discussion(id)
        return len(rows) == 2 and {row.status for row in rows} == {"done"}

    eventually(done, "both calls to be done", 120)
    assert page.settled(discussion).status == "completed"
    made = [title for title in page.team.titles if title in ("Shorten the introduction", "Remove the appendix")]
    assert sorted(made) == ["Remove the appendix", "Shorten the introduction"]
    assert 1 <= len(page.said(discussion)) <= 2


def test_a_comment_that_does_not_call_leaves_nothing(page: Page, town: Town) -> None:
    """Its run ends green, as ignored, before anything is made."""
    said = page.say("Looks good")
    thread = f"{page.id}:@{said['id']}"

    def ended() -> Run | None:
        runs = town.runs(tags=[{"key": "discubot/thread", "value": thread}])
        return runs[0] if runs and runs[0].is_finished else None

    run = eventually(ended, "the run of the comment to end")
    assert (run.status, run.tags["discubot/reason"]) == ("SUCCESS", "not_a_mention")
    assert town.here.stores.discussions.get(page.discussion_id(said["discussion_id"])) is None


def test_a_comment_that_comes_late_is_waited_for(page: Page, town: Town) -> None:
    """The event is quicker than the data: the step is tried again."""
    said = page.say("The plan has no author")
    with town.fault("notion", "^GET /comments/", "error", error="object_not_found", status=404) as late:
        called = page.say("@discubot add the author", said["discussion_id"])
        late.strikes()
    found = page.settled(said["discussion_id"])
    assert found.status == "completed"
    assert "Add the author" in page.team.titles
    assert called["discussion_id"] == said["discussion_id"]


def test_done_is_told_once_in_the_thread_that_asked(page: Page, town: Town) -> None:
    """A card that is dragged to Done answers in Slack, once; dragged back and forth again, once more."""
    thread = page.team.thread("The door squeaks", "@bot oil the door")
    thread.settled()
    card = next(one for one in page.team.pages if one["title"] == "Oil the door")
    move(town, card, "In progress")
    eventually(lambda: status_of(thread) == "In progress", "the task to be in progress")
    for times in (1, 2):
        move(town, card, "Done")
        eventually(lambda wanted=1 + times: len(thread.replies) == wanted, "the completion to be told")
        assert thread.replies[-1] == f"✅ Done in Notion: <{card['url']}|Oil the door>"
        move(town, card, "To do")
        eventually(lambda: status_of(thread) == "To do", "the task to be open again")
    runs = town.runs(tags=[{"key": "discubot/thread", "value": f"page:{card['id']}"}])
    assert {run.tags["discubot/class"] for run in runs} == {"chat"}
    assert len(thread.runs) == 1, "following a page is no attempt at the discussion"


def test_a_card_of_nobody_is_ignored(page: Page, town: Town) -> None:
    """A page that we did not make starts no run."""
    parent = {"type": "data_source_id", "data_source_id": source_of(town, page.team)}
    body = {"parent": parent, "properties": {"Task": {"title": [{"text": {"content": "Mine"}}]}}}
    headers = {"authorization": f"Bearer {page.team.notion_token}", "notion-version": "2025-09-03"}
    made = town.sandbox.call("POST", "/notion/v1/pages", json=body, headers=headers).json()
    change = {"properties": {"Status": {"status": {"name": "Done"}}}}
    town.ask("PATCH", f"/sandbox/notion/pages/{made['id']}", change)
    eventually(lambda: "unknown_page" in answers(town), "the news to be answered")
    assert town.runs(tags=[{"key": "discubot/thread", "value": f"page:{made['id']}"}]) == []


def move(town: Town, card: Json, status: str) -> None:
    """Let a person drag a card."""
    town.ask("PATCH", f"/sandbox/notion/pages/{card['id']}", {"properties": {"Status": {"status": {"name": status}}}})


def status_of(thread: Thread) -> str | None:
    """Give the status of the only task of a thread."""
    [task] = thread.town.here.stores.tasks.of_discussion(thread.discussion_id)
    return task.status


def source_of(town: Town, team: Team) -> str:
    """Name the data source of a team's database."""
    page = next(iter(team.pages))
    return str(page["data_source_id"])


def answers(town: Town) -> str:
    """Give what our receiver has answered to Notion."""
    return str(town.ask("GET", "/sandbox/notion/deliveries")["deliveries"])
