"""Figma as a source: reads threads of comments, reacts and answers in them. One per source config.

It also reads the mails that Figma sends about comments: they only lead to a comment, whose words come from Figma.
"""

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from pydantic import ValidationError

from discubot_pipeline.adapters import figmalinks
from discubot_pipeline.adapters.callsign import Callsign, account
from discubot_pipeline.adapters.figmaapi import Comment, FigmaApi, Id, NoId
from discubot_pipeline.adapters.figmamail import Letter, Mail
from discubot_pipeline.adapters.figmamatch import Search
from discubot_pipeline.adapters.figmatext import cleaned, has_words, reference, reference_in, signed
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Delivery, SourceType
from discubot_pipeline.domain.discussion import Message, title_of
from discubot_pipeline.domain.errors import Ignored, Permanent, Unanswered
from discubot_pipeline.domain.job import Value
from discubot_pipeline.ports import FetchedThread, Mark, Mention

REACTIONS: Final = {Mark.SEEN: ":eyes:", Mark.DONE: ":white_check_mark:", Mark.FAILED: ":x:"}
PLACE = re.compile(r"([A-Za-z0-9_-]{1,128}):([A-Za-z0-9_-]{1,64})")


class Asked(Value):
    """What the door stored of the comment that asked."""

    file_key: Id
    comment_id: Id
    parent_id: NoId = None
    user_id: Id
    text: str


class Place(Value):
    """A thread: its file, and its root comment."""

    file_key: str
    root: str

    @classmethod
    def of(cls, thread_id: str) -> Self:
        """Read a thread id, `file key:root comment id`."""
        found = PLACE.fullmatch(thread_id)
        if found is None:
            raise Permanent(
                "malformed", "A Figma thread id reads fileKey:1234567, the number being the root comment's."
            )
        return cls(file_key=found[1], root=found[2])


class FigmaSource:
    """The `Source` of Figma. Thread ids are `file key:root comment id`, message ids comment ids. Close it after use."""

    kind = SourceType.FIGMA

    def __init__(self, config: SourceConfig, base_url: str = figmalinks.API, pace: Pace = no_pace) -> None:
        self._api = FigmaApi(token_of(config), base_url, pace)
        self._site = figmalinks.site_of(base_url)
        self._trigger = config.preferences.trigger

    def read(self, delivery: Delivery) -> Mention:
        """Read which comment asked, with which words; a mail's comment is looked up. Ignored when it is our own."""
        known = (delivery.payload or {}).get("resolved")
        if known:
            return Mention.model_validate(known | {"message_key": _key(known["thread_id"], known["message_id"])})
        return self._read_mail(delivery) if delivery.source is SourceType.MAILGUN else self._read_webhook(delivery)

    def root(self, thread_id: str) -> str:
        """Climb from the comment that a link names to the root of its thread."""
        place = Place.of(thread_id)
        return f"{place.file_key}:{self._api.threads(place.file_key).root(place.root)}"

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Read all comments of the file, and take those of the thread."""
        place, name = Place.of(thread_id), self._callsign
        thread = self._api.threads(place.file_key).of(place.root)
        if not thread:
            raise Permanent("thread_not_found", "The comment does not exist any more.")
        pin = next((comment.node_id for comment in thread if comment.node_id), None)
        spoken = [comment for comment in thread if not self._is_answer(comment)]
        heard = [(name.is_in(comment.message), self._message(place, comment, pin, name)) for comment in spoken]
        messages = tuple(message for calls, message in heard if not calls or has_words(message.text))
        return FetchedThread(
            title=title_of(next((message.text for message in messages if message.text), "")),
            url=figmalinks.deep_link(self._site, place.file_key, thread[0].id, pin),
            messages=messages,
            mentions=tuple(message for calls, message in heard if calls and has_words(message.text)),
        )

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """React with 👀, ✅ or ❌; one that is there already is fine, and so is a comment that is gone."""
        place = Place.of(thread_id)
        for comment_id in message_ids or [place.root]:
            try:
                self._api.react(place.file_key, comment_id, REACTIONS[mark])
            except Permanent as error:
                if error.reason not in {"validation", "not_found"}:
                    raise

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Answer the root, with a short reference below; where it may be there already, look before posting."""
        place, answer = Place.of(thread_id), signed(text, key)
        if is_retry and self._has_answered(place, key):
            return
        try:
            self._api.post(place.file_key, place.root, answer)
        except Unanswered:
            if not self._has_answered(place, key):
                self._api.post(place.file_key, place.root, answer)

    def link(self, title: str, url: str) -> str:
        """Write `title: url`: Figma's comments know no other form."""
        return f"{' '.join(title.split())}: {url}" if title.strip() else url

    def plain(self, text: str) -> str:
        """Give the text as it is."""
        return text

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _callsign(self) -> Callsign:
        return account(self._trigger, self._api.me.handle)

    def _read_webhook(self, delivery: Delivery) -> Mention:
        try:
            asked = Asked.model_validate(delivery.payload)
        except ValidationError as error:
            raise Permanent("malformed", "The delivery holds no Figma comment.") from error
        if asked.user_id == self._api.me.id:
            raise Ignored("own_comment", "the comment is the bot's own")
        words = cleaned(self._callsign.without(asked.text))
        thread_id = f"{asked.file_key}:{asked.parent_id or asked.comment_id}"
        return _mention(thread_id, asked.comment_id, words)

    def _read_mail(self, delivery: Delivery) -> Mention:
        """Find the comments of which a mail tells; each thread of them is a mention."""
        try:
            letter = Letter.model_validate(delivery.payload)
        except ValidationError as error:
            raise Permanent("malformed", "The delivery holds no mail.") from error
        mail = self._followed(Mail.of(letter, self._callsign, self._site))
        file_key = mail.sender_key or mail.linked_key
        if file_key is None:
            raise Permanent("no_file_key", "Neither the mail's sender nor its links name a Figma file.")
        search = Search(self._api.threads(file_key), self._api.me.id, self._callsign, delivery.received_at)
        first, *others = [
            _mention(f"{file_key}:{root}", call.id, cleaned(self._callsign.without(call.message)))
            for root, call in search.calls(mail).items()
        ]
        return first.model_copy(update={"others": tuple(others)})

    def _followed(self, mail: Mail) -> Mail:
        """Follow the redirects of a mail whose sender does not name the file."""
        if mail.sender_key:
            return mail
        targets = (figmalinks.follow(url, self._site) for url in mail.redirects)
        return mail.model_copy(update={"linked": (*filter(None, targets), *mail.linked)})

    def _has_answered(self, place: Place, key: str) -> bool:
        thread = self._api.threads(place.file_key).of(place.root)
        return any(self._is_answer(each) and reference_in(each.message) == reference(key) for each in thread)

    def _is_answer(self, comment: Comment) -> bool:
        """Tell the bot's answers from what the person says whose account it may be."""
        return comment.user.id == self._api.me.id and reference_in(comment.message) is not None

    def _message(self, place: Place, comment: Comment, pin: str | None, name: Callsign) -> Message:
        return Message(
            id=comment.id,
            author=comment.user.author,
            text=cleaned(name.without(comment.message)),
            sent_at=comment.created_at,
            url=figmalinks.deep_link(self._site, place.file_key, comment.id, pin),
        )


def _mention(thread_id: str, comment_id: str, words: str) -> Mention:
    return Mention(
        thread_id=thread_id,
        message_id=comment_id,
        instruction=words if has_words(words) else None,
        message_key=_key(thread_id, comment_id),
    )


def _key(thread_id: str, comment_id: str) -> str:
    return f"{thread_id.partition(':')[0]}:{comment_id}"


def token_of(config: SourceConfig) -> str:
    """Give the token of a source. Raises Permanent where it has none."""
    own = config.credentials
    secret = own.token if isinstance(own, FigmaCredentials | MailgunCredentials) else None
    token = secret.get_secret_value().strip() if secret else ""
    if not re.fullmatch(r"[!-~]+", token):
        raise Permanent("not_configured", "This source has no Figma token: enter one of the bot's account (figd_…).")
    return token
