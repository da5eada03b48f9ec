"""Finds the comments of which a mail tells among all comments of a file. Called by Figma's source."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from discubot_pipeline.adapters.callsign import Callsign
from discubot_pipeline.adapters.figmaapi import Comment, Threads
from discubot_pipeline.adapters.figmamail import Mail, Quote
from discubot_pipeline.adapters.figmatext import ALIKE, likeness, normal
from discubot_pipeline.domain.errors import Ignored

AHEAD: Final = timedelta(minutes=10)
STALE: Final = timedelta(days=2)


class Search:
    """The comments of a file, read for one mail that arrived at a known time."""

    def __init__(self, threads: Threads, own_id: str, name: Callsign, received_at: datetime) -> None:
        self._threads = threads
        self._own_id = own_id
        self._name = name
        self._told = [each for each in threads if self._may_be_told(each, received_at)]

    def calls(self, mail: Mail) -> dict[str, Comment]:
        """Give the comment that calls the bot for each thread of which the mail tells, by root; the oldest first.

        Found by the ids in its links, else by words and author; where these do not tell, it is the newest call that
        nobody has answered yet. Raises Ignored when there is none.
        """
        linked = [comment for id in mail.comment_ids for comment in self._of_link(id)]
        quoted = [comment for quote in mail.quotes for comment in self._of_quote(quote)]
        found = [comment for comment in linked + quoted if self._is_call(comment)]
        if quoted and not found:
            raise Ignored("not_a_mention", "the mail tells of comments that do not call the bot")
        calls = sorted(found, key=lambda call: call.order) or self._open(filter(self._is_call, self._told))[-1:]
        if not calls:
            raise Ignored("comment_not_found", "the comment does not exist any more, or has been answered")
        return {self._threads.root(call.id): call for call in calls}

    def _may_be_told(self, comment: Comment, received_at: datetime) -> bool:
        is_in_time = received_at - STALE <= comment.created_at <= received_at + AHEAD
        return is_in_time and comment.user.id != self._own_id

    def _is_call(self, comment: Comment) -> bool:
        return self._name.is_in(comment.message)

    def _of_link(self, comment_id: str) -> list[Comment]:
        """Give the linked comment if it is a call, else the newest call in the thread that the link leads to."""
        thread = self._threads.of(comment_id) if comment_id in self._threads else []
        calls = [comment for comment in thread if self._is_call(comment) and comment.user.id != self._own_id]
        return [call for call in calls if call.id == comment_id] or self._open(calls)[-1:] or calls[-1:]

    def _of_quote(self, quote: Quote) -> list[Comment]:
        """Give the comment that is most like a quote; of equal ones an open call, by the author, the newest."""
        scored = [(likeness(comment.message, quote.text), comment) for comment in self._told]
        best = max((score for score, _ in scored), default=0.0)
        equal = [comment for score, comment in scored if score == best >= ALIKE]
        return sorted(equal, key=lambda one: (self._is_open(one), is_by(one, quote.author), one.order))[-1:]

    def _open(self, calls: Iterable[Comment]) -> list[Comment]:
        return sorted(filter(self._is_open, calls), key=lambda call: call.order)

    def _is_open(self, call: Comment) -> bool:
        """Tell whether a call still waits: we have not reacted on it, nor said anything after it."""
        later = (each for each in self._threads.of(call.id) if each.created_at > call.created_at)
        signs = [*(reaction.user for reaction in call.reactions), *(each.user for each in later)]
        return all(user.id != self._own_id for user in signs)


def is_by(comment: Comment, author: str | None) -> bool:
    """Tell whether a comment is by the person that a mail names."""
    return author is not None and normal(comment.user.handle) == normal(author)
