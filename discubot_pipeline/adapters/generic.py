"""The generic intake, for any tool that signs Standard Webhooks. Threads come in, nothing goes back.

Facts: https://www.standardwebhooks.com and the models below, which are the payload's schema.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from discubot_pipeline.domain.config import GenericCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, SourceType
from discubot_pipeline.domain.discussion import Author, Message, title_of
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import FetchedThread, Mark, Mention

MAX_BODY = 1024 * 1024
MAX_MESSAGES = 1000
WINDOW_SECONDS = 300
DELIVERY_KEY = re.compile(r"[!-~]{1,200}")


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold NUL characters")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a year between 1 and 9999 in UTC") from None


Text = Annotated[str, AfterValidator(_storable)]
ShortText = Annotated[Text, Field(min_length=1, max_length=200)]
Url = Annotated[Text, StringConstraints(pattern=r"^(?i:https?)://[^\s/?#]+[^\s]*$", max_length=2000)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Wire(BaseModel):
    """A part of the payload; what it does not name is ignored."""

    model_config = ConfigDict(frozen=True)


class Topic(Wire):
    """Which thread the messages belong to, by the sender's own id."""

    id: ShortText
    url: Url | None = None
    title: Text | None = None


class Posting(Wire):
    """One message; without an id it is known by its content."""

    id: ShortText | None = None
    author: ShortText
    email: Annotated[Text, Field(max_length=320)] | None = None
    text: Text
    sent_at: Moment
    url: Url | None = None

    @property
    def key(self) -> str:
        """The sender's id, else one that the same words of the same author at the same moment give again."""
        content = f"{self.author}\n{self.sent_at.isoformat()}\n{self.text}"
        return self.id or hashlib.sha256(content.encode()).hexdigest()[:32]

    @property
    def message(self) -> Message:
        """The message as the pipeline reads it."""
        author = Author(id=self.email or self.author, name=self.author, email=self.email)
        return Message(id=self.key, author=author, text=self.text, sent_at=self.sent_at, url=self.url)


class Intake(Wire):
    """The whole payload: a thread, some or all of its messages, and what to do with it."""

    thread: Topic
    messages: Annotated[tuple[Posting, ...], Field(min_length=1, max_length=MAX_MESSAGES)]
    instruction: Text | None = None

    @property
    def wish(self) -> str | None:
        """The instruction, None when it holds no words."""
        return (self.instruction or "").strip() or None


class GenericDoor:
    """The `Door` of the generic intake."""

    kind = SourceType.GENERIC
    max_body = MAX_BODY

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check that one signature (a rotation sends several) is ours, and five minutes off at most."""
        stamp = headers.get("webhook-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise Permanent("signature", "webhook-timestamp: must be seconds since 1970.")
        if abs(now.timestamp() - int(stamp)) > WINDOW_SECONDS:
            raise Permanent("stale", "webhook-timestamp: is more than five minutes from now.")
        expected = _signature(config, headers.get("webhook-id", ""), int(stamp), body)
        given = _signatures(headers.get("webhook-signature", ""))
        if not any(hmac.compare_digest(expected, one) for one in given):
            raise Permanent("signature", "webhook-signature: holds none of this source's signing secret.")

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival:
        """Read the payload; the sender's webhook-id names the delivery."""
        delivery_key = headers.get("webhook-id", "")
        if not DELIVERY_KEY.fullmatch(delivery_key):
            raise Permanent("malformed", "webhook-id: must be 1 to 200 visible ASCII characters.")
        try:
            intake = Intake.model_validate_json(body, strict=True)
        except ValidationError as error:
            raise Permanent("malformed", _complaint(error)) from None
        payload = intake.model_dump(mode="json", exclude_none=True)
        return Arrival(delivery_key=delivery_key, thread_id=intake.thread.id, payload=payload)

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Know no link: where a thread lives is the sender's business."""
        return None


class GenericSource:
    """The `Source` of the generic intake: a thread is what its deliveries brought."""

    kind = SourceType.GENERIC

    def __init__(self, config: SourceConfig) -> None:
        self._sender = Author(id=f"source:{config.id}", name=config.name, is_bot=True)

    def read(self, delivery: Delivery) -> Mention:
        """Read what a delivery asks; its own number stands for the message that asked."""
        intake = _stored(delivery)
        return Mention(thread_id=intake.thread.id, message_id=_mention_id(delivery), instruction=intake.wish)

    def root(self, thread_id: str) -> str:
        """Give the thread id as it is."""
        return thread_id

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Put the thread together from its deliveries; of the same message the newest version counts."""
        arrived = list(_arrived(thread_id, deliveries))
        if not arrived:
            raise Permanent("payload_expired", "No delivery of this thread has its messages any more.")
        intakes = [intake for _, intake in arrived]
        postings = chain.from_iterable(intake.messages for intake in intakes)
        unique = {posting.key: posting.message for posting in postings}
        messages = tuple(sorted(unique.values(), key=lambda message: message.sent_at))
        title = _newest(intake.thread.title for intake in intakes)
        return FetchedThread(
            title=title_of(title or messages[0].text),
            url=_newest(intake.thread.url for intake in intakes),
            messages=messages,
            mentions=tuple(self._wishes(arrived)),
        )

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """Do nothing: there is no place for it."""

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Do nothing: there is no place for it."""

    def link(self, title: str, url: str) -> str:
        """Write `title: url`."""
        return f"{title}: {url}" if title else url

    def plain(self, text: str) -> str:
        """Give the text as it is."""
        return text

    def _wishes(self, arrived: Iterable[tuple[Delivery, Intake]]) -> Iterator[Message]:
        """Give every instruction once, the newest last: deliveries that wait together may each have one."""
        newest = {intake.wish: delivery for delivery, intake in arrived}
        for wish, delivery in sorted(newest.items(), key=lambda item: _age(item[1])):
            if wish is not None:
                message_id = _mention_id(delivery)
                yield Message(id=message_id, author=self._sender, text=wish, sent_at=delivery.received_at)


def _signature(config: SourceConfig, delivery_key: str, stamp: int, body: bytes) -> bytes:
    own = config.credentials
    if not isinstance(own, GenericCredentials):
        raise Permanent("signature", "This source has no signing secret.")
    try:
        webhook = Webhook(own.signing_secret.get_secret_value())
    except (ValueError, EmptyWebhookSecretError, RuntimeError) as error:
        raise Permanent("signature", "This source's signing secret is no whsec_… value.") from error
    try:
        signed = webhook.sign(delivery_key, datetime.fromtimestamp(stamp, UTC), body.decode())
    except UnicodeError as error:
        raise Permanent("signature", "The body is not UTF-8.") from error
    return b64decode(signed.removeprefix("v1,"))


def _signatures(header: str) -> Iterator[bytes]:
    """Give the signatures of the version we know; others, and garbage, do not stand in their way."""
    for one in header.split():
        version, _, encoded = one.partition(",")
        if version == "v1":
            try:
                yield b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                continue


def _stored(delivery: Delivery) -> Intake:
    try:
        return Intake.model_validate(delivery.payload)
    except ValidationError as error:
        raise Permanent("malformed", _complaint(error)) from None


def _arrived(thread_id: str, deliveries: Sequence[Delivery]) -> Iterator[tuple[Delivery, Intake]]:
    """Give the deliveries of the thread that still have their payload, oldest first."""
    for delivery in sorted(deliveries, key=_age):
        if delivery.thread_id == thread_id and delivery.payload is not None:
            yield delivery, _stored(delivery)


def _age(delivery: Delivery) -> tuple[datetime, int]:
    return delivery.received_at, delivery.id


def _newest(values: Iterable[str | None]) -> str | None:
    return next(filter(None, reversed(list(values))), None)


def _mention_id(delivery: Delivery) -> str:
    return f"delivery:{delivery.id}"


def _complaint(error: ValidationError) -> str:
    """Name the first fields that are wrong and what is expected of them, never what they hold."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:3]
    named = [(".".join(map(str, problem["loc"])) or "body", problem["msg"]) for problem in problems]
    return "; ".join(f"{field}: {message}" for field, message in named)
