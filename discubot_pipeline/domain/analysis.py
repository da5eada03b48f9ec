"""What an analyst finds in a thread. The schema is the contract with language models too: null over guessing."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from discubot_pipeline.domain.discussion import Message
from discubot_pipeline.domain.errors import Permanent
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
    """One thing to be done. `evidence` is the id of the message that says so, `confidence` None where it is not known
    apart from the whole answer's.
    """

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
    confidence: float | None = Field(default=None, ge=0, le=1)


class Findings(Value):
    """An analyst's whole answer."""

    summary: str
    key_points: tuple[str, ...] = ()
    sentiment: Sentiment = Sentiment.NEUTRAL
    confidence: float = Field(default=0.5, ge=0, le=1)
    tasks: tuple[DetectedTask, ...] = ()

    def limited(self, most: int, min_confidence: float, asked: frozenset[str]) -> "Findings":
        """Keep the tasks that are sure enough, `most` of them; one that a message of `asked` asks for is sure."""
        sure = [task for task in self.tasks if task.evidence in asked or self.confidence_of(task) >= min_confidence]
        return self.model_copy(update={"tasks": tuple(sure[:most])})

    def confidence_of(self, task: DetectedTask) -> float:
        """Give a task's confidence, else the whole answer's."""
        return self.confidence if task.confidence is None else task.confidence


class Usage(Value):
    """What an analysis took: tokens of a language model and their price, None when the price is not known."""

    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost_usd: float | None = 0.0


class Judgement(Value):
    """What an analyst gives: its findings, and what they took."""

    findings: Findings
    usage: Usage = Usage()


class Unusable(Permanent):
    """An answer was given, and has to be paid for, but no findings can be made of it."""

    def __init__(self, reason: str, message: str, usage: Usage) -> None:
        super().__init__(reason, message)
        self.usage = usage


class Brief(Value):
    """What an analyst is given: the thread in plain text and what the mention asked for.

    `instructions` are the messages that stand beside a mention of the bot: their words are tasks by themselves, at
    least one unless they only ask to read the thread. `people` are the names that a task may be assigned to. Relative
    dates count from a message's own time in its author's time zone, else in `time_zone`. `bot_names` are the bot's own,
    `domains` the names that a task's domain may have. `context` is the text that the thread comments on: it explains
    the words of the thread and asks for nothing itself.
    """

    title: str
    messages: tuple[Message, ...]
    instructions: tuple[Message, ...] = ()
    people: tuple[str, ...] = ()
    time_zone: str = "UTC"
    max_tasks: int = 10
    bot_names: tuple[str, ...] = ("discubot",)
    domains: tuple[str, ...] = ()
    context: str | None = None

    @property
    def said(self) -> tuple[Message, ...]:
        """List all that was said, each message once: the thread, then instructions that stand outside it."""
        known = {message.id: message for message in (*self.messages, *self.instructions)}
        return tuple(known.values())


class Analysis(Value):
    """Output of analyze_thread. Degraded: the analyst that was chosen could not do it, `degraded_reason` says why.

    Tokens and cost are what this analysis took; all none when it was `cached`.
    """

    discussion_id: UUID
    findings: Findings
    analyst: str
    degraded: bool = False
    degraded_reason: str | None = None
    cached: bool = False
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost_usd: float | None = 0.0
