"""Slack's Web API as its adapter uses it: calls, verdicts on answers, the shapes of what comes back.

Facts: https://docs.slack.dev/reference/methods and https://docs.slack.dev/apis/web-api/rate-limits
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final, TypeVar

import httpx2 as httpx
from pydantic import BaseModel, Field, ValidationError

from discubot_pipeline.adapters.http import Pace, Service, no_pace
from discubot_pipeline.adapters.mrkdwn import unescape
from discubot_pipeline.domain.discussion import Attachment, Author
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient, Unanswered

Shape = TypeVar("Shape", bound=BaseModel)
PAGE = "200"
SLACKBOT = "USLACKBOT"
CODE = re.compile(r"[a-z][a-z_]{1,60}")
RETRY: Final = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
    }
)
PERHAPS_DONE: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "slack_down"})
CREDENTIAL: Final = {
    "not_authed": "Slack got no token: enter the app's bot token.",
    "invalid_auth": "Slack does not know the token: enter the app's present bot token.",
    "account_inactive": "The token's user or workspace is gone: install the app again, enter its new token.",
    "token_revoked": "The token was revoked: install the app again, enter its new token.",
    "token_expired": "The token has expired: enter a bot token without token rotation.",
    "not_allowed_token_type": "The token is of the wrong type: enter the app's bot token (xoxb-…).",
    "org_login_required": "The workspace moves to an organisation: install the app again afterwards.",
}
ITEM: Final = {
    "channel_not_found": "The channel does not exist, or the app is not in it.",
    "not_in_channel": "The app is not in the channel: invite it there.",
    "thread_not_found": "The thread does not exist any more.",
    "message_not_found": "The message does not exist any more.",
    "is_archived": "The channel is archived.",
}


class Identity(BaseModel):
    """Who the token speaks for (auth.test); `url` is the workspace's address."""

    user_id: str
    bot_id: str | None = None
    team_id: str | None = None
    url: str

    def said(self, said: "Said") -> bool:
        """Tell whether a message is the bot's own."""
        return said.user == self.user_id or (said.bot_id is not None and said.bot_id == self.bot_id)


class Member(BaseModel):
    """A user (users.info)."""

    id: str
    name: str = ""
    real_name: str | None = None
    tz: str | None = None
    is_bot: bool = False
    profile: dict[str, Any] = {}

    @property
    def author(self) -> Author:
        """The person behind the account, by the name that Slack shows."""
        name = first(self.profile, "display_name", "real_name") or self.real_name or self.name or self.id
        return Author(
            id=self.id,
            name=unescape(name),
            handle=self.name or None,
            email=first(self.profile, "email"),
            time_zone=self.tz or None,
            is_bot=self.is_bot or self.id == SLACKBOT,
        )


class Said(BaseModel):
    """A message of a thread (conversations.replies). `ts` is its id and stays a string."""

    ts: str = Field(pattern=r"^[0-9]{1,12}\.[0-9]{1,6}$")
    user: str | None = None
    text: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    username: str | None = None
    bot_profile: dict[str, Any] | None = None
    files: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    blocks: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None

    @property
    def sent_at(self) -> datetime:
        """The moment that `ts` names, to the microsecond."""
        seconds, _, micros = self.ts.partition(".")
        return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(micros.ljust(6, "0")))

    @property
    def words(self) -> str:
        """The text and what it forwards; of an app that says everything in blocks or attachments, theirs."""
        if self.text:
            forwarded = (first(one, "text") for one in self.hung if one.get("is_share") is True)
            return "\n".join(filter(None, (self.text, *forwarded)))
        shown = (first(one, "text") or shown_in(one.get("blocks")) or first(one, "fallback") for one in self.hung)
        return shown_in(self.blocks) or "\n".join(filter(None, shown))

    @property
    def hung(self) -> list[dict[str, Any]]:
        """The attachments, as Slack gives them."""
        return self.attachments or []

    @property
    def bot(self) -> Author:
        """The app that posted a message which has no user."""
        name = self.username or first(self.bot_profile or {}, "name") or self.bot_id
        return Author(id=self.bot_id or SLACKBOT, name=unescape(name or SLACKBOT), is_bot=True)

    @property
    def hanging(self) -> Iterator[Attachment]:
        """The files of the message and the links that it shows."""
        for one in self.files or ():
            name = first(one, "title", "name") or "file"
            url = first(one, "permalink", "url_private", "external_url")
            yield Attachment(name=name, url=url, kind=first(one, "mimetype", "filetype"))
        for one in self.hung:
            url = first(one, "title_link", "from_url", "original_url", "image_url")
            if url is not None:
                yield Attachment(name=first(one, "title", "service_name") or url, url=url, kind="link")

    def has_key(self, event_type: str, key: str) -> bool:
        """Tell whether the message carries the key in its metadata."""
        expected = {"event_type": event_type, "key": key}
        metadata = self.metadata or {}
        payload = metadata.get("event_payload")
        found = payload.get("key") if isinstance(payload, dict) else None
        return {"event_type": metadata.get("event_type"), "key": found} == expected


def first(raw: dict[str, Any], *names: str) -> str | None:
    """Give the first of the fields that holds text."""
    return next((value for name in names if isinstance(value := raw.get(name), str) and value), None)


def shown_in(blocks: object) -> str:
    """Read what the blocks of an app show as text, one piece a line; labels of buttons are left out."""
    pieces: list[str | None] = []
    for block in records(blocks):
        inner = (records([block.get("text")]), records(block.get("fields")), records(block.get("elements")))
        pieces += [first(one, "text") for one in (block, *chain.from_iterable(inner))]
    return "\n".join(filter(None, pieces))


def records(raw: object) -> list[dict[str, Any]]:
    """Give what is an object in a list; nothing when it is no list."""
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


class Cursor(BaseModel):
    """Where the next page begins; empty after the last."""

    next_cursor: str | None = None


class Page(BaseModel):
    """One page of a list."""

    response_metadata: Cursor | None = None

    @property
    def next(self) -> str | None:
        """The cursor of the next page; None when this is the last."""
        return (self.response_metadata and self.response_metadata.next_cursor) or None


class Stretch(Page):
    """One page of a thread."""

    messages: list[Said]


class Past(Page):
    """One page of a channel; its messages are read one by one, so that a strange one costs no other."""

    messages: list[dict[str, Any]]


Paged = TypeVar("Paged", bound=Page)


class SlackApi:
    """The methods that the adapter needs, for one bot token."""

    def __init__(self, token: str, base_url: str, pace: Pace = no_pace) -> None:
        self._service = Service("Slack", base_url, {"authorization": f"Bearer {token}"}, pace)

    def call(self, method: str, **fields: str) -> dict[str, Any]:
        """Call a method that may be repeated. Raises Transient or Permanent with Slack's code as reason."""
        return _answer(method, self._service.call("POST", method, data=fields))

    def identify(self) -> tuple[Identity, frozenset[str] | None]:
        """Say who the token speaks for and which scopes it has; None where Slack does not say."""
        response = self._service.call("POST", "auth.test")
        me = shaped(Identity, "auth.test", _answer("auth.test", response))
        scopes = response.headers.get("x-oauth-scopes")
        return me, frozenset(scope.strip() for scope in scopes.split(",")) if scopes is not None else None

    def write(self, method: str, **fields: str) -> dict[str, Any]:
        """Call a method that must not be repeated blindly: Unanswered where it may have been carried out."""
        try:
            return self.call(method, **fields)
        except Transient as error:
            if error.reason in PERHAPS_DONE:
                raise Unanswered(error.reason, error.message) from error
            raise

    def thread(self, channel: str, root: str, **fields: str) -> Iterator[Said]:
        """Read a thread to its last page, each message once: pages may repeat the parent."""
        seen: set[str] = set()
        wanted = {"channel": channel, "ts": root, "limit": PAGE} | fields
        for page in self._pages(Stretch, "conversations.replies", wanted):
            yield from (said for said in page.messages if said.ts not in seen)
            seen |= {said.ts for said in page.messages}

    def history(self, channel: str, oldest: str, latest: str, limit: int, **fields: str) -> Iterator[dict[str, Any]]:
        """Read what stands in a channel between two ts, the newest first, as Slack gives it; replies are not in it."""
        wanted = {"channel": channel, "oldest": oldest, "latest": latest, "limit": str(limit)} | fields
        for page in self._pages(Past, "conversations.history", wanted):
            yield from page.messages

    def read(self, shape: type[Shape], method: str, **fields: str) -> Shape:
        """Call a method that may be repeated and give its answer in the shape it is expected to have."""
        return shaped(shape, method, self.call(method, **fields))

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _pages(self, shape: type[Paged], method: str, wanted: dict[str, str]) -> Iterator[Paged]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.read(shape, method, **wanted, **({"cursor": cursor} if cursor else {}))
            yield page
            cursor = page.next


def shaped(shape: type[Shape], method: str, answer: object) -> Shape:
    """Read an answer, or a part of one. Raises Permanent when it is not what Slack documents."""
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        raise Permanent("unexpected_answer", f"Slack answered {method} with an unknown shape.") from error


def _answer(method: str, response: httpx.Response) -> dict[str, Any]:
    """Tell Slack's answers apart: success and failure both come with status 200, an outage comes as HTML."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or "ok" not in answer:
        raise _no_answer(method, response.status_code)
    if answer["ok"] is True:
        return answer
    raise _verdict(method, str(answer.get("error")), str(answer.get("needed")))


def _no_answer(method: str, status: int) -> PipelineError:
    if 400 <= status < 500:
        return Permanent("unexpected_answer", f"Slack answered {method} with status {status}.")
    return Transient("slack_down", f"Slack answered {method} with status {status} and no result.")


def _verdict(method: str, code: str, needed: str) -> PipelineError:
    """Turn an error code into what a retry may do about it."""
    if code in RETRY:
        return Transient(code, f"Slack could not do {method} for now.")
    if code == "missing_scope":
        return Permanent(code, f"The Slack app lacks the scope {needed}: add it and install the app again.")
    advice = CREDENTIAL.get(code) or ITEM.get(code) or f"Slack refused {method}."
    return Permanent(code if CODE.fullmatch(code) else "slack_error", advice)
