"""What people and programs may write themselves: a discussion, and messages of one. Used by the REST API."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from discubot_pipeline.domain.changes import Change
from discubot_pipeline.domain.discussion import MessageRole

MOST_MESSAGES = 1000


def storable(text: str) -> str:
    """Refuse what the database does."""
    if "\0" in text:
        raise ValueError("must not hold NUL characters")
    return text


def in_utc(moment: datetime) -> datetime:
    """Give a moment in UTC, where no year below 1 or above 9999 can be told."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a year between 1 and 9999 in UTC") from None


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")
]
Text = Annotated[str, Field(min_length=1, max_length=40_000), AfterValidator(storable)]
Url = Annotated[str, StringConstraints(pattern=r"^(?i:https?)://[^\s/?#\x00]+[^\s\x00]*$", max_length=2000)]
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]


class NewMessage(Change):
    """A message. With an `id` of the writer's own it can be sent again and is still one message."""

    id: Line | None = None
    author: Line = Field(description="The author's name.")
    author_id: Line | None = Field(default=None, description="What the author is known by; by default the name.")
    role: MessageRole = Field(default=MessageRole.USER, description="A `system` message is kept and never analysed.")
    persona: Line | None = Field(default=None, description="In whose voice an assistant speaks.")
    content: Text
    url: Url | None = None
    sent_at: Moment | None = Field(default=None, description="By default now.")


class NewDiscussion(Change):
    """A discussion with its first messages; with `process` a job reads it, like one that came from a source."""

    thread: Line | None = Field(default=None, description="The writer's own id of it; by default a new one.")
    title: Line | None = Field(default=None, description="By default the beginning of the first message.")
    url: Url | None = Field(default=None, description="Where it can be looked at.")
    source_id: UUID | None = Field(default=None, description="The generic source it belongs to, if there are several.")
    messages: Annotated[tuple[NewMessage, ...], Field(max_length=MOST_MESSAGES)] = ()
    process: bool = False
    instruction: Text | None = Field(default=None, description="What the job is asked to do, as beside a mention.")


class DiscussionChange(Change):
    """A new title, from then on kept whatever the source calls it."""

    title: Line
    version: int | None = None
