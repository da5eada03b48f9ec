"""What an analyst finds in a thread. The schema is the contract with language models too: null over guessing."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from discubot_pipeline.domain.discussion import Message
from discubot_pipeline.domain.job import Value


class Priority(StrEnum):
    """How urgent a task is, where the thread says so."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class TaskType(StrEnum):
    """What kind of work a task is."""

    BUG = "bug"
    FEATURE = "feature"
    QUESTION = "question"
    IMPROVEMENT = "improvement"


class Sentiment(StrEnum):
    """The mood of a thread."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class DetectedTask(Value):
    """One thing to be done. `evidence` is the id of the message that says so."""

    title: str = Field(min_length=1, max_length=200)
    description: str = ""
    action_items: tuple[str, ...] = ()
    status: str | None = None
    priority: Priority | None = None
    type: TaskType | None = None
    assignee: str | None = None
    due_date: date | None = None
    tags: tuple[str, ...] = ()
    domain: str | None = None
    evidence: str | None = None


class Findings(Value):
    """An analyst's whole answer."""

    summary: str
    key_points: tuple[str, ...] = ()
    sentiment: Sentiment = Sentiment.NEUTRAL
    confidence: float = Field(default=0.5, ge=0, le=1)
    tasks: tuple[DetectedTask, ...] = ()


class Brief(Value):
    """What an analyst is given: the thread in plain text and what the mention asked for.

    `instructions` are the messages that stand beside a mention of the bot: their words are tasks by themselves, at
    least one unless they only ask to read the thread. `people` are the names that a task may be assigned to. Relative
    dates count from a message's own time in its author's time zone, else in `time_zone`. `bot_names` are the bot's own.
    `context` is the text that the thread comments on: it explains the words of the thread and asks for nothing itself.
    """

    title: str
    messages: tuple[Message, ...]
    instructions: tuple[Message, ...] = ()
    people: tuple[str, ...] = ()
    time_zone: str = "UTC"
    max_tasks: int = 10
    bot_names: tuple[str, ...] = ("discubot",)
    context: str | None = None


class Analysis(Value):
    """Output of analyze_thread."""

    discussion_id: UUID
    findings: Findings
    analyst: str
    degraded: bool = False
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost_usd: float = 0.0
