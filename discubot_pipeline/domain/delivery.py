"""A delivery is one inbox row: what a source sent, verified, and how far it has come."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from discubot_pipeline.domain.job import Priority, Trigger, Value


class SourceType(StrEnum):
    """The ways by which discussions come in, each with an inbox of its own."""

    SLACK = "slack"
    GENERIC = "generic"
    NOTION = "notion"
    FIGMA = "figma"
    MAILGUN = "mailgun"

    @property
    def origin(self) -> "SourceType":
        """The tool in which the threads are that come in this way: Mailgun brings Figma's mails."""
        return SourceType.FIGMA if self is SourceType.MAILGUN else self


class DeliveryStatus(StrEnum):
    """pending → requested → running → done | ignored | failed | dead; held while its source is paused."""

    PENDING = "pending"
    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"
    DEAD = "dead"
    HELD = "held"


class DeliveryKind(StrEnum):
    """What a delivery tells of: a thread that asks for the bot, or a page of a task that has changed."""

    MENTION = "mention"
    PAGE = "page"


class Arrival(Value):
    """What a source's adapter makes of a verified webhook, before it is stored.

    `delivery_key` names the delivery, `message_key` the message it is about, `gesture_key` the human act: a second
    arrival with any of the three equal is a duplicate. With a `reason` it is stored as ignored, without payload.
    With `single_use` the gesture is a token that proves one delivery only: another one with it is a replay.
    """

    delivery_key: str
    kind: DeliveryKind = DeliveryKind.MENTION
    message_key: str | None = None
    gesture_key: str | None = None
    thread_id: str | None = None
    payload: dict[str, Any] | None = None
    reason: str | None = None
    single_use: bool = False


class Challenge(Value):
    """A handshake of the source's: answer with `body`, store nothing."""

    body: dict[str, str]


class Handshake(Value):
    """A source's offer of the secret with which it will sign; taken only while its config has none."""

    secret: SecretStr


class Delivery(Value):
    """One row of an inbox table as the pipeline reads it."""

    id: int
    source: SourceType
    kind: DeliveryKind = DeliveryKind.MENTION
    team_id: UUID
    source_config_id: UUID
    status: DeliveryStatus
    reason: str | None
    thread_id: str | None
    discussion_id: UUID | None
    trigger: Trigger
    payload: dict[str, Any] | None
    generation: int
    run_id: str | None
    received_at: datetime


class RunToRequest(Value):
    """One run that a sensor asks Dagster for: all deliveries of one discussion that wait together.

    The heavier its `weight`, the sooner it is its turn.
    """

    run_key: str
    delivery_ids: tuple[int, ...]
    team_id: UUID
    team_name: str
    source: SourceType
    kind: DeliveryKind = DeliveryKind.MENTION
    thread_id: str
    discussion_id: UUID
    trigger: Trigger
    weight: int = Priority.NORMAL.weight


class Launch(Value):
    """What a run is asked to do: exactly one of the first three, by a sensor or by a person."""

    delivery_ids: tuple[int, ...] = ()
    discussion_id: UUID | None = None
    thread_url: str | None = None
    team: str | None = None
    instruction: str | None = None
    fresh: bool = False
