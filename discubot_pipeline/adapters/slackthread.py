"""Makes a thread of Slack's messages, wherever they were read: from the Web API, or from what an import brought."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from pydantic import Field, ValidationError

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.adapters.slackapi import Identity, Member, Said
from discubot_pipeline.domain.delivery import Delivery
from discubot_pipeline.domain.discussion import Author, Message, title_of
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.ports import FetchedThread

SPOKEN: Final = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast"})
NOBODY: Final = "U0"
"""Stands for the bot where it is not known: no user has this id."""


class Place(Value):
    """A thread: its channel, and its root's ts."""

    channel: str
    root: str

    @classmethod
    def of(cls, thread_id: str) -> Self:
        """Read a thread id, `channel:root ts`."""
        channel, _, root = thread_id.partition(":")
        if not channel or not root:
            raise Permanent("malformed", "A Slack thread id reads C0123456789:1234567890.123456.")
        return cls(channel=channel, root=root)

    def permalink(self, site: str, ts: str) -> str:
        """Build the address of one of its messages, as Slack would, with no call."""
        address = f"{site.rstrip('/')}/archives/{self.channel}/p{ts.replace('.', '')}"
        return address if ts == self.root else f"{address}?thread_ts={self.root}&cid={self.channel}"


@dataclass(frozen=True)
class Reader:
    """Reads the messages of one place. `me` is the bot; `person` gives a user by id."""

    place: Place
    me: Identity
    person: Callable[[str], Author]

    def read(self, thread: Iterable[Said]) -> FetchedThread:
        """Tell messages and mentions apart, and write both in plain text."""
        spoken = filter(self._is_speech, thread)
        heard = [(self._is_addressed(said), self._message(said)) for said in spoken]
        messages = tuple(message for asks, message in heard if not asks or _says_something(message))
        mentions = tuple(message for asks, message in heard if asks and has_words(message.text))
        title = next((message.text for message in messages if message.text), "")
        return FetchedThread(
            title=title_of(title), url=self._permalink(self.place.root), messages=messages, mentions=mentions
        )

    def _is_speech(self, said: Said) -> bool:
        return said.subtype in SPOKEN and bool(said.words or said.files) and not self.me.said(said)

    def _is_addressed(self, said: Said) -> bool:
        """Tell whether the bot is meant; in a direct message it always is."""
        is_direct = self.place.channel.startswith("D") and said.bot_id is None and self.me.user_id != NOBODY
        return is_direct or mrkdwn.mentions(said.text or "", self.me.user_id)

    def _message(self, said: Said) -> Message:
        text = mrkdwn.without_mention(said.words, self.me.user_id)
        return Message(
            id=said.ts,
            author=said.bot if said.user is None else self.person(said.user),
            text=mrkdwn.decode(text, lambda user_id: self.person(user_id).name),
            sent_at=said.sent_at,
            url=self._permalink(said.ts),
            attachments=tuple(said.hanging),
        )

    def _permalink(self, ts: str) -> str | None:
        return self.place.permalink(self.me.url, ts) if self.me.url else None


class Imported(Value):
    """A thread that an import brought with all its messages, the people in it, and the workspace's address."""

    site: str = ""
    messages: tuple[Said, ...]
    people: dict[str, Member] = Field(default_factory=dict)

    def read(self, place: Place) -> FetchedThread:
        """Read it, asking Slack for nothing."""
        return Reader(place, Identity(user_id=NOBODY, url=self.site), self._person).read(self.messages)

    def _person(self, user_id: str) -> Author:
        known = self.people.get(user_id)
        return known.author if known else Author(id=user_id, name=user_id)


def imported_thread(deliveries: Sequence[Delivery]) -> Imported | None:
    """Give the thread that an import brought, the newest one; None when Slack itself has sent something."""
    brought = [(delivery.payload or {}).get("imported") for delivery in deliveries]
    if not brought or not all(brought):
        return None
    try:
        return Imported.model_validate(brought[-1])
    except ValidationError as error:
        raise Permanent("malformed", "The imported thread holds no Slack messages.") from error


def has_words(text: str) -> bool:
    """Tell words from what a bare mention leaves: nothing, a question mark, an emoji."""
    return any(letter.isalnum() for letter in text)


def _says_something(message: Message) -> bool:
    return has_words(message.text) or bool(message.attachments)
