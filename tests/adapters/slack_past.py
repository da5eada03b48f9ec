"""Threads of the past, in a channel of the sandbox and in an export, for the tests of backfills."""

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackarchive import SlackArchive, ts_of
from discubot_pipeline.adapters.slackexport import SlackExport
from discubot_pipeline.ports import Source
from tests.adapters.slack_workspace import SlackHarness, slack_config
from tests.adapters.source_harness import DAY, START

SITE = "https://acme.slack.com"
NOWHERE = "http://127.0.0.1:9/"
USERS = [
    {"id": "U1", "name": "anna", "profile": {"display_name": "anna", "email": "anna@acme.example"}},
    {"id": "U2", "name": "ben", "real_name": "Ben Carter", "profile": {"display_name": "ben"}},
]
CHANNELS = [{"id": "C1", "name": "general"}]


class SlackPast:
    """A channel of the sandbox, with an archive that reads three messages a page."""

    mentions = True
    people = ("anna", "ben")

    def __init__(self, slack: SlackHarness) -> None:
        self.slack = slack
        made = slack.sandbox.control("POST", f"/slack/workspaces/{slack.team}/channels", {"name": "past"})
        self.place = str(made["id"])
        self.source: Source = slack.source
        self.archive = SlackArchive(slack.config, f"{slack.sandbox.url}/slack/api/", page_size=3)

    def write(self, at: datetime, texts: Sequence[str], mention: str | None = None) -> None:
        said = [*texts, f"<@{self.slack.bot}> {mention}"] if mention else texts
        for number, text in enumerate(said):
            self.say(at + timedelta(seconds=number), text, self.slack.people[number % 2], at if number else None)

    def say(self, at: datetime, text: str, user: str, root: datetime | None = None, **more: object) -> str:
        """Let somebody say something at a time."""
        message = {"team_id": self.slack.team, "channel": self.place, "user": user, "text": text, "ts": ts_of(at)}
        message |= {"thread_ts": ts_of(root) if root else None, "quiet": True, **more}
        self.slack.sandbox.control("POST", "/slack/messages/bulk", [message])
        return ts_of(at)

    def spoil(self) -> None:
        self.say(START + DAY / 2, "?", self.slack.people[0], more={"reply_count": "many"})


class ExportPast:
    """An export that is written anew with each message, and a source that can reach no Slack."""

    mentions = False
    people = ("anna", "ben")
    place = "general"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.days: dict[str, Any] = {"users.json": USERS, "channels.json": CHANNELS, "general/2026-01-01.json": []}
        self.source: Source = SlackSource(slack_config(), NOWHERE)

    @property
    def archive(self) -> SlackExport:
        """Open what has been written so far."""
        with zipfile.ZipFile(self.path, "w") as file:
            for name, content in self.days.items():
                file.writestr(name, content if isinstance(content, str) else json.dumps(content))
        return SlackExport(self.path, SITE)

    def write(self, at: datetime, texts: Sequence[str], mention: str | None = None) -> None:
        for number, text in enumerate([*texts, mention] if mention else texts):
            self.say(at + number * timedelta(hours=9), str(text), f"U{number % 2 + 1}", at if number else None)

    def say(self, at: datetime, text: str, user: str = "U1", root: datetime | None = None, **more: Any) -> None:
        """Let somebody say something at a time."""
        said = {"type": "message", "user": user, "text": text, "ts": ts_of(at), **more}
        said |= {"thread_ts": ts_of(root)} if root else {}
        self.days.setdefault(f"general/{at:%Y-%m-%d}.json", []).append(said)

    def spoil(self) -> None:
        self.days["general/2026-03-05.json"] = "[{"
