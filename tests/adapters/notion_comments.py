"""A Notion connection with a page to comment on in the sandbox, and its requests, for the tests of Notion's source."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from discubot_pipeline.adapters import markup
from discubot_pipeline.adapters.notiondoor import NotionDoor
from discubot_pipeline.adapters.notionsource import NotionSource
from discubot_pipeline.domain.config import NotionSourceCredentials, Preferences, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.ports import Source
from tests.adapters.conftest import Sandbox
from tests.adapters.source_harness import config_of

PAYLOADS = Path(__file__).parent / "payloads" / "notion"
SECRET = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"
WORKSPACE = "13950b26-c203-4f3b-b97d-93ec06319565"
DOOR = NotionDoor()


def sign(secret: str, body: bytes) -> dict[str, str]:
    """Sign a body as Notion documents it."""
    return {"x-notion-signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def payload(name: str) -> bytes:
    """Read a payload file."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def notion_config(
    token: str = "ntn_test", secret: str | None = SECRET, workspace: str | None = None, trigger: str | None = None
) -> SourceConfig:
    """Make a Notion source's config."""
    own = NotionSourceCredentials(token=SecretStr(token), signing_secret=SecretStr(secret) if secret else None)
    config = config_of(SourceType.NOTION, own, workspace)
    return config.model_copy(update={"preferences": Preferences(trigger=trigger)})


def opened(name: str) -> Arrival:
    """Open a payload file's request."""
    arrival = DOOR.open(notion_config(workspace=WORKSPACE), {}, payload(name))
    assert isinstance(arrival, Arrival)
    return arrival


def rich(text: str, url: str | None = None) -> dict[str, Any]:
    """Write one piece of rich text as the API takes it."""
    return {"type": "text", "text": {"content": text, "link": {"url": url} if url else None}}


class NotionHarness:
    """A connection in the sandbox, two people, and a page on which they comment."""

    door = DOOR
    answers_back = True

    def __init__(self, sandbox: Sandbox, **subscription: Any) -> None:
        self.sandbox, self._opened = sandbox, ExitStack()
        made = sandbox.control("POST", "/notion/integrations", {"name": "Discubot"})
        self.token, self.bot = made["token"], made["bot_id"]
        self.people = [self._join("Anna de Vries"), self._join("Ben Carter")]
        self.page = self.write("Relaunch", ["The prices are those of last year."])
        wanted = {"token": self.token, "url": f"{sandbox.url}/healthz", "retry_delays": [], "names_discussions": True}
        self.subscription = sandbox.control("POST", "/notion/subscriptions", wanted | {"greet": False} | subscription)
        self.secret = self.subscription["verification_token"]
        entered = {"verification_token": self.secret}
        sandbox.control("POST", f"/notion/subscriptions/{self.subscription['id']}/verify", entered)
        self.config = notion_config(self.token, self.secret)
        self.source: Source = self.open_source()
        self.samples = {
            "a < b & c > d, not &amp; <!here>": "a < b & c > d, not &amp; <!here>",
            "two\nlines [x](y) \\ *bold*": "two\nlines [x](y) \\ *bold*",
        }

    def open_source(self, token: str | None = None, **more: Any) -> NotionSource:
        """Make a source with nothing cached."""
        config = notion_config(token or self.token, self.secret, **more)
        return self._opened.enter_context(NotionSource(config, f"{self.sandbox.url}/notion"))

    def close(self) -> None:
        """Close all sources."""
        self._opened.close()

    def _join(self, name: str) -> str:
        person = {"name": name, "email": f"{name.split(maxsplit=1)[0].lower()}@acme.example"}
        return str(self.sandbox.control("POST", "/notion/users", person)["id"])

    def write(self, title: str, paragraphs: Sequence[str] = (), children: Sequence[Any] = ()) -> str:
        """Let a person write a page; gives its id."""
        blocks = [{"type": "paragraph", "paragraph": {"rich_text": [rich(text)]}} for text in paragraphs]
        new = {"title": title, "tokens": [self.token], "children": [*blocks, *children]}
        return str(self.sandbox.control("POST", "/notion/documents", new)["page_id"])

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        return sign(self.secret, body)

    def say(self, texts: Sequence[Any], **place: str) -> list[dict[str, Any]]:
        """Let the people comment in turn, in one discussion; gives the comments."""
        first = place or {"page_id": self.page}
        said = [
            {
                **(first if number == 0 else {"discussion_id": place.get("discussion_id", "")}),
                "user": self.people[number % 2],
                "quiet": True,
                **({"text": text} if isinstance(text, str) else {"rich_text": text}),
            }
            for number, text in enumerate(texts)
        ]
        comments: list[dict[str, Any]] = self.sandbox.control("POST", "/notion/comments/bulk", said)["comments"]
        return comments

    def thread(self, *texts: Any, **place: str) -> str:
        """Let people write a discussion; gives its thread id."""
        [first, *_] = self.say(texts or ["One"], **place)
        return f"{first['parent']}:{first['discussion_id']}"

    def call(self, text: str | None, discussion: str, **more: Any) -> dict[str, Any]:
        """Let a person comment in a discussion, aloud."""
        said = {"discussion_id": discussion, "user": self.people[0], "text": text} | more
        comment: dict[str, Any] = self.sandbox.control("POST", "/notion/comments", said)
        return comment

    def event(self, comment: dict[str, Any]) -> bytes:
        """Give the request that told of a comment."""
        return json.dumps(self.sandbox.control("GET", f"/notion/events/{comment['event_ids'][0]}")).encode()

    def ask(self, texts: Sequence[str], words: str | None) -> bytes:
        discussion = self.say(texts)[0]["discussion_id"]
        return self.event(self.call(f"@discubot {words or ''}", discussion))

    def posted(self, thread_id: str) -> list[dict[str, Any]]:
        """List the bot's comments in a thread."""
        discussion = thread_id.partition(":")[2]
        listed = self.sandbox.control("GET", "/notion/comments")["comments"]
        return [one for one in listed if one["discussion_id"] == discussion and one["user"] == self.bot]

    def answers(self, thread_id: str) -> list[str]:
        return [one["text"] for one in self.posted(thread_id)]

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        return []

    def shown(self, text: str) -> str:
        return "".join(f"{run.text} ({run.url})" if run.url else run.text for run in markup.runs(text))

    def losing_the_answer(self) -> AbstractContextManager[None]:
        return self.sandbox.fault(service="notion", match="POST /comments", kind="drop_after")

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        return self.sandbox.fault(service="notion", match="GET /comments$", kind="ratelimit", retry_after=seconds)

    def revoked(self) -> Source:
        return self.open_source("ntn_revoked")

    def calls(self, pattern: str) -> int:
        """Count this connection's calls that match a pattern, as in `GET /users$`."""
        calls = self.sandbox.control("GET", "/log?service=notion")["calls"]
        mine = [call for call in calls if call["token"] == self.token[-4:]]
        return sum(re.search(pattern, f"{call['method']} {call['path']}") is not None for call in mine)
