"""Slack as a source: reads threads through the Web API, reacts and answers in them. One per source config."""

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from json import dumps
from types import TracebackType
from typing import Final, Protocol, Self

from pydantic import ValidationError

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.slackapi import Identity, Member, SlackApi, shaped
from discubot_pipeline.adapters.slackdoor import BASE_URL
from discubot_pipeline.adapters.slackthread import Place, Reader, has_words, imported_thread
from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Delivery, SourceType
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.domain.errors import Permanent, Unanswered
from discubot_pipeline.domain.job import Value
from discubot_pipeline.ports import FetchedThread, Mark, Mention

REPLY_EVENT = "discubot_reply"
REACTIONS: Final = {Mark.SEEN: "eyes", Mark.DONE: "white_check_mark", Mark.FAILED: "x"}


class People(Protocol):
    """Remembers who is who, so that not every message asks Slack. One workspace may share it."""

    def get(self, user_id: str) -> Author | None:
        """Give the person, None when unknown or forgotten."""
        ...

    def put(self, author: Author) -> None:
        """Remember a person by their id."""
        ...


class RememberedPeople:
    """People kept in memory for as long as the source lives."""

    def __init__(self) -> None:
        self._authors: dict[str, Author] = {}

    def get(self, user_id: str) -> Author | None:
        """Give the person, None when unknown."""
        return self._authors.get(user_id)

    def put(self, author: Author) -> None:
        """Remember a person by their id."""
        self._authors[author.id] = author


class Asked(Value):
    """What the door stored of the message that asked; `bot` is our user id where the event named it."""

    channel: str
    ts: str
    thread_ts: str | None = None
    text: str
    bot: str | None = None


class SlackSource:
    """The `Source` of Slack. Thread ids are `channel:root ts`, message ids are ts. Close it after use."""

    kind = SourceType.SLACK

    def __init__(
        self,
        config: SourceConfig,
        base_url: str = BASE_URL,
        pace: Pace = no_pace,
        cache: People | None = None,
    ) -> None:
        self._api = SlackApi(token_of(config), base_url, pace)
        self._people = RememberedPeople() if cache is None else cache

    def read(self, delivery: Delivery) -> Mention:
        """Read which message asked, with which words. Names not known yet stay ids: nothing is fetched."""
        try:
            asked = Asked.model_validate(delivery.payload)
        except ValidationError as error:
            raise Permanent("malformed", "The delivery holds no Slack message.") from error
        text = asked.text and mrkdwn.without_mention(asked.text, asked.bot or self._me.user_id)
        words = mrkdwn.decode(text, self._known_name)
        return Mention(
            thread_id=f"{asked.channel}:{asked.thread_ts or asked.ts}",
            message_id=asked.ts,
            instruction=words if has_words(words) else None,
        )

    def root(self, thread_id: str) -> str:
        """Give the thread id as it is."""
        return thread_id

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Read the thread with conversations.replies, and its people with users.info; an imported one as it came."""
        place, imported = Place.of(thread_id), imported_thread(deliveries)
        if imported is not None:
            return imported.read(place)
        reader = Reader(place, self._me, lru_cache(None)(self._person))
        return reader.read(self._api.thread(place.channel, place.root))

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """React with 👀, ✅ or ❌; one that is there already is fine, and so is a message that is gone."""
        place = Place.of(thread_id)
        for ts in message_ids or [place.root]:
            try:
                self._api.call("reactions.add", channel=place.channel, timestamp=ts, name=REACTIONS[mark])
            except Permanent as error:
                if error.reason not in {"already_reacted", "message_not_found"}:
                    raise

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Post the answer with its key as metadata; where it may be there already, look before posting."""
        if is_retry and self._has_answered(thread_id, key):
            return
        try:
            self._post(thread_id, text, key)
        except Unanswered:
            if not self._has_answered(thread_id, key):
                self._post(thread_id, text, key)

    def link(self, title: str, url: str) -> str:
        """Write `<url|title>`."""
        return mrkdwn.link(title, url)

    def plain(self, text: str) -> str:
        """Escape the three characters that Slack gives a meaning."""
        return mrkdwn.escape(text)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def _me(self) -> Identity:
        return self._api.read(Identity, "auth.test")

    def _post(self, thread_id: str, text: str, key: str) -> None:
        place = Place.of(thread_id)
        self._api.write(
            "chat.postMessage",
            channel=place.channel,
            thread_ts=place.root,
            text=mrkdwn.fit(text),
            unfurl_links="false",
            unfurl_media="false",
            metadata=dumps({"event_type": REPLY_EVENT, "event_payload": {"key": key}}),
        )

    def _has_answered(self, thread_id: str, key: str) -> bool:
        place = Place.of(thread_id)
        thread = self._api.thread(place.channel, place.root, include_all_metadata="true")
        return any(self._me.said(said) and said.has_key(REPLY_EVENT, key) for said in thread)

    def _known_name(self, user_id: str) -> str | None:
        known = self._people.get(user_id)
        return known.name if known else None

    def _person(self, user_id: str) -> Author:
        known = self._people.get(user_id)
        if known is None:
            known = self._look_up(user_id)
            self._people.put(known)
        return known

    def _look_up(self, user_id: str) -> Author:
        """Ask Slack for a person; one from another workspace may be hidden and keeps the id as name."""
        try:
            answer = self._api.call("users.info", user=user_id)
        except Permanent as error:
            if error.reason in {"user_not_found", "user_not_visible"}:
                return Author(id=user_id, name=user_id)
            raise
        return shaped(Member, "users.info", answer.get("user")).author


def token_of(config: SourceConfig) -> str:
    """Give a source's bot token. Raises Permanent("not_configured", …) where there is none."""
    own = config.credentials
    token = own.bot_token.get_secret_value().strip() if isinstance(own, SlackCredentials) else ""
    if not re.fullmatch(r"[!-~]+", token):
        raise Permanent("not_configured", "This source has no Slack bot token: enter the app's (xoxb-…).")
    return token
