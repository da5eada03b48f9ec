"""Notion as a source: reads the comments of a discussion with the page below them, and answers in it.

Facts: https://developers.notion.com/reference/comment-object. One instance speaks for one source config.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from discubot_pipeline.adapters import markup
from discubot_pipeline.adapters.comment import Asked, Comment, Place, User
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.keyword import Keyword
from discubot_pipeline.adapters.notion import API_URL, VERSION
from discubot_pipeline.adapters.notionapi import Notion, Saved
from discubot_pipeline.adapters.pagetext import block_text, page_text
from discubot_pipeline.adapters.slack import People, RememberedPeople
from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Delivery, SourceType
from discubot_pipeline.domain.discussion import Author, Message, title_of
from discubot_pipeline.domain.errors import Ignored, Permanent, Transient, Unanswered
from discubot_pipeline.ports import FetchedThread, Mark, Mention

NOT_YET = "Notion does not show this comment: it comes in a moment, or was deleted, or its page is not shared."


class NotionSource:
    """The `Source` of Notion. Thread ids are `page or block:discussion`, message ids are those of comments."""

    kind = SourceType.NOTION

    def __init__(
        self,
        config: SourceConfig,
        base_url: str = API_URL,
        version: str = VERSION,
        pace: Pace = no_pace,
        cache: People | None = None,
    ) -> None:
        self._notion = Notion(_token(config), base_url, version, pace)
        self._keyword = Keyword(config.preferences.trigger)
        self._people = RememberedPeople() if cache is None else cache

    def read(self, delivery: Delivery) -> Mention:
        """Read the comment that a webhook told of: only it says in which discussion it stands, and what it asks."""
        try:
            asked = Asked.model_validate(delivery.payload)
        except ValidationError as error:
            raise Permanent("malformed", "The delivery names no Notion comment.") from error
        comment = self._comment(asked.comment_id)
        if comment.is_by(self._me):
            raise Ignored("bot_message", "The comment is the bot's own.")
        if not self._is_addressed(comment):
            raise Ignored("not_a_mention", "The comment does not call the bot.")
        words = self._words(comment)
        return Mention(
            thread_id=comment.thread_id, message_id=comment.id, instruction=words if _has_words(words) else None
        )

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Read the open comments of the discussion, the names of their writers, and the text of the page."""
        place = Place.of(thread_id)
        comments = self._discussion(place)
        if not comments:
            raise Transient("not_yet", "Notion shows no open comment in this discussion: it may have been resolved.")
        url, context = self._surroundings(comments[0], place)
        person = lru_cache(None)(self._directory().get)
        spoken = [comment for comment in comments if not comment.is_by(self._me)]
        heard = [(self._is_addressed(comment), self._message(comment, url, person)) for comment in spoken]
        messages = tuple(message for asks, message in heard if not asks or _says_something(message))
        mentions = tuple(message for asks, message in heard if asks and _has_words(message.text))
        title = next((message.text for message in messages if message.text), "")
        return FetchedThread(title=title_of(title), url=url, messages=messages, mentions=mentions, context=context)

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """Do nothing: Notion's API has no reactions."""

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Post the answer. A comment has no place for its key: ours of these words since the last call is it."""
        if is_retry and self._has_answered(thread_id, text):
            return
        body = {"discussion_id": Place.of(thread_id).discussion, "rich_text": markup.elements(text)}
        try:
            self._notion.write("POST", "/v1/comments", body)
        except Saved:
            return
        except Unanswered:
            if not self._has_answered(thread_id, text):
                raise

    def link(self, title: str, url: str) -> str:
        """Write a link for `reply`."""
        return markup.link(title, url)

    def plain(self, text: str) -> str:
        """Write words for `reply` so that they are shown as they are."""
        return markup.plain(text)

    def close(self) -> None:
        """Close the connections."""
        self._notion.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def _me(self) -> str:
        return str(self._notion.read("GET", "/v1/users/me").get("id"))

    def _comment(self, id: str) -> Comment:
        try:
            return Comment.of(self._notion.read("GET", f"/v1/comments/{id}"))
        except Permanent as error:
            if error.reason != "not_found":
                raise
            raise Transient("not_yet", NOT_YET) from error

    def _discussion(self, place: Place) -> list[Comment]:
        """List the comments of a discussion, oldest first; Notion's times are those of whole minutes."""
        listed = map(Comment.of, self._notion.items("/v1/comments", block_id=place.parent))
        mine = [comment for comment in listed if comment.discussion_id == place.discussion]
        return sorted({comment.id: comment for comment in mine}.values(), key=lambda comment: comment.created_time)

    def _surroundings(self, first: Comment, place: Place) -> tuple[str | None, str | None]:
        """Give the link of the discussion and the text of its page, led by the block that it hangs on."""
        block, page_id = first.parent.block_id, first.parent.page_id
        commented = ""
        if page_id is None and block is not None:
            page_id, commented = self._climb(block)
        if page_id is None:
            return None, None
        url = self._notion.read("GET", f"/v1/pages/{page_id}").get("url")
        link = f"{url}?d={place.discussion.replace('-', '')}" + (f"#{block.replace('-', '')}" if block else "")
        text = "\n\n".join(filter(None, (commented and f"Comment on: {commented}", self._page_text(page_id))))
        return link if url else None, text or None

    def _climb(self, block_id: str) -> tuple[str | None, str]:
        """Find the page that a block is on, and read the block."""
        commented, above = "", block_id
        for _ in range(20):
            block = self._notion.read("GET", f"/v1/blocks/{above}")
            commented = commented or block_text(block)
            parent = block.get("parent") or {}
            if parent.get("type") != "block_id":
                return parent.get("page_id"), commented
            above = str(parent.get("block_id"))
        return None, commented

    def _page_text(self, page_id: str) -> str:
        """Read the page; a connection that may not read content has the comments alone."""
        try:
            return page_text(self._notion, page_id)
        except Permanent:
            return ""

    def _has_answered(self, thread_id: str, text: str) -> bool:
        comments = self._discussion(Place.of(thread_id))
        calls = [n for n, one in enumerate(comments) if not one.is_by(self._me) and self._is_addressed(one)]
        since = comments[calls[-1] + 1 if calls else 0 :]
        wanted = markup.shown(text).split()
        return any(comment.is_by(self._me) and comment.plain.split() == wanted for comment in since)

    def _is_addressed(self, comment: Comment) -> bool:
        return comment.mentions(self._me) or self._keyword.calls(comment.plain)

    def _words(self, comment: Comment) -> str:
        return self._keyword.cut(comment.text_without(self._me))

    def _message(self, comment: Comment, url: str | None, person: Callable[[str], Author | None]) -> Message:
        author = person(comment.created_by.id) or comment.stranger
        return Message(
            id=comment.id,
            author=author,
            text=self._words(comment) if self._is_addressed(comment) else comment.text_without(""),
            sent_at=comment.created_time,
            url=url,
            attachments=comment.hanging,
        )

    def _directory(self) -> "Directory":
        return Directory(self._notion, self._people)


class Directory:
    """Who is who in the workspace: remembered people, else the list of its users, read once where one is unknown."""

    def __init__(self, notion: Notion, people: People) -> None:
        self._notion = notion
        self._people = people

    def get(self, user_id: str) -> Author | None:
        """Give a person; None for guests, whom Notion does not list, and where users may not be listed."""
        known = self._people.get(user_id)
        if known is None and user_id in self._listed:
            known = self._listed[user_id]
            self._people.put(known)
        return known

    @cached_property
    def _listed(self) -> dict[str, Author]:
        try:
            return {author.id: author for author in map(User.author_of, self._notion.items("/v1/users"))}
        except Permanent as error:
            if error.reason != "forbidden":
                raise
            return {}


def _token(config: SourceConfig) -> str:
    own = config.credentials
    token = own.token.get_secret_value().strip() if isinstance(own, NotionSourceCredentials) else ""
    if not re.fullmatch(r"[!-~]+", token):
        raise Permanent("not_configured", "This source has no Notion token: enter the connection's (ntn_…).")
    return token


def _has_words(text: str) -> bool:
    """Tell words from what a bare call leaves: nothing, a question mark, an emoji."""
    return any(letter.isalnum() for letter in text)


def _says_something(message: Message) -> bool:
    return _has_words(message.text) or bool(message.attachments)
