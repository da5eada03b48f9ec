"""A team at its desks: its people talk in threads, and what comes of them stands in its channel and database."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.records import Team as TeamRow
from discubot_pipeline.store.tables import discussions, inboxes
from tests.flow.runs import PATIENCE, Json, Run, eventually
from tests.flow.town import Town

OPEN = ("pending", "requested", "running")
COLUMNS = {
    "Status": {"type": "status", "options": ["To do", "In progress", "Done"]},
    "Priority": {"type": "select", "options": ["High", "Medium", "Low"]},
    "Source": {"type": "url"},
    "Discubot key": {"type": "rich_text"},
}


@dataclass(frozen=True)
class Posted:
    """A message that somebody posted, with the events that told of it."""

    ts: str
    events: list[str]


@dataclass(frozen=True)
class Team:
    """A team at its desks."""

    town: Town
    name: str
    slack: Json
    notion_token: str
    database: str
    config: SourceConfig
    row: TeamRow

    @classmethod
    def found(cls, town: Town, name: str, number: int) -> Self:
        """Found a team with all that it needs."""
        slack = town.ask("POST", "/sandbox/slack/workspaces", {"name": name, "team_id": f"T{number:04}"})
        home = slack["team_id"]
        for person in ("anna", "ben"):
            someone = {"id": f"U{number:04}{person.upper()}", "name": person, "real_name": person.title()}
            town.ask("POST", f"/sandbox/slack/workspaces/{home}/users", someone)
        token = town.ask("POST", "/sandbox/notion/integrations", {"name": name})["token"]
        database = {"tokens": [token], "properties": COLUMNS, "title_property": "Task"}
        notion = town.ask("POST", "/sandbox/notion/databases", database)
        configs = town.here.stores.configs
        row = configs.add_team(name, "test")
        credentials = SlackCredentials(
            signing_secret=SecretStr(slack["signing_secret"]), bot_token=SecretStr(slack["bot_token"])
        )
        config = configs.add_source(row, SourceType.SLACK, "slack", credentials, "test", workspace=home)
        hook = f"{town.here.settings.receiver_url}/hooks/slack/{config.hook}"
        town.ask("PATCH", f"/sandbox/slack/workspaces/{home}", {"events_url": hook})
        team = cls(town, name, slack, token, notion["database_id"], config, row)
        team.output(config)
        return team

    @property
    def channel(self) -> str:
        """Name the channel where it talks."""
        return str(self.slack["channel"])

    @property
    def bot(self) -> str:
        """Write a mention of the bot."""
        return f"<@{self.slack['bot_user_id']}>"

    @property
    def resolving(self) -> str:
        """Match the call that begins the work on this team's database, and on no other's."""
        return f"/databases/{self.database}"

    def output(self, config: SourceConfig) -> Output:
        """Send the tasks of a source to the team's database."""
        token = NotionCredentials(token=SecretStr(self.notion_token))
        return self.town.here.stores.configs.add_output(config, "tasks", self.database, token, "test", is_default=True)

    def say(self, text: str, root: str | None = None, who: str = "anna", **more: Any) -> Posted:
        """Let a person say something; `@bot` mentions the bot."""
        user = f"U{self.slack['team_id'][1:]}{who.upper()}"
        said = {"team_id": self.slack["team_id"], "channel": self.channel, "user": user, "thread_ts": root}
        words = {"text": text.replace("@bot", self.bot)}
        posted = self.town.ask("POST", "/sandbox/slack/messages", said | words | more)
        return Posted(posted["ts"], posted["event_ids"])

    def thread(self, *lines: str) -> "Thread":
        """Let people talk: the first line opens a thread, the others answer in it."""
        root = self.say(lines[0])
        return Thread(self, root.ts, [root, *(self.say(line, root.ts, "ben") for line in lines[1:])])

    def send(self, **sending: Any) -> Json:
        """Let Slack send a request to our receiver; gives the answer."""
        answer: Json = self.town.ask("POST", "/sandbox/slack/events", {"team_id": self.slack["team_id"], **sending})
        return answer

    @property
    def pages(self) -> list[Json]:
        """List the pages in the team's database."""
        pages: list[Json] = self.town.ask("GET", f"/sandbox/notion/pages?database_id={self.database}")["pages"]
        return pages

    @property
    def titles(self) -> list[str]:
        """List the titles of its pages in the order in which they were made."""
        return [page["title"] for page in self.pages]

    def slack_calls(self, since: int = 0) -> list[str]:
        """List the paths of the calls that used the team's bot token."""
        return [call["path"] for call in self.town.calls(since, self.slack["bot_token"]) if call["service"] == "slack"]

    def notion_calls(self, since: int = 0) -> list[str]:
        """List the calls that used the team's Notion token."""
        calls = self.town.calls(since, self.notion_token)
        return [f"{call['method']} {call['path']}" for call in calls if call["service"] == "notion"]


@dataclass(frozen=True)
class Thread:
    """A thread in a team's channel and all that came of it."""

    team: Team
    root: str
    said: list[Posted] = field(default_factory=list)

    @property
    def town(self) -> Town:
        """Name the town that it is in."""
        return self.team.town

    @property
    def id(self) -> str:
        """Give the thread's id."""
        return f"{self.team.channel}:{self.root}"

    @property
    def url(self) -> str:
        """Give the link that people copy."""
        return f"{self.team.slack['url']}archives/{self.team.channel}/p{self.root.replace('.', '')}"

    @cached_property
    def discussion_id(self) -> UUID:
        """Give the discussion's id."""
        return discussion_id(self.team.row.id, SourceType.SLACK, self.id)

    @property
    def discussion(self) -> Discussion | None:
        """Give the discussion's row."""
        return self.town.here.stores.discussions.get(self.discussion_id)

    @property
    def status(self) -> str | None:
        """Say where the discussion stands."""
        return self.discussion.status.value if self.discussion else None

    @property
    def failed_stage(self) -> str | None:
        """Name the stage in which the discussion failed."""
        stage = sa.select(discussions.c.failed_stage).where(discussions.c.id == self.discussion_id)
        with self.town.here.engine.connect() as connection:
            return connection.execute(stage).scalar()

    @property
    def titles(self) -> list[str]:
        """List the titles of the pages in the team's database, in the order in which they were made."""
        return [page["title"] for page in self.team.pages]

    @property
    def runs(self) -> list[Run]:
        """List the thread's runs, the first one first."""
        return self.town.runs(tags=[{"key": "discubot/discussion", "value": str(self.discussion_id)}])

    @property
    def deliveries(self) -> list[Any]:
        """List the inbox rows of the thread."""
        table = inboxes[SourceType.SLACK]
        mine = sa.select(table).where(table.c.discussion_id == self.discussion_id).order_by(table.c.id)
        with self.town.here.engine.connect() as connection:
            return list(connection.execute(mine).all())

    def say(self, text: str, **more: Any) -> Posted:
        """Let a person answer in the thread."""
        return self.team.say(text, self.root, **more)

    def settled(self, runs: int = 1, timeout: float = PATIENCE) -> list[Run]:
        """Wait until nothing is open any more, with at least so many runs; gives them."""

        def probe() -> list[Run]:
            if any(row.status in OPEN for row in self.deliveries):
                return []
            found = self.runs
            return found if len(found) >= runs and all(run.is_finished for run in found) else []

        return eventually(probe, f"{self.team.name} to settle", timeout)

    def waits(self) -> Any:
        """Wait until the thread's only delivery has been put back to wait and its run has ended; gives the row."""

        def probe() -> Any:
            rows, runs = self.deliveries, self.runs
            is_back = len(rows) == 1 and rows[0].status == "pending" and rows[0].generation > 0
            return rows[0] if is_back and runs and all(run.is_finished for run in runs) else None

        return eventually(probe, f"{self.team.name} to be deferred")

    @property
    def messages(self) -> list[Json]:
        """List the thread's messages as Slack shows them."""
        query = f"team_id={self.team.slack['team_id']}&channel={self.team.channel}"
        threads = self.town.ask("GET", f"/sandbox/state?{query}")["slack"]["threads"]
        root = next(thread for thread in threads if thread["ts"] == self.root)
        return [root, *root["replies"]]

    @property
    def replies(self) -> list[str]:
        """List what the bot has said in it."""
        return [message["text"] for message in self.messages if message["is_bot"]]

    def reactions(self, posted: Posted) -> set[str]:
        """Name the reactions on a message."""
        message = next(message for message in self.messages if message["ts"] == posted.ts)
        return {reaction["name"] for reaction in message["reactions"]}


def refused(town: Town, name: str, *lines: str) -> tuple[Thread, str]:
    """Let a job fail at its fifth step, because Notion refuses the token; gives the thread and the job."""
    team = town.team(name)
    with town.fault("notion", team.resolving, "status", status=401, times=None):
        thread = team.thread(*lines)
        [run] = thread.settled()
    assert thread.status == "failed"
    return thread, run.id
