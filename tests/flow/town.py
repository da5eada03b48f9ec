"""The running system as its users see it: people in Slack, pages in Notion, runs in Dagster, and our own rows."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.store.configs import Team as TeamRow
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.tables import discussions, inboxes, steps
from discubot_pipeline.wiring import Services

Json = dict[str, Any]
T = TypeVar("T")
PATIENCE = 60.0
OPEN = ("pending", "requested", "running")
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")
COLUMNS = {
    "Status": {"type": "status", "options": ["To do", "In progress", "Done"]},
    "Priority": {"type": "select", "options": ["High", "Medium", "Low"]},
    "Source": {"type": "url"},
    "Discubot key": {"type": "rich_text"},
}
RUNS = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    ... on Runs { results {
      runId status parentRunId rootRunId tags { key value } stepStats { stepKey status attempts { startTime } }
    } }
  }
}"""
EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id, limit: 1000) {
    ... on EventConnection { events {
      __typename
      ... on MessageEvent { message stepKey eventType }
      ... on DisplayableEvent { metadataEntries {
        label ... on UrlMetadataEntry { url } ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue }
        ... on MarkdownMetadataEntry { mdStr }
      } }
      ... on EngineEvent { markerStart }
      ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
    } }
  }
}"""


def eventually(probe: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
    """Give the first true answer of a probe; fail when none comes in time."""
    never, deadline = threading.Event(), time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {timeout:.0f} s in vain for {what}"
        never.wait(0.1)
    return found


@dataclass(frozen=True)
class Run:
    """A run of a thread, by GraphQL's word."""

    id: str
    status: str
    parent: str | None
    root: str | None
    tags: dict[str, str]
    steps: dict[str, str]
    attempts: dict[str, int]

    @property
    def is_finished(self) -> bool:
        """Say whether it has ended."""
        return self.status in FINISHED


@dataclass(frozen=True)
class Town:
    """Everything that a test may reach: the sandbox, the receiver, Dagster's web server, our stores."""

    system: System
    here: Services
    web: DagsterWeb
    sandbox: Service
    receiver: Service
    teams: Iterator[int]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox's control API."""
        answer = self.sandbox.call(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def team(self, name: str) -> "Team":
        """Found a team with a Slack workspace, a Notion database and a source of its own."""
        number = next(self.teams)
        slack = self.ask("POST", "/sandbox/slack/workspaces", {"name": name, "team_id": f"T{number:04}"})
        for person in ("anna", "ben"):
            someone = {"id": f"U{number:04}{person.upper()}", "name": person, "real_name": person.title()}
            self.ask("POST", f"/sandbox/slack/workspaces/{slack['team_id']}/users", someone)
        token = self.ask("POST", "/sandbox/notion/integrations", {"name": name})["token"]
        database = {"tokens": [token], "properties": COLUMNS, "title_property": "Task"}
        notion = self.ask("POST", "/sandbox/notion/databases", database)
        configs = self.here.stores.configs
        row = configs.add_team(name, "test")
        secrets = {key: SecretStr(slack[key]) for key in ("signing_secret", "bot_token")}
        credentials, home = SlackCredentials(**secrets), slack["team_id"]
        config = configs.add_source(row, SourceType.SLACK, "slack", credentials, "test", workspace=home)
        hook = f"{self.here.settings.receiver_url}/hooks/slack/{config.hook}"
        self.ask("PATCH", f"/sandbox/slack/workspaces/{home}", {"events_url": hook})
        team = Team(self, name, slack, token, notion["database_id"], config, row)
        team.output(config)
        return team

    @contextmanager
    def fault(self, service: str, match: str, kind: str, **more: Any) -> Iterator["Fault"]:
        """Let calls of a service go wrong inside the block."""
        armed = self.ask("POST", "/sandbox/faults", {"service": service, "match": match, "kind": kind} | more)
        fault = Fault(self, armed["id"])
        try:
            yield fault
        finally:
            self.sandbox.call("DELETE", f"/sandbox/faults/{fault.id}")

    @contextmanager
    def outage(self, service: str) -> Iterator[None]:
        """Take a service down inside the block."""
        self.ask("PUT", f"/sandbox/services/{service}", {"down": True})
        try:
            yield
        finally:
            self.ask("PUT", f"/sandbox/services/{service}", {"down": False})

    def mark(self) -> int:
        """Give the number of the newest call in the stand-ins' log."""
        calls = self.calls(0)
        return calls[-1]["seq"] if calls else 0

    def calls(self, since: int, token: str | None = None) -> list[Json]:
        """List the calls to the stand-ins after a number, with one token where that is named."""
        calls = self.ask("GET", f"/sandbox/log?since={since}")["calls"]
        return [call for call in calls if token is None or call["token"] == token[-4:]]

    def runs(self, **filter: Any) -> list[Run]:
        """List runs of a filter, the first one first."""
        results = self.web.ask(RUNS, filter=filter)["runsOrError"]["results"]
        return [read(run) for run in reversed(results)]

    def run(self, run_id: str) -> Run:
        """Give one run."""
        return self.runs(runIds=[run_id])[0]

    def finished(self, run_id: str) -> Run:
        """Give a run when it has ended."""
        return eventually(lambda: run if (run := self.run(run_id)).is_finished else None, f"run {run_id} to end")

    def launch(self, **config: Any) -> str:
        """Launch a run as the Launchpad does."""
        return self.web.launch("discussion_job", {"ops": {"validate_discussion": {"config": config}}})

    def events(self, run_id: str) -> list[Json]:
        """List the events of a run."""
        events: list[Json] = self.web.ask(EVENTS, id=run_id)["logsForRun"]["events"]
        return events

    def failure(self, run_id: str) -> str:
        """Give the words with which a run's failed op says why."""
        failures = [event for event in self.events(run_id) if event["__typename"] == "ExecutionStepFailureEvent"]
        assert len(failures) == 1
        return str(failures[0]["failureMetadata"]["description"])

    def metadata(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Give what each op shows of its value: links, numbers, texts."""
        shown: dict[str, dict[str, Any]] = {}
        for event in self.events(run_id):
            if event.get("eventType") == "STEP_OUTPUT":
                entries = {entry.pop("label"): next(iter(entry.values()), None) for entry in event["metadataEntries"]}
                shown[event["stepKey"]] = entries
        return shown

    def process(self, run_id: str) -> int:
        """Give the number of the process that a run works in."""
        entries = [entry for event in self.events(run_id) for entry in event.get("metadataEntries", [])]
        return int(next(entry["text"] for entry in entries if entry["label"] == "pid"))

    def step_records(self, run_id: str) -> dict[str, Any]:
        """Give the step records of a run by their op."""
        with self.here.engine.connect() as connection:
            rows = connection.execute(sa.select(steps).where(steps.c.run_id == run_id)).all()
        return {row.step: row for row in rows}


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at a stand-in."""

    town: Town
    id: str

    def strikes(self, times: int = 1) -> None:
        """Wait until it has hit calls."""
        eventually(lambda: self.struck >= times, f"{self.id} to strike")

    @property
    def struck(self) -> int:
        """Count the calls that it has hit."""
        faults = self.town.ask("GET", "/sandbox/faults")["faults"]
        return next(int(fault["struck"]) for fault in faults if fault["id"] == self.id)


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


def read(run: Json) -> Run:
    """Read a run off GraphQL's answer."""
    return Run(
        id=run["runId"],
        status=run["status"],
        parent=run["parentRunId"],
        root=run["rootRunId"],
        tags={tag["key"]: tag["value"] for tag in run["tags"]},
        steps={step["stepKey"]: step["status"] for step in run["stepStats"]},
        attempts={step["stepKey"]: len(step["attempts"]) for step in run["stepStats"]},
    )
