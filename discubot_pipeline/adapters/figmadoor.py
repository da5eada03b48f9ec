"""Figma's webhooks (v2): proves that a request knows the passcode and names what it brought. The receiver calls it.

Facts: https://developers.figma.com/docs/rest-api/webhooks. Documents and real payloads disagree on fields and types, so
it is read leniently: an empty text, null and an absent field are all none, and numbers are ids too. No delivery has
an id of its own: a comment is known by file and number, through however many webhooks it comes.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from discubot_pipeline.adapters import figmalinks
from discubot_pipeline.adapters.callsign import account
from discubot_pipeline.adapters.figmaapi import text_id
from discubot_pipeline.domain.config import FigmaCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent

MAX_BODY: Final = 1024 * 1024
COMMENT: Final = "FILE_COMMENT"
PING: Final = "PING"


def no_text(value: object) -> object:
    """Read a text leniently: an empty one is none, and what no database stores is left out."""
    return value.replace("\0", "") or None if isinstance(value, str) else value


Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$"), BeforeValidator(text_id)]
Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"), BeforeValidator(text_id)]
NoNumber = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None, BeforeValidator(text_id)
]
NoText = Annotated[str | None, BeforeValidator(no_text)]


class Wire(BaseModel):
    """A part of a request's body; what it does not name is ignored."""

    model_config = ConfigDict(frozen=True)


class Sealed(Wire):
    """As much of a body as proves where it comes from."""

    passcode: str


class Outline(Wire):
    """As much of an event as tells its kind."""

    event_type: str


class Person(Wire):
    """Somebody's account."""

    id: Number
    handle: NoText = None


class Fragment(Wire):
    """A piece of a comment: text, or the number of an account that is mentioned."""

    text: NoText = None
    mention: NoNumber = None


class Commented(Wire):
    """A new comment, which is a reply where it has a parent."""

    file_key: Key
    file_name: NoText = None
    comment_id: Number
    parent_id: NoNumber = None
    created_at: NoText = None
    comment: tuple[Fragment, ...]
    mentions: tuple[Person, ...] | None = None
    triggered_by: Person

    @property
    def text(self) -> str:
        """The whole text, with names for mentions."""
        names = {person.id: person.handle for person in self.mentions or ()}
        parts = (f"@{names.get(one.mention) or one.mention}" if one.mention else one.text for one in self.comment)
        return "".join(filter(None, parts))

    def calls(self, trigger: str | None) -> bool:
        """Tell whether the bot is called, by its trigger or by the number of its account."""
        is_meant = trigger is not None and any(one.mention == trigger for one in self.comment)
        return is_meant or account(trigger).is_in(self.text)


class FigmaDoor:
    """The `Door` of Figma's webhooks. It knows links to comments of figma.com, and of a stand-in's server."""

    kind = SourceType.FIGMA
    max_body = MAX_BODY

    def __init__(self, base_url: str = figmalinks.API) -> None:
        self._site = figmalinks.site_of(base_url)

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Compare the passcode in the body with this source's: the old one and the new one during a rotation."""
        try:
            given = Sealed.model_validate_json(body).passcode.encode()
        except ValidationError:
            raise Permanent("passcode", "The request holds no passcode.") from None
        if True not in [hmac.compare_digest(expected, given) for expected in passcodes(config)]:
            raise Permanent("passcode", "The passcode is not this source's.")

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival | Challenge:
        """Name the event of a verified body; whatever asks for nothing has a reason and no payload."""
        try:
            kind = Outline.model_validate_json(body).event_type
            if kind == PING:
                return Challenge(body={"status": "pong"})
            if kind != COMMENT:
                return Arrival(delivery_key=hashlib.sha256(body).hexdigest(), reason="other_event")
            return arrival_of(Commented.model_validate_json(body), config.preferences.trigger)
        except ValidationError as error:
            raise Permanent("malformed", complaint(error)) from None

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Read the link of a comment, of a file of any kind or of a branch."""
        return figmalinks.thread_of(url, self._site)


def passcodes(config: SourceConfig) -> list[bytes]:
    """List what is accepted as passcode: the whole, and each part between commas."""
    own = config.credentials
    whole = own.passcode.get_secret_value().strip() if isinstance(own, FigmaCredentials) else ""
    return [part.strip().encode(errors="replace") for part in {whole, *whole.split(",")} if part.strip(" ,")]


def arrival_of(event: Commented, trigger: str | None) -> Arrival:
    """Name a comment; one that does not call the bot is stored without its words."""
    key = f"{event.file_key}:{event.comment_id}"
    if not event.calls(trigger):
        return Arrival(delivery_key=key, reason="not_a_mention")
    payload = event.model_dump(include={"file_key", "file_name", "comment_id", "parent_id", "created_at"})
    payload |= {"user_id": event.triggered_by.id, "text": event.text}
    thread_id = f"{event.file_key}:{event.parent_id or event.comment_id}"
    return Arrival(delivery_key=key, message_key=key, thread_id=thread_id, payload=payload)


def complaint(error: ValidationError) -> str:
    """Name the first fields that are wrong, never what they hold."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:3]
    named = [(".".join(map(str, problem["loc"])) or "body", problem["msg"]) for problem in problems]
    return "; ".join(f"{field}: {message}" for field, message in named)
