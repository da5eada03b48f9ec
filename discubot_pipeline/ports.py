"""What the pipeline needs of the world outside. Each Protocol has one conformance suite under `tests/adapters`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from discubot_pipeline.domain.analysis import Analysis, Brief, DetectedTask, Judgement
from discubot_pipeline.domain.backfill import Backfill, Span
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, Delivery, Handshake, SourceType
from discubot_pipeline.domain.discussion import Message
from discubot_pipeline.domain.explanation import Explanation, Wanted
from discubot_pipeline.domain.hook import Hook, Notice
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.task import Page, Standing


class Mark(StrEnum):
    """What a reaction in the thread says."""

    SEEN = "seen"
    DONE = "done"
    FAILED = "failed"


class Mention(Value):
    """What a delivery says about its thread: which message asked, with which words (None for a bare mention).

    `message_key` names the message in every inbox that it may come into. `others` are mentions in further threads of
    which the same delivery tells.
    """

    thread_id: str
    message_id: str
    instruction: str | None = None
    message_key: str | None = None
    others: tuple["Mention", ...] = ()


class FetchedThread(Value):
    """A thread as its source gives it: own messages of the bot left out, names resolved, oldest first.

    `mentions` are the messages that address the bot with words, cleaned of the mention; bare mentions are in neither.
    `context` is the text that the thread comments on, where there is one.
    """

    title: str
    url: str | None
    messages: tuple[Message, ...]
    mentions: tuple[Message, ...] = ()
    context: str | None = None


class Source(Protocol):
    """A tool that discussions come from. One instance speaks for one source config."""

    kind: SourceType

    def read(self, delivery: Delivery) -> Mention:
        """Read a stored delivery. Raises Permanent when it is not a usable mention, Ignored when it asks for nothing.

        Where only the service knows the thread, the mention's `thread_id` is another than the delivery's; what the
        service does not show yet is Transient("not_yet", …). A payload's `resolved`, thread and message, is what an
        earlier reading has found, and stays so.
        """
        ...

    def root(self, thread_id: str) -> str:
        """Give the thread that a link's thread id stands for, where links may name a message within a thread."""
        ...

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Read the whole thread, to its last page. Raises Transient or Permanent."""
        ...

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """Put a reaction on the messages that asked, or on the thread's first one where none did.

        One that is there already is fine.
        """
        ...

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Answer in the thread, once for each key: with `is_retry` an answer that is there already is looked for."""
        ...

    def link(self, title: str, url: str) -> str:
        """Write a link as this source shows it."""
        ...

    def plain(self, text: str) -> str:
        """Write text so that this source shows it literally."""
        ...


class Listed(Value):
    """A thread as the list of a place shows it; after `position` the list goes on. `found` is the source's own."""

    name: str
    position: str
    began_at: datetime | None
    found: dict[str, Any]


class Archive(Protocol):
    """The past of a source, for backfills: lists the threads of a place (a channel, a file). Close it after use."""

    def places(self, named: Sequence[str]) -> list[str]:
        """Give the places to look at, in a lasting order. Raises Permanent("bad_place", …)."""
        ...

    def threads(self, place: str, span: Span, after: str | None = None) -> Iterator[Listed]:
        """List the threads that began in the span, those after a position only. Raises Transient or Permanent."""
        ...

    def arrival(self, listed: Listed, every: bool) -> Arrival | None:
        """Make of a thread what a webhook would have brought, named by what is in it; the same again every time.

        None where nobody mentions the bot, unless `every` thread is wanted. Raises Transient or Permanent.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class Door(Protocol):
    """The receiver's side of a source: proves where a request comes from and names what it brought."""

    kind: SourceType
    max_body: int

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Prove the origin; headers are lower-case. Raises Permanent("signature" | "stale" | "passcode", …)."""
        ...

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival | Challenge | Handshake:
        """Name what a verified body holds. Raises Permanent("malformed", …)."""
        ...

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Give the thread id that a link people copy stands for; None when it is no link of this source's."""
        ...


class Draft(Value):
    """A page to be made: the task, its key, and the thread it comes from."""

    key: str
    task: DetectedTask
    analysis: Analysis
    title: str
    source_name: str
    source_url: str | None
    messages: tuple[Message, ...]


class Tracker(Protocol):
    """Where tasks live. One instance speaks for one output."""

    def find(self, draft: Draft, since: datetime) -> Page | None:
        """Look for the page of a draft whose making may have been interrupted, by its key, else by title and time."""
        ...

    def create(self, draft: Draft) -> tuple[Page, tuple[str, ...]]:
        """Make the page with its first blocks. Gives the page and the fields that could not be set.

        Raises Unanswered when the outcome is unknown.
        """
        ...

    def complete(self, page: Page, draft: Draft) -> None:
        """Append the blocks that the page still lacks; safe to repeat."""
        ...

    def standing(self, page_id: str) -> Standing | None:
        """Read how a page stands; None when it is in the trash. Raises Transient or Permanent."""
        ...


class Analyst(Protocol):
    """Reads a thread and says what it is about and what is to be done.

    `fingerprint` names all that shapes its answers beside the brief; None when an answer is not worth keeping.
    """

    @property
    def name(self) -> str:
        """Say who it is, for pages and records."""
        ...

    @property
    def fingerprint(self) -> str | None:
        """Name model, prompts and settings in one word."""
        ...

    def analyze(self, brief: Brief) -> Judgement:
        """Analyse; same brief, same findings for the offline analyst. Raises Transient, Permanent or Unusable."""
        ...


class Explainer(Protocol):
    """Says why a step did what it did, by its record."""

    def explain(self, wanted: Wanted) -> Explanation:
        """Explain a step. Raises Transient, Permanent or Unusable."""
        ...


class Progress(Protocol):
    """Where a stage tells those who watch its job how far it has come. Telling never fails, and never waits."""

    def set_total(self, total: int, unit: str | None = None) -> None:
        """Say how much there is to do."""
        ...

    def increment(self, by: int = 1, message: str | None = None) -> None:
        """Say that some of it is done."""
        ...

    def add_outcome(self, **counts: int) -> None:
        """Add to what the job has brought about; what a stage counts is counted anew when it is tried again."""
        ...


class Unwatched:
    """The progress of work that nobody watches."""

    def set_total(self, total: int, unit: str | None = None) -> None:
        """Tell nobody."""

    def increment(self, by: int = 1, message: str | None = None) -> None:
        """Tell nobody."""

    def add_outcome(self, **counts: int) -> None:
        """Tell nobody."""


class Clock(Protocol):
    """Tells the time, so that tests can."""

    def now(self) -> datetime:
        """Give the time in UTC, with its zone."""
        ...


class Herald(Protocol):
    """Tells one target that a job has ended."""

    def tell(self, notice: Notice, is_repeated: bool) -> None:
        """Send a notice that may have been sent before, if `is_repeated` says so; nobody is to read it twice.

        Raises Transient when it is worth another try, Permanent("gone", …) when the target wants to hear no more.
        """
        ...


class Outside(Protocol):
    """The world outside, as the stages reach it: one adapter for each thing that is asked for."""

    clock: Clock

    def door(self, kind: SourceType) -> Door:
        """Give the receiver's side of a source."""
        ...

    def source(self, config: SourceConfig) -> Source:
        """Give the source of a config."""
        ...

    def archive(self, config: SourceConfig, wanted: Backfill) -> Archive:
        """Open the past of a source. Raises Permanent("no_archive", …) where it keeps none that can be listed."""
        ...

    def tracker(self, output: Output) -> Tracker:
        """Give the tracker of an output."""
        ...

    def analyst(self, config: SourceConfig) -> Analyst:
        """Give the analyst that a source config chose."""
        ...

    def explainer(self, config: SourceConfig) -> Explainer | None:
        """Give the language model that a source config chose; None where it chose none."""
        ...

    def offline(self) -> Analyst:
        """Give the built-in analyst, which needs nobody and never fails."""
        ...

    def herald(self, hook: Hook, sender: SourceConfig | None) -> Herald:
        """Give what tells a hook; a hook of Slack through the source that is its sender."""
        ...
