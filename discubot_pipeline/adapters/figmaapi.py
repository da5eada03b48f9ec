"""Figma's REST API as its adapter uses it: calls, verdicts on answers, the shapes of what comes back.

Facts: https://developers.figma.com/docs/rest-api/comments-endpoints and /rate-limits. Its errors come in two shapes,
`{"status", "err"}` and `{"error": true, "status", "message"}`, and a bad token is 403, not 401.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Final, TypeVar

import httpx2 as httpx
from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError

from discubot_pipeline.adapters.http import Pace, Service, no_pace, retry_after
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient, Unanswered

Shape = TypeVar("Shape", bound=BaseModel)
MESSAGE_LENGTH: Final = 300
COMMENTS: Final = "/v1/files/{}/comments"
INVALID_AUTH = "Figma does not accept the token: enter a personal access token of the bot's own account."
SEAT_ADVICE = "Figma asks for a pause: an account with a View or Collab seat may make very few calls."


def text_id(value: object) -> object:
    """Read an id leniently: numbers are ids too, and an empty text is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if value != "" else None


def in_utc(moment: datetime) -> datetime:
    """Give a moment in UTC; one without a zone is in UTC, as all of Figma's are."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Id = Annotated[str, BeforeValidator(text_id)]
NoId = Annotated[str | None, BeforeValidator(text_id)]
Moment = Annotated[datetime, AfterValidator(in_utc)]


class User(BaseModel):
    """A person's account, by its stable id and its present name."""

    id: Id
    handle: str = ""

    @property
    def author(self) -> Author:
        """The person behind the account."""
        return Author(id=self.id, name=self.handle or self.id, handle=self.handle or None)


class Reaction(BaseModel):
    """A person's reaction on a comment; the emoji is a shortcode with its colons."""

    user: User
    emoji: str


class Comment(BaseModel):
    """A comment of a file: a root, or a reply to one. There is only one level of replies."""

    id: Id
    parent_id: NoId = None
    user: User
    created_at: Moment
    message: str = ""
    client_meta: Any = None
    reactions: tuple[Reaction, ...] = ()

    @property
    def node_id(self) -> str | None:
        """The node that it is pinned to."""
        found = self.client_meta.get("node_id") if isinstance(self.client_meta, dict) else None
        return found if isinstance(found, str) and found else None

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Sorts comments by their time, and those of one moment by their number."""
        return self.created_at, int(self.id) if self.id.isdecimal() else 0, self.id


class Answered(BaseModel):
    """The comments of a file, to be shaped one by one."""

    comments: tuple[Any, ...]


class Threads:
    """All comments of a file, sorted into their threads; `strange` are threads of which something cannot be read."""

    def __init__(self, comments: Sequence[Comment], strange: Collection[object] = ()) -> None:
        self._strange = strange
        self._parents = {comment.id: comment.parent_id for comment in comments}
        self._threads: dict[str, list[Comment]] = {}
        for comment in sorted(comments, key=lambda each: each.order):
            self._threads.setdefault(self.root(comment.id), []).append(comment)

    def __iter__(self) -> Iterator[Comment]:
        return chain.from_iterable(self._threads.values())

    def __contains__(self, comment_id: object) -> bool:
        return comment_id in self._parents

    def root(self, comment_id: str) -> str:
        """Climb from a comment to the root of its thread; one that is not there is its own."""
        climbed = [comment_id]
        while (parent := self._parents.get(climbed[-1])) and parent not in climbed:
            climbed.append(parent)
        return climbed[-1]

    def of(self, comment_id: str) -> list[Comment]:
        """Give the whole thread of a comment, the root first and the rest by time. Raises Permanent if strange."""
        root = self.root(comment_id)
        if root in self._strange:
            raise Permanent("unexpected_answer", "Figma gave a comment of this thread in an unknown shape.")
        return sorted(self._threads.get(root, ()), key=lambda comment: comment.id != root)


class FigmaApi:
    """The calls that the adapter needs, for one token."""

    def __init__(self, token: str, base_url: str, pace: Pace = no_pace) -> None:
        self._service = Service("Figma", base_url, {"x-figma-token": token}, pace, refusal)

    @cached_property
    def me(self) -> User:
        """The account that the token speaks for."""
        return shaped(User, self._read("/v1/me"))

    def threads(self, file_key: str) -> Threads:
        """Read all comments of a file, resolved ones too: there are no pages."""
        comments, strange = self.comments(file_key)
        return Threads(comments, [raw["parent_id"] or raw["id"] for raw in strange])

    def comments(self, file_key: str) -> tuple[list[Comment], list[dict[str, Any]]]:
        """Read all comments of a file one by one; a strange one costs no other, and is given as `{id, parent_id}`."""
        comments, strange = [], []
        for raw in shaped(Answered, self._read(COMMENTS.format(file_key))).comments:
            try:
                comments.append(Comment.model_validate(raw))
            except ValidationError:
                known = raw if isinstance(raw, dict) else {}
                strange.append({name: text_id(known.get(name)) for name in ("id", "parent_id")})
        return comments, strange

    def post(self, file_key: str, root: str, message: str) -> None:
        """Reply to a root comment. Raises Unanswered where it may have been posted."""
        body = {"message": message, "comment_id": root}
        _answer(self._service.call("POST", COMMENTS.format(file_key), json=body))

    def react(self, file_key: str, comment_id: str, emoji: str) -> None:
        """Put a reaction on a comment."""
        path = f"/v1/files/{file_key}/comments/{comment_id}/reactions"
        _answer(self._service.call("POST", path, json={"emoji": emoji}))

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _read(self, path: str) -> dict[str, Any]:
        try:
            return _answer(self._service.call("GET", path))
        except Unanswered as error:
            raise Transient(error.reason, error.message) from error


def shaped(shape: type[Shape], answer: object) -> Shape:
    """Read an answer. Raises Permanent when it is not what Figma documents."""
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        raise Permanent("unexpected_answer", "Figma answered with an unknown shape.") from error


def refusal(response: httpx.Response) -> PipelineError | None:
    """Say so when a pause comes of the account's seat: it may last for days."""
    if response.headers.get("x-figma-rate-limit-type") == "low":
        return Transient("rate_limited", SEAT_ADVICE, retry_after(response))
    return None


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    known: dict[str, Any] = body if isinstance(body, dict) else {}
    if response.is_success and isinstance(body, dict) and known.get("error") is not True:
        return known
    raise verdict(response.status_code, str(known.get("err") or known.get("message") or "")[:MESSAGE_LENGTH])


def verdict(status: int, message: str) -> PipelineError:
    """Say what an answer that brings no result means for the work."""
    match status:
        case 400:
            return Permanent("validation", f"Figma does not accept the request: {message or status}")
        case 401 | 403 if status == 401 or "token" in message.casefold():
            return Permanent("invalid_auth", INVALID_AUTH)
        case 403:
            return Permanent("forbidden", f"The token's account may not do this in Figma: {message or status}")
        case 404:
            return Permanent("not_found", "Figma shows no such file or comment to the token's account.")
        case _ if 300 <= status < 500:
            return Permanent("refused", f"Figma answered {status}: {message}")
    return Unanswered("figma_down", f"Figma answered {status} without a result.")
