"""A Slack channel's past, read with conversations.history. Built for each backfill.

Facts: https://docs.slack.dev/reference/methods/conversations.history and its rate limits: some apps get one call a
minute and 15 messages a page.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.slack import token_of
from discubot_pipeline.adapters.slackapi import Identity, Said, SlackApi
from discubot_pipeline.adapters.slackdoor import BASE_URL, SPOKEN
from discubot_pipeline.adapters.wire import storable
from discubot_pipeline.domain.backfill import Span
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Listed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,20}")


class Root(Said):
    """What stands in a channel: the root of a thread, a lone message, or a reply that was shown there too."""

    thread_ts: str | None = None
    reply_count: int = 0

    @property
    def is_reply(self) -> bool:
        """Tell a reply, whose root is listed by itself."""
        return self.thread_ts not in (None, self.ts)


class SlackArchive:
    """The `Archive` of Slack. Places are channels' ids, positions are ts: the newest thread comes first."""

    def __init__(
        self, config: SourceConfig, base_url: str = BASE_URL, pace: Pace = no_pace, page_size: int = 200
    ) -> None:
        self._config = config
        self._api = SlackApi(token_of(config), base_url, pace)
        self._page_size = page_size

    def places(self, named: Sequence[str]) -> list[str]:
        """Take channels by their id: names would need a scope more."""
        wrong = [name for name in named if not CHANNEL.fullmatch(name)]
        if wrong or not named:
            said = repr(wrong[0]) if wrong else "none"
            raise Permanent(
                "bad_place",
                f"name channels by their id, which stands at the end of Slack's channel details (C…): {said}",
            )
        return list(dict.fromkeys(named))

    def threads(self, place: str, span: Span, after: str | None = None) -> Iterator[Listed]:
        """List what was answered or mentions the bot, the newest first; what cannot be read is listed too."""
        oldest, position = ts_of(span.since - TICK), after or ts_of(span.until)
        for found in self._api.history(place, oldest, position, self._page_size):
            root = read(found)
            position = root.ts if root else position
            if root is None or self._is_thread(place, root):
                name, began = (f"{place}:{root.ts}", root.sent_at) if root else (f"{place}:before {position}", None)
                yield Listed(name=name, position=position, began_at=began, found={"channel": place, "root": found})

    def arrival(self, listed: Listed, every: bool) -> Arrival | None:
        """Look for the last mention in the thread; with `every` the thread itself will do."""
        root = read(listed.found["root"])
        if root is None:
            raise Permanent("malformed", "Slack gave a message of an unknown shape.")
        channel = str(listed.found["channel"])
        asked = [said for said in self._thread(channel, root, every) if self._is_mention(channel, said)]
        return self._arrival(channel, root, asked[-1] if asked else None) if asked or every else None

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    @cached_property
    def _me(self) -> Identity:
        return self._api.read(Identity, "auth.test")

    def _is_thread(self, channel: str, root: Root) -> bool:
        return not root.is_reply and (root.reply_count > 0 or self._is_mention(channel, root))

    def _thread(self, channel: str, root: Root, every: bool) -> Iterator[Said]:
        if root.reply_count and not every:
            return self._api.thread(channel, root.ts, limit=str(self._page_size))
        return iter([root])

    def _is_mention(self, channel: str, said: Said) -> bool:
        """Tell what a webhook would have been accepted for: a person's message that addresses the bot."""
        is_persons = said.subtype in SPOKEN and said.bot_id is None and said.user not in (None, self._me.user_id)
        return is_persons and (channel.startswith("D") or mrkdwn.mentions(said.text or "", self._me.user_id))

    def _arrival(self, channel: str, root: Root, asked: Said | None) -> Arrival:
        said, thread_id = asked or root, f"{channel}:{root.ts}"
        payload = {"type": "message", "channel": channel, "ts": said.ts, "thread_ts": root.ts, "user": said.user}
        payload |= {"text": (asked.text if asked else None) or "", "bot": self._me.user_id}
        return Arrival(
            delivery_key=f"backfill:{thread_id}" + (f":{asked.ts}" if asked else ""),
            message_key=f"{channel}:{asked.ts}" if asked else None,
            thread_id=thread_id,
            payload=storable(payload | {"team_id": self._config.workspace}),
        )


def read(found: Any) -> Root | None:
    """Read a message of a channel; None when it has not the shape of one."""
    try:
        return Root.model_validate(found)
    except ValidationError:
        return None


def ts_of(at: datetime) -> str:
    """Write a moment as Slack's ts."""
    seconds, micros = divmod((at - EPOCH) // TICK, 1_000_000)
    return f"{max(seconds, 0):010d}.{micros:06d}"
