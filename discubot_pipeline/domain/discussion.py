"""A discussion and its thread: who said what, where, and where it leads back to."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.job import Trigger, Value

NAMESPACE = UUID("6f6bd6b5-5c86-4b56-9a3e-0d2f0a9a5b11")
TITLE_LENGTH = 80


class DiscussionStatus(StrEnum):
    """Where a discussion stands; `new` was never worked on, only `processing` has a run at work."""

    NEW = "new"
    PROCESSING = "processing"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MessageRole(StrEnum):
    """Who speaks: a person, a model in some persona, or whoever set the two up, whom no analyst reads."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


def discussion_id(team_id: UUID, source: SourceType, thread_id: str) -> UUID:
    """Name the discussion of a thread before its row exists: the same thread gives the same id, in every process.

    A thread is its tool's, whichever way it came in.
    """
    return uuid5(NAMESPACE, f"{team_id}\n{source.origin}\n{thread_id}")


class Author(Value):
    """A person as the source knows them; `id` is the source's own and never changes, handle and name may."""

    id: str
    name: str
    handle: str | None = None
    email: str | None = None
    time_zone: str | None = None
    is_bot: bool = False


class Attachment(Value):
    """A file that hangs on a message."""

    name: str
    url: str | None = None
    kind: str | None = None


class Message(Value):
    """One message in plain text: names for ids, no entities, code kept."""

    id: str
    author: Author
    text: str
    sent_at: datetime
    url: str | None = None
    attachments: tuple[Attachment, ...] = ()


class ThreadRef(Value):
    """Names a thread in its source: enough to read it, answer in it and link to it."""

    source: SourceType
    thread_id: str
    source_config_id: UUID


class ParsedDiscussion(Value):
    """Output of validate_discussion: which thread, for whom, asked how.

    `mention_ids` are the messages that asked, for reactions; `resume_from` is a run that had to wait and left its
    thread and analysis behind for this one; `fresh` asks to take nothing that is kept.
    """

    team_id: UUID
    team_name: str
    discussion_id: UUID
    ref: ThreadRef
    trigger: Trigger
    delivery_ids: tuple[int, ...] = ()
    mention_ids: tuple[str, ...] = ()
    instruction: str | None = None
    resume_from: str | None = None
    fresh: bool = False

    @property
    def is_silent(self) -> bool:
        """Say whether nothing is to be said in the thread: nobody asked there just now."""
        return self.trigger is Trigger.BACKFILL


class ConfiguredDiscussion(Value):
    """Output of load_config: the discussion with the versions of the settings it runs under."""

    parsed: ParsedDiscussion
    config_version: int
    url: str | None = None


class Thread(Value):
    """Output of build_thread: the whole thread, oldest message first, without the bot's own messages.

    `mentions` are the words people wrote beside a mention of the bot; a bare mention adds neither words nor message.
    `context` is what the discussion is about: the text of the page that it hangs on.
    """

    configured: ConfiguredDiscussion
    title: str
    url: str | None
    messages: tuple[Message, ...]
    mentions: tuple[Message, ...] = ()
    context: str | None = None

    @property
    def participants(self) -> tuple[Author, ...]:
        """List everyone who wrote, each once, in order of first word."""
        return tuple({message.author.id: message.author for message in self.messages}.values())


def title_of(text: str, fallback: str = "Discussion without text") -> str:
    """Make a title of the first line with words, cut at a word's end."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), fallback)
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,.;:–-") + "…"
