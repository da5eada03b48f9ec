"""Runs the six stages over the sandbox as a run would, without Dagster: real stores, real adapters."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from discubot_pipeline import __version__
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Judgement
from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Launch, RunToRequest, SourceType
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.job import Job, Outcome, Trigger
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.outside import Adapters
from discubot_pipeline.ports import Analyst
from discubot_pipeline.stages.analyze import analyze
from discubot_pipeline.stages.configure import configure
from discubot_pipeline.stages.gather import gather
from discubot_pipeline.stages.notify import notify
from discubot_pipeline.stages.publish import publish
from discubot_pipeline.stages.validate import validate
from discubot_pipeline.web.hooks import take
from discubot_pipeline.wiring import Services
from tests.adapters.slack_workspace import sign
from tests.conftest import Sandbox

SLACK = SourceType.SLACK
LEASE = timedelta(minutes=5)
COLUMNS = {
    "Priority": {"type": "select", "options": ["High", "Low"]},
    "Assignee": "people",
    "Discubot key": "rich_text",
}


class DomainAnalyst:
    """Finds one task in each line of the mention that reads `domain: what is to be done`."""

    name = "domains"
    fingerprint = None

    def analyze(self, brief: Brief) -> Judgement:
        """Read the lines; a line without a domain is a task without one."""
        lines = [line.partition(": ") for message in brief.instructions for line in message.text.splitlines()]
        tasks = [DetectedTask(title=text or domain, domain=domain if text else None) for domain, _, text in lines]
        return Judgement(findings=Findings(summary=brief.title, tasks=tuple(tasks)))


class World(Adapters):
    """The sandbox as the world outside, with an analyst that a test may choose."""

    def __init__(self, services: Services, chosen: Analyst | None = None) -> None:
        super().__init__(services.settings, services.engine, services.stores.limits)
        self.chosen = chosen or RuleAnalyst()

    def analyst(self, config: SourceConfig) -> Analyst:
        """Give the chosen analyst."""
        return self.chosen


@dataclass
class Made:
    """What the last two stages are given when they are executed again."""

    thread: Thread
    created: CreatedTasks
    outcome: Outcome
    job: Job


@dataclass
class Firm:
    """A team with a Slack workspace and Notion databases in the sandbox."""

    sandbox: Sandbox
    services: Services
    config: SourceConfig
    slack: dict[str, Any]
    databases: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    events: Iterator[int] = field(default_factory=lambda: count(1))

    def output(self, name: str, **more: Any) -> Output:
        """Connect a Notion database with a connection of its own."""
        token = self.sandbox.control("POST", "/notion/integrations", {"name": name})["token"]
        wanted = {"tokens": [token], "properties": COLUMNS, "title_property": "Task"}
        self.databases[name] = self.sandbox.control("POST", "/notion/databases", wanted)["database_id"]
        self.tokens[name] = token
        credentials = NotionCredentials(token=SecretStr(token))
        configs = self.services.stores.configs
        return configs.add_output(self.config, name, self.databases[name], credentials, "test", **more)

    def person(self, id: str, name: str) -> None:
        """Let somebody join the workspace."""
        someone = {"id": id, "name": name.partition(" ")[0].lower(), "real_name": name}
        self.sandbox.control("POST", f"/slack/workspaces/{self.slack['team_id']}/users", someone)

    def say(self, ts: str, text: str, user: str = "U1", root: str | None = None) -> None:
        """Let somebody write in the channel."""
        said = {"team_id": self.slack["team_id"], "channel": "C1", "user": user, "text": text, "ts": ts, "quiet": True}
        self.sandbox.control("POST", "/slack/messages", said | {"thread_ts": root})

    def mention(self, root: str, ts: str, words: str, user: str = "U1") -> int:
        """Mention the bot in a thread and deliver the event; gives the delivery's id."""
        text = f"<@{self.slack['bot_user_id']}> {words}"
        self.say(ts, text, user, root)
        event = {"type": "app_mention", "user": user, "text": text, "ts": ts, "channel": "C1", "thread_ts": root}
        body = json.dumps(
            {
                "type": "event_callback",
                "team_id": self.slack["team_id"],
                "event_id": f"Ev{next(self.events):08}",
                "event": event | {"event_ts": ts},
                "authorizations": [{"user_id": self.slack["bot_user_id"], "team_id": self.slack["team_id"]}],
            }
        ).encode()
        headers = sign(self.slack["signing_secret"], body, datetime.now(UTC))
        receipt: Any = asyncio.run(take(self.config, self.services.outside.door(SLACK), headers, body, self.services))
        assert receipt.status == "accepted", receipt
        return int(receipt.delivery_id)

    def pages(self, name: str) -> list[dict[str, Any]]:
        """List a database's pages."""
        path = f"/notion/pages?database_id={self.databases[name]}"
        found: list[dict[str, Any]] = self.sandbox.control("GET", path)["pages"]
        return found

    def titles(self, name: str) -> list[str]:
        """List the titles of a database's pages."""
        return sorted(page["properties"]["Task"] for page in self.pages(name))

    def threads(self) -> dict[str, list[dict[str, Any]]]:
        """Give the messages of each thread by its root."""
        threads = self.sandbox.control("GET", f"/state?team_id={self.slack['team_id']}&channel=C1")["slack"]["threads"]
        return {thread["ts"]: [thread, *thread["replies"]] for thread in threads}

    def answers(self, root: str) -> list[str]:
        """List what the bot has said in a thread."""
        return [message["text"] for message in self.threads()[root] if message["is_bot"]]


def found_firm(sandbox: Sandbox, services: Services, name: str, team_id: str) -> Firm:
    """Found a team; its channel is C1, as every firm's."""
    new = {"name": name, "team_id": team_id, "channel": None, "events_url": f"{sandbox.url}/healthz"}
    slack = sandbox.control("POST", "/slack/workspaces", new)
    sandbox.control("POST", f"/slack/workspaces/{team_id}/channels", {"id": "C1", "name": "general"})
    secrets = {key: SecretStr(slack[key]) for key in ("signing_secret", "bot_token")}
    configs = services.stores.configs
    team = configs.add_team(name, "test")
    config = configs.add_source(team, SLACK, "slack", SlackCredentials(**secrets), "test", workspace=team_id)
    return Firm(sandbox, services, config, slack)


def work(services: Services, request: RunToRequest) -> Made:
    """Take one requested run through all stages."""
    stores, outside = services.stores, services.outside
    run_id = str(uuid4())
    job = Job(run_id=run_id, root_run_id=run_id, run_key=request.run_key, is_last_attempt=True)
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, __version__)
    parsed = validate(Launch(delivery_ids=request.delivery_ids), job, stores, outside)
    thread = gather(configure(parsed, job, stores, outside), job, stores, outside)
    analysis = analyze(thread, job, stores, outside)
    created = publish(thread, analysis, job, stores, outside)
    return Made(thread, created, notify(thread, created, job, stores, outside), job)


def work_all(services: Services) -> list[Made]:
    """Work until nothing is due."""
    done: list[Made] = []
    inboxes = services.stores.inboxes.values()
    while requests := [request for inbox in inboxes for request in inbox.lease(1, LEASE)]:
        done += [work(services, request) for request in requests]
    return done


def retry(services: Services, made: Made) -> Made:
    """Execute the last two stages again in a new run of the same chain, as a retry of a partial job does."""
    stores, outside = services.stores, services.outside
    parsed = made.thread.configured.parsed
    job = made.job.model_copy(update={"run_id": str(uuid4()), "parent_run_id": made.job.run_id, "run_key": None})
    stores.notes.open(job.run_id, job.root_run_id, Trigger.RETRY, {}, __version__)
    stores.discussions.take(parsed.discussion_id, job.run_id, [])
    stores.inboxes[SLACK].inherit([made.job.run_id], job.run_id)
    created = publish(made.thread, made.created.analysis, job, stores, outside)
    return Made(made.thread, created, notify(made.thread, created, job, stores, outside), job)


@contextmanager
def unlimited(sandbox: Sandbox) -> Iterator[None]:
    """Let the sandbox's Notion take any number of calls inside the block."""
    sandbox.control("PUT", "/notion/limits", {"requests": 100_000})
    try:
        yield
    finally:
        sandbox.control("DELETE", "/notion/limits")


def texts_of(rows: Sequence[Any]) -> str:
    """Write rows out, for looking whether something is in them."""
    return repr([tuple(row) for row in rows])
