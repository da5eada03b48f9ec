"""A Slack workspace in the sandbox, and requests as Slack signs them, for the tests of Slack's adapters."""

import html
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.signature import Clock, SignatureVerifier

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.ports import Source
from tests.adapters.conftest import Sandbox
from tests.adapters.source_harness import config_of

PAYLOADS = Path(__file__).parent / "payloads" / "slack"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
DOOR = SlackDoor()


class FixedClock(Clock):
    """A clock for slack_sdk that shows one moment."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> float:
        """Give the moment."""
        return self._at.timestamp()


def sign(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """Sign a body the way slack_sdk does, which is not our code."""
    stamp = str(int(at.timestamp()))
    digest = SignatureVerifier(secret, FixedClock(at)).generate_signature(timestamp=stamp, body=body)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": str(digest)}


def payload(name: str) -> bytes:
    """Read a payload file."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def slack_config(token: str = "xoxb-test", secret: str = SECRET, workspace: str = "T0ACME") -> SourceConfig:
    """Make a Slack source's config."""
    credentials = SlackCredentials(signing_secret=SecretStr(secret), bot_token=SecretStr(token))
    return config_of(SourceType.SLACK, credentials, workspace)


def opened(name: str) -> Arrival:
    """Open a payload file's request."""
    arrival = DOOR.open(slack_config(), {}, payload(name))
    assert isinstance(arrival, Arrival)
    return arrival


class SlackHarness:
    """A workspace in the sandbox, with two people, a channel and a direct conversation."""

    door = DOOR
    answers_back = True
    knows_emails = True
    _seconds: ClassVar[Iterator[int]] = count(1763700000, 1000)

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self._opened = sandbox, ExitStack()
        settings = {"events_url": f"{sandbox.url}/healthz", "retry_delays": [], "repeat_parent": True}
        made = sandbox.control("POST", "/slack/workspaces", {"name": "Conformance", **settings})
        self.team, self.bot, self.channel = made["team_id"], made["bot_user_id"], made["channel"]
        self.token, self.secret = made["bot_token"], made["signing_secret"]
        self.people = [self._join("anna", "Anna de Vries"), self._join("ben", "Ben Carter")]
        self.config = slack_config(self.token, self.secret, self.team)
        self.source: Source = self.open_source()
        self.client = WebClient(self.token, base_url=f"{sandbox.url}/slack/api/", retry_handlers=[])
        self.client.proxy = None
        self.samples = {
            f"<@{self.people[1]}> and <@{self.people[0]}|x>: see <!here>": "@ben and @anna: see @here",
            "a &lt; b &amp;&amp; c &gt; d, not &amp;lt;": "a < b && c > d, not &lt;",
            f"<https://x.io/a?b=1&amp;c=2|the plan> in <#{self.channel}|general> :tada:": (
                "the plan (https://x.io/a?b=1&c=2) in #general 🎉"
            ),
            "```if a &lt; b:\n    :tada:```": "```if a < b:\n    :tada:```",
        }

    def open_source(self, token: str | None = None) -> SlackSource:
        """Make a source with nothing cached."""
        config = slack_config(token or self.token, self.secret, self.team)
        return self._opened.enter_context(SlackSource(config, f"{self.sandbox.url}/slack/api/"))

    def close(self) -> None:
        """Close all sources."""
        self._opened.close()

    def _join(self, name: str, real_name: str) -> str:
        person = {"name": name, "real_name": real_name, "email": f"{name}@acme.example"}
        made = self.sandbox.control("POST", f"/slack/workspaces/{self.team}/users", person)
        return str(made["id"])

    def direct_channel(self) -> str:
        """Make a direct conversation of the first person with the bot."""
        new = {"is_im": True, "user": self.people[0]}
        return str(self.sandbox.control("POST", f"/slack/workspaces/{self.team}/channels", new)["id"])

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        return sign(self.secret, body, at)

    def say(self, channel: str, texts: Sequence[str]) -> list[str]:
        """Let the people write a thread in turn; gives the ts of its messages."""
        second = next(self._seconds)
        stamps = [f"{second + number}.000100" for number in range(len(texts))]
        messages = [
            {
                "team_id": self.team,
                "channel": channel,
                "user": self.people[number % 2],
                "text": text,
                "ts": stamps[number],
                "thread_ts": stamps[0] if number else None,
                "quiet": True,
            }
            for number, text in enumerate(texts)
        ]
        self.sandbox.control("POST", "/slack/messages/bulk", messages)
        return stamps

    def ask(self, texts: Sequence[str], words: str | None) -> bytes:
        stamps = self.say(self.channel, texts)
        mention = {"channel": self.channel, "user": self.people[0], "text": f"<@{self.bot}> {words or ''}"}
        said = self.sandbox.control(
            "POST", "/slack/messages", {"team_id": self.team, "thread_ts": stamps[0], **mention}
        )
        envelope = self.sandbox.control("GET", f"/slack/events/{said['event_id']}")
        return json.dumps(envelope).encode()

    def _posts(self, thread_id: str) -> list[dict[str, Any]]:
        channel, _, root = thread_id.partition(":")
        messages = self.client.conversations_replies(channel=channel, ts=root, limit=999)["messages"]
        return [message for message in messages or [] if message["user"] == self.bot]

    def answers(self, thread_id: str) -> list[str]:
        return [str(message["text"]) for message in self._posts(thread_id)]

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        channel = thread_id.partition(":")[0]
        found = self.client.reactions_get(channel=channel, timestamp=message_id)["message"] or {}
        return [reaction["name"] for reaction in found.get("reactions", []) if self.bot in reaction["users"]]

    def shown(self, text: str) -> str:
        return html.unescape(re.sub(r"<([^|<>]+)\|([^<>]+)>", r"\2 (\1)", text))

    def losing_the_answer(self) -> AbstractContextManager[None]:
        return self.sandbox.fault(service="slack", match="chat.postMessage", kind="drop_after")

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        fault = {"kind": "ratelimit", "retry_after": seconds}
        return self.sandbox.fault(service="slack", match="conversations.replies", **fault)

    def revoked(self) -> Source:
        return self.open_source("xoxb-revoked")

    def thread(self) -> str:
        """Make a thread of one message."""
        return f"{self.channel}:{self.say(self.channel, ['One'])[0]}"

    def calls(self, method: str) -> int:
        """Count the calls of a method since the sandbox started."""
        calls = self.sandbox.control("GET", "/log?service=slack")["calls"]
        return sum(call["path"] == f"/{method}" for call in calls)
