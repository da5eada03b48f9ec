"""Slack's webhooks: proves that a request is Slack's and names what it brought. The receiver calls it.

Facts: https://docs.slack.dev/apis/events-api and https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent

MAX_BODY = 1024 * 1024
WINDOW_SECONDS = 300
SITE = "slack.com"
BASE_URL = f"https://{SITE}/api/"
SLACKBOT = "USLACKBOT"
SPOKEN: Final = frozenset({None, "file_share", "thread_broadcast", "me_message"})
SUBTYPE_REASONS: Final = {
    "message_changed": "edited",
    "message_deleted": "deleted",
    "bot_message": "bot_message",
}
EVENT_REASONS: Final = {"app_uninstalled": "uninstalled", "tokens_revoked": "uninstalled"}
PERMALINK = re.compile(r"/archives/([A-Z0-9]+)/p([0-9]{7,18})/?")
TIMESTAMP = re.compile(r"[0-9]{1,12}\.[0-9]{6}")

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Ts = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,6}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


class Wire(BaseModel):
    """A part of a request's body: strict on types, what it does not name is ignored."""

    model_config = ConfigDict(strict=True, frozen=True)


class Authorization(Wire):
    """One installation that may see the event."""

    team_id: str | None = None
    user_id: str | None = None
    is_bot: bool = False


class Handshake(Wire):
    """The question that Slack asks when the address is entered."""

    challenge: str


class Outline(Wire):
    """As much of an event as tells its kind; fields with other types in other kinds are left out."""

    type: str
    subtype: str | None = None
    bot_id: str | None = None


class Envelope(Wire):
    """The body around every event."""

    type: str
    team_id: Id | None = None
    event_id: Key | None = None
    event_time: int | None = None
    event: dict[str, Any] | None = None
    authorizations: tuple[Authorization, ...] | None = None

    @property
    def bot(self) -> str | None:
        """The user id of our bot, when the envelope names it."""
        return next((one.user_id for one in self.authorizations or () if one.is_bot), None)

    def is_of(self, workspace: str) -> bool:
        """Tell whether a workspace sees the event: a shared channel's `team_id` may be that of those who share it."""
        return workspace in {self.team_id, *(one.team_id for one in self.authorizations or ())}


class Spoken(Wire):
    """An event that holds a person's words."""

    type: str
    channel: Id
    channel_type: str | None = None
    ts: Ts
    thread_ts: Ts | None = None
    user: Id
    text: str
    client_msg_id: Key | None = None


class SlackDoor:
    """The `Door` of Slack. It knows the permalinks of slack.com, and those of the server behind `base_url`."""

    kind = SourceType.SLACK
    max_body = MAX_BODY

    def __init__(self, base_url: str = BASE_URL) -> None:
        self._server = urlsplit(base_url).netloc

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check the v0 signature over the raw body; it may be five minutes old, or ahead."""
        stamp = headers.get("x-slack-request-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise Permanent("signature", "The request has no timestamp in seconds.")
        if abs(now.timestamp() - int(stamp)) > WINDOW_SECONDS:
            raise Permanent("stale", "The request was signed more than five minutes from now.")
        expected = hmac.new(_secret(config), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        given = headers.get("x-slack-signature", "").encode(errors="replace")
        if not hmac.compare_digest(f"v0={expected}".encode(), given):
            raise Permanent("signature", "The signature is not that of this source's signing secret.")

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival | Challenge:
        """Name the event of a verified body; whatever asks for nothing has a reason and no payload."""
        try:
            envelope = Envelope.model_validate_json(body)
            if envelope.type == "url_verification":
                return Challenge(body={"challenge": Handshake.model_validate_json(body).challenge})
            return _arrival(config, envelope, hashlib.sha256(body).hexdigest())
        except ValidationError as error:
            raise Permanent("malformed", _complaint(error)) from None

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Read a message's permalink; that of a reply leads to the root of its thread."""
        try:
            parts = urlsplit(url.strip())
            is_slack = parts.scheme == "https" and f".{parts.hostname or ''}".endswith(f".{SITE}")
        except ValueError:
            return None
        found = PERMALINK.fullmatch(parts.path)
        if found is None or not (is_slack or parts.netloc == self._server):
            return None
        channel, digits = found.groups()
        ts = parse_qs(parts.query).get("thread_ts", [f"{digits[:-6]}.{digits[-6:]}"])[0]
        return f"{channel}:{ts}" if TIMESTAMP.fullmatch(ts) else None


def _secret(config: SourceConfig) -> bytes:
    own = config.credentials
    secret = own.signing_secret.get_secret_value() if isinstance(own, SlackCredentials) else ""
    if not secret.strip():
        raise Permanent("signature", "This source has no signing secret: enter the one of the Slack app.")
    return secret.encode()


def _arrival(config: SourceConfig, envelope: Envelope, digest: str) -> Arrival:
    reason = _reason(config, envelope)
    if reason is not None:
        return Arrival(delivery_key=envelope.event_id or digest, reason=reason)
    if envelope.event_id is None:
        raise Permanent("malformed", "event_id: missing")
    return _mention(envelope.event_id, envelope, Spoken.model_validate(envelope.event))


def _reason(config: SourceConfig, envelope: Envelope) -> str | None:
    """Say why an envelope asks for nothing; None when a person addresses the bot."""
    if envelope.type == "app_rate_limited":
        return "rate_limited_by_slack"
    if envelope.type != "event_callback":
        return "unknown_type"
    if envelope.team_id is None:
        raise Permanent("malformed", "team_id: missing")
    if config.workspace is not None and not envelope.is_of(config.workspace):
        return "unknown_workspace"
    if envelope.event is None:
        raise Permanent("malformed", "event: missing")
    return _event_reason(envelope.event, envelope.bot)


def _event_reason(event: dict[str, Any], bot: str | None) -> str | None:
    kind = Outline.model_validate({"type": event.get("type")}).type
    if kind not in {"app_mention", "message"}:
        return EVENT_REASONS.get(kind, "unknown_type")
    outline = Outline.model_validate(event)
    if outline.subtype not in SPOKEN:
        return SUBTYPE_REASONS.get(outline.subtype or "", "other_subtype")
    if outline.bot_id is not None or event.get("user") in (SLACKBOT, bot or SLACKBOT):
        return "bot_message"
    return None if _is_addressed(Spoken.model_validate(event), bot) else "not_a_mention"


def _is_addressed(spoken: Spoken, bot: str | None) -> bool:
    """Accept a channel mention in either event it comes as: the two share their message key."""
    if spoken.type == "app_mention" or spoken.channel_type == "im":
        return True
    return bot is not None and mrkdwn.mentions(spoken.text, bot)


def _mention(event_id: str, envelope: Envelope, spoken: Spoken) -> Arrival:
    payload = spoken.model_dump(include={"type", "channel", "ts", "thread_ts", "user"})
    payload |= {"text": spoken.text.replace("\0", ""), "team_id": envelope.team_id}
    return Arrival(
        delivery_key=event_id,
        message_key=f"{spoken.channel}:{spoken.ts}",
        gesture_key=spoken.client_msg_id,
        thread_id=f"{spoken.channel}:{spoken.thread_ts or spoken.ts}",
        payload=payload | {"event_time": envelope.event_time, "bot": envelope.bot},
    )


def _complaint(error: ValidationError) -> str:
    """Name the first fields that are wrong, never what they hold."""
    root = ["event"] if error.title in {Outline.__name__, Spoken.__name__} else []
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:3]
    named = [(".".join(map(str, [*root, *problem["loc"]])) or "body", problem["msg"]) for problem in problems]
    return "; ".join(f"{field}: {message}" for field, message in named)
