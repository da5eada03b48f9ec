"""Notion's webhooks: proves that a request is Notion's and names what it brought. The receiver calls it.

Facts: https://developers.notion.com/reference/webhooks and /reference/webhooks-events-delivery
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StringConstraints, ValidationError

from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, DeliveryKind, Handshake, SourceType
from discubot_pipeline.domain.errors import Permanent

MAX_BODY = 256 * 1024
API_URL = "https://api.notion.com"
SITES: Final = ("notion.so", "notion.com", "notion.site")
COMMENT_REASONS: Final = {"comment.updated": "edited", "comment.deleted": "deleted"}
PAGE_CHANGES: Final = frozenset({"page.properties_updated", "page.content_updated"})
ID = re.compile(r"(?:^|-)([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})$")


def _uuid(text: str) -> str:
    return str(UUID(text))


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{32,36}$"), AfterValidator(_uuid)]
Key = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
Token = Annotated[str, StringConstraints(pattern=r"^[!-~]{8,200}$")]


class Wire(BaseModel):
    """A part of a request's body: strict on types, what it does not name is ignored."""

    model_config = ConfigDict(strict=True, frozen=True)


class Greeting(BaseModel):
    """The one request that is not signed: it brings the token that signs all others, and nothing else."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    verification_token: Token


class Thing(Wire):
    """What an event is about, or where that hangs."""

    id: Id
    type: str | None = None


class Writer(Wire):
    """Who did it: a person, a bot or an agent."""

    type: str | None = None


class Envelope(Wire):
    """The body around every event. It is a signal only: what happened has to be read through the API."""

    id: Key
    type: str
    workspace_id: str | None = None
    authors: tuple[Writer, ...] | None = None


class Changed(Wire):
    """An event of a page."""

    entity: Thing


class Where(Wire):
    """Where a comment stands; which discussion it belongs to is not always told."""

    page_id: Id | None = None
    discussion_id: Id | None = None
    parent: Thing | None = None


class Commented(Wire):
    """An event of a comment."""

    entity: Thing
    data: Where


class NotionDoor:
    """The `Door` of Notion. It knows the links of Notion's sites, and those of the server behind `base_url`."""

    kind = SourceType.NOTION
    max_body = MAX_BODY

    def __init__(self, base_url: str = API_URL) -> None:
        self._server = urlsplit(base_url).netloc

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check the signature over the raw body; it names no time, so repeats are known by their keys alone.

        Without a token only the greeting that brings one is let in.
        """
        secret = _secret(config)
        if secret is None:
            if _greeting(body) is None:
                raise Permanent("signature", "Notion has not sent its verification token yet: make the subscription.")
            return
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
        given = headers.get("x-notion-signature", "").encode(errors="replace")
        if not hmac.compare_digest(f"sha256={expected}".encode(), given):
            raise Permanent("signature", "The signature is not that of this source's verification token.")

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival | Challenge | Handshake:
        """Name the event of a verified body; whatever asks for nothing has a reason and no payload."""
        greeting = _greeting(body)
        if greeting is not None:
            return Handshake(secret=SecretStr(greeting.verification_token))
        try:
            return _arrival(config, Envelope.model_validate_json(body), body)
        except ValidationError as error:
            raise Permanent("malformed", _complaint(error)) from None

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Read the link of a discussion: `…/Page-<id>?d=<discussion>`, of a block's with `#<block>`."""
        try:
            parts = urlsplit(url.strip())
            host = parts.hostname or ""
        except ValueError:
            return None
        is_notion = parts.scheme == "https" and any(f".{host}".endswith(f".{site}") for site in SITES)
        page = _id(parts.path.rstrip("/").rsplit("/", 1)[-1])
        discussion = _id(parse_qs(parts.query).get("d", [""])[0])
        if page is None or discussion is None or not (is_notion or parts.netloc == self._server):
            return None
        return f"{_id(parts.fragment) or page}:{discussion}"


def _id(text: str) -> str | None:
    """Read the id at the end of a part of a link."""
    found = ID.search(text.lower())
    return _uuid(found[1]) if found else None


def _secret(config: SourceConfig) -> bytes | None:
    """Give the verification token; None while there is none yet."""
    own = config.credentials
    if not isinstance(own, NotionSourceCredentials):
        raise Permanent("signature", "This source has no credentials of Notion's.")
    return own.signing_secret.get_secret_value().encode() if own.signing_secret else None


def _greeting(body: bytes) -> Greeting | None:
    try:
        return Greeting.model_validate_json(body)
    except ValidationError:
        return None


def _arrival(config: SourceConfig, envelope: Envelope, body: bytes) -> Arrival:
    is_page = envelope.type in PAGE_CHANGES
    if envelope.type != "comment.created" and not is_page:
        return _ignored(envelope, COMMENT_REASONS.get(envelope.type, "unknown_type"))
    if config.workspace is not None and envelope.workspace_id != config.workspace:
        return _ignored(envelope, "unknown_workspace")
    if is_page:
        return _page(envelope, Changed.model_validate_json(body))
    if envelope.authors and all(writer.type == "bot" for writer in envelope.authors):
        return _ignored(envelope, "bot_message")
    return _comment(envelope, Commented.model_validate_json(body))


def _ignored(envelope: Envelope, reason: str) -> Arrival:
    return Arrival(delivery_key=envelope.id, reason=reason)


def _page(envelope: Envelope, changed: Changed) -> Arrival:
    page = changed.entity.id
    payload = {"page_id": page, "type": envelope.type}
    return Arrival(delivery_key=envelope.id, kind=DeliveryKind.PAGE, thread_id=f"page:{page}", payload=payload)


def _comment(envelope: Envelope, commented: Commented) -> Arrival:
    """Name the thread of a comment; where its discussion is not told, by the comment itself, until it is read."""
    comment, where = commented.entity.id, commented.data
    parent = where.parent.id if where.parent else where.page_id
    if parent is None:
        raise Permanent("malformed", "data.parent: missing")
    thread = f"{parent}:{where.discussion_id or '@' + comment}"
    payload = {"comment_id": comment, "page_id": where.page_id}
    return Arrival(delivery_key=envelope.id, message_key=comment, thread_id=thread, payload=payload)


def _complaint(error: ValidationError) -> str:
    """Name the first fields that are wrong, never what they hold."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:3]
    named = [(".".join(map(str, problem["loc"])) or "body", problem["msg"]) for problem in problems]
    return "; ".join(f"{field}: {message}" for field, message in named)
