"""A Figma file in the sandbox, and requests as Figma and Mailgun send them, for the tests of Figma's adapters."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from pydantic import SecretStr

from discubot_pipeline.adapters.figma import FigmaSource
from discubot_pipeline.adapters.figmadoor import FigmaDoor
from discubot_pipeline.adapters.figmatext import REFERENCE
from discubot_pipeline.domain.config import FigmaCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.ports import Source
from tests.adapters.conftest import Sandbox
from tests.adapters.source_harness import config_of

PASSCODE = "open sesame"
DOOR = FigmaDoor()


def figma_config(token: str = "figd_test", passcode: str = PASSCODE, **preferences: Any) -> SourceConfig:
    """Make a Figma source's config."""
    credentials = FigmaCredentials(token=SecretStr(token), passcode=SecretStr(passcode))
    config = config_of(SourceType.FIGMA, credentials)
    return config.model_copy(update={"preferences": config.preferences.model_copy(update=preferences)})


class FigmaHarness:
    """A file in the sandbox, with two people and the bot; nothing is delivered, requests are asked for."""

    answers_back = True
    knows_emails = False
    samples: ClassVar[dict[str, str]] = {
        "a < b && c &amp; <@U1>": "a < b && c &amp; <@U1>",
        "done :tada: at 10:30:15": "done 🎉 at 10:30:15",
        "@Ben Carter see **https://x.io/a?b=1**": "@Ben Carter see **https://x.io/a?b=1**",
        "é🎉\nsecond line": "é🎉\nsecond line",
    }
    _moments: ClassVar[Iterator[int]] = count(0)

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self._opened = sandbox, ExitStack()
        self.people = [self._account(name)["id"] for name in ("Anna de Vries", "Ben Carter")]
        bot = self._account("discubot")
        self.bot, self.token = bot["id"], bot["token"]
        made = self.control("POST", "/files", {"name": "Checkout", "members": [*self.people, self.bot]})
        self.file = made["key"]
        hook = {"endpoint": f"{sandbox.url}/healthz", "passcode": PASSCODE, "files": [], "quiet": True}
        self.webhook = self.control("POST", "/webhooks", hook)["id"]
        self.config = figma_config(self.token)
        self.door = FigmaDoor(f"{sandbox.url}/figma")
        self.source: Source = self.open_source()

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API of the stand-in."""
        return self.sandbox.control(method, f"/figma{path}", body)

    def open_source(self, token: str | None = None, **preferences: Any) -> FigmaSource:
        """Make a source with nothing cached."""
        config = figma_config(token or self.token, **preferences)
        return self._opened.enter_context(FigmaSource(config, f"{self.sandbox.url}/figma"))

    def close(self) -> None:
        """Close all sources."""
        self._opened.close()

    def _account(self, name: str) -> Any:
        return self.control("POST", "/accounts", {"handle": name})

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        return {}

    def say(
        self, texts: Sequence[str], parent: str | None = None, at: datetime | None = None, **more: object
    ) -> list[str]:
        """Let the people comment in turn: the first opens a thread, unless it answers in one; gives the ids."""
        ids: list[str] = []
        start = at or datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=next(self._moments))
        for number, text in enumerate(texts):
            said = {"file_key": self.file, "user": self.people[number % 2], "message": text, "quiet": True}
            when = {"created_at": (start + timedelta(milliseconds=number)).isoformat()}
            root = parent or (ids[0] if ids else None)
            ids.append(self.control("POST", "/comments", said | {"parent_id": root} | when | more)["id"])
        return ids

    def ask(self, texts: Sequence[str], words: str | None) -> bytes:
        root, *_ = self.say(texts)
        [asked] = self.say([f"@discubot {words or ''}".strip()], root, datetime.now(UTC))
        return json.dumps(self.event(asked)).encode()

    def event(self, comment: str) -> dict[str, Any]:
        """Give the body of a comment's webhook."""
        body: dict[str, Any] = self.control("GET", f"/events/{self.webhook}/{comment}")
        return body

    def comments(self) -> list[dict[str, Any]]:
        """List all comments of the file, oldest first."""
        found: list[dict[str, Any]] = self.control("GET", f"/files/{self.file}/comments")["comments"]
        return found

    def posts(self, thread_id: str) -> list[str]:
        """List what the bot has posted in a thread, as it is."""
        root = thread_id.partition(":")[2]
        return [one["message"] for one in self.comments() if (one["user"]["id"], one["parent_id"]) == (self.bot, root)]

    def answers(self, thread_id: str) -> list[str]:
        return [REFERENCE.sub("", post) for post in self.posts(thread_id)]

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        [found] = [one for one in self.comments() if one["id"] == message_id]
        return [reaction["emoji"] for reaction in found["reactions"] if reaction["user"]["id"] == self.bot]

    def shown(self, text: str) -> str:
        return text

    def losing_the_answer(self) -> AbstractContextManager[None]:
        return self.sandbox.fault(service="figma", match="POST .*/comments$", kind="drop_after")

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        fault = {"kind": "ratelimit", "retry_after": seconds}
        return self.sandbox.fault(service="figma", match="GET .*/comments$", **fault)

    def revoked(self) -> Source:
        return self.open_source("figd_revoked")

    def thread(self) -> str:
        """Make a thread of one comment."""
        return f"{self.file}:{self.say(['One'])[0]}"

    def calls(self, match: str) -> int:
        """Count the calls to the stand-in whose verb and path end so."""
        calls = self.sandbox.control("GET", "/log?service=figma")["calls"]
        return sum(f"{call['method']} {call['path']}".endswith(match) for call in calls)
