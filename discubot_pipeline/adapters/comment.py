"""Shapes of Notion's comments and users as its API gives them. Used by `notionsource.py`."""

from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ValidationError

from discubot_pipeline.adapters.notionapi import Answer
from discubot_pipeline.adapters.pagetext import plain_text
from discubot_pipeline.domain.discussion import Attachment, Author
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value


class Asked(Value):
    """What the door stored of the comment that may have asked."""

    comment_id: str
    page_id: str | None = None


class Place(Value):
    """A thread: the page or block that the discussion hangs on, and the discussion."""

    parent: str
    discussion: str

    @classmethod
    def of(cls, thread_id: str) -> Self:
        """Read a thread id, `page or block:discussion`."""
        parent, _, discussion = thread_id.partition(":")
        try:
            return cls(parent=str(UUID(parent)), discussion=str(UUID(discussion)))
        except ValueError as error:
            raise Permanent("malformed", "A Notion thread id reads page-or-block-id:discussion-id.") from error


class Parent(BaseModel):
    """What a comment hangs on."""

    page_id: str | None = None
    block_id: str | None = None


class Named(BaseModel):
    """A reference to a user."""

    id: str


class Comment(BaseModel):
    """A comment; `rich_text` stays as it comes."""

    id: str
    parent: Parent
    discussion_id: str
    created_time: AwareDatetime
    created_by: Named
    rich_text: list[dict[str, Any]] = []
    display_name: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] | None = None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Read an answer, or an item of a list. Raises Permanent when it is not what Notion documents."""
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            raise Permanent("unexpected_answer", "Notion answered with a comment of an unknown shape.") from error

    @property
    def thread_id(self) -> str:
        """The thread that it belongs to."""
        return f"{self.parent.block_id or self.parent.page_id}:{self.discussion_id}"

    @property
    def plain(self) -> str:
        """Its words alone."""
        return "".join(str(element.get("plain_text") or "") for element in self.rich_text)

    @property
    def hanging(self) -> tuple[Attachment, ...]:
        """Its files; Notion's addresses of them are good for an hour, so they are not kept."""
        return tuple(Attachment(name=str(one.get("category") or "file")) for one in self.attachments or ())

    @property
    def stranger(self) -> Author:
        """Its writer, where the list of users does not have them."""
        name = (self.display_name or {}).get("resolved_name")
        return Author(id=self.created_by.id, name=name if isinstance(name, str) and name else self.created_by.id)

    def is_by(self, user_id: str) -> bool:
        """Tell whether a user wrote it."""
        return self.created_by.id == user_id

    def mentions(self, user_id: str) -> bool:
        """Tell whether it mentions a user."""
        return any(_mentioned(element) == user_id for element in self.rich_text)

    def text_without(self, user_id: str) -> str:
        """Give its words with the addresses of links, without mentions of a user."""
        return plain_text([one for one in self.rich_text if not user_id or _mentioned(one) != user_id]).strip()


class User(BaseModel):
    """A member of the workspace, or a bot."""

    id: str
    name: str | None = None
    type: str | None = None
    person: dict[str, Any] | None = None

    @classmethod
    def author_of(cls, answer: Answer) -> Author:
        """Read an item of the list of users."""
        try:
            user = cls.model_validate(answer)
        except ValidationError as error:
            raise Permanent("unexpected_answer", "Notion answered with a user of an unknown shape.") from error
        email = (user.person or {}).get("email")
        return Author(
            id=user.id,
            name=user.name or user.id,
            email=email if isinstance(email, str) and email else None,
            is_bot=user.type == "bot",
        )


def _mentioned(element: dict[str, Any]) -> str | None:
    mention = element.get("mention")
    user = mention.get("user") if isinstance(mention, dict) else None
    return str(user.get("id")) if isinstance(user, dict) else None
