"""The past of Figma's files: all comments of a file come in one call. Built for each backfill.

Facts: https://developers.figma.com/docs/rest-api/comments-endpoints
"""

import re
from collections.abc import Iterator, Sequence

from discubot_pipeline.adapters import figmalinks
from discubot_pipeline.adapters.callsign import account
from discubot_pipeline.adapters.figma import token_of
from discubot_pipeline.adapters.figmaapi import Comment, FigmaApi, Threads
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.wire import storable
from discubot_pipeline.domain.backfill import Span
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Listed

KEY = re.compile(figmalinks.KEY)


class FigmaArchive:
    """The `Archive` of Figma. Places are files' keys; what cannot be read comes first, then the oldest thread."""

    def __init__(self, config: SourceConfig, base_url: str = figmalinks.API, pace: Pace = no_pace) -> None:
        self._api = FigmaApi(token_of(config), base_url, pace)
        self._site = figmalinks.site_of(base_url)
        self._trigger = config.preferences.trigger

    def places(self, named: Sequence[str]) -> list[str]:
        """Take files by their address or key."""
        targets = [(name, figmalinks.target_of(name, self._site)) for name in named]
        keys = [target.file_key if target else name for name, target in targets]
        wrong = [key for key in keys if not KEY.fullmatch(key)]
        if wrong or not keys:
            said = repr(wrong[0]) if wrong else "none"
            raise Permanent("bad_place", f"name files by their address or the key that stands in it: {said}")
        return list(dict.fromkeys(keys))

    def threads(self, place: str, span: Span, after: str | None = None) -> Iterator[Listed]:
        """List the threads that began in the span; before them, the comments that cannot be read."""
        comments, strange = self._api.comments(place)
        broken = [
            Listed(name=f"{place}:{raw['id']}", position=f" {number:09}", began_at=None, found={})
            for number, raw in enumerate(strange)
        ]
        threads = Threads(comments)
        roots = dict.fromkeys(threads.root(comment.id) for comment in threads)
        listed = [listing(place, root, threads.of(root)) for root in roots]
        due = [*broken, *(one for one in listed if one.began_at and one.began_at in span)]
        yield from sorted((one for one in due if one.position > (after or "")), key=lambda one: one.position)

    def arrival(self, listed: Listed, every: bool) -> Arrival | None:
        """Look for the last call of the bot in the thread; with `every` the thread itself will do."""
        if not listed.found:
            raise Permanent("malformed", "Figma gave a comment of an unknown shape.")
        thread = [Comment.model_validate(comment) for comment in listed.found["thread"]]
        said = [comment for comment in thread if comment.user.id != self._api.me.id]
        name = account(self._trigger, self._api.me.handle)
        asked = next((comment for comment in reversed(said) if name.is_in(comment.message)), None)
        if asked is None and not (every and said):
            return None
        return arrival_of(listed.found["file_key"], listed.found["root"], asked or said[0], is_call=asked is not None)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def listing(place: str, root: str, thread: Sequence[Comment]) -> Listed:
    """Show a thread by its first comment; positions sort by time, and those of one moment by their number."""
    first = thread[0]
    return Listed(
        name=f"{place}:{root}",
        position=f"{first.created_at:%Y-%m-%dT%H:%M:%S.%f} {root:>64}",
        began_at=first.created_at,
        found={
            "file_key": place,
            "root": root,
            "thread": [comment.model_dump(mode="json") for comment in thread],
        },
    )


def arrival_of(file_key: str, root: str, said: Comment, *, is_call: bool) -> Arrival:
    """Name a thread as the webhook of its last call was named; where nobody called, by the thread alone."""
    thread_id, key = f"{file_key}:{root}", f"{file_key}:{said.id}"
    payload = {"file_key": file_key, "comment_id": said.id, "parent_id": root if said.id != root else None}
    payload |= {"user_id": said.user.id, "text": said.message if is_call else ""}
    return Arrival(
        delivery_key=f"backfill:{key}" if is_call else f"backfill:{thread_id}:all",
        message_key=key if is_call else None,
        thread_id=thread_id,
        payload=storable(payload),
    )
