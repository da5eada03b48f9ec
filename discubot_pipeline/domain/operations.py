"""Operations: work on many rows at once, asked for by people and done by runs. What each takes, and what came of it."""

from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from discubot_pipeline.domain.changes import Change
from discubot_pipeline.domain.contributions import Line, Moment, Url, storable
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import Attachment, DiscussionStatus, MessageRole
from discubot_pipeline.domain.job import Value

MOST_IDS = 10_000
MOST_MESSAGES = 10_000
MOST_TROUBLES = 500
"""So many errors of one operation are kept by name; the others are counted."""
MOST_CHARACTERS = 20_000_000
CHUNK = 1000


Day = Annotated[date, Field(ge=date(2015, 1, 1))]
"""Nothing was counted before."""


class OperationKind(StrEnum):
    """What can be done in bulk."""

    IMPORT = "import"
    DELETE = "delete"
    EXPORT = "export"
    STATISTICS = "statistics"

    @property
    def is_audit(self) -> bool:
        """Say whether it only looks and counts."""
        return self in (OperationKind.EXPORT, OperationKind.STATISTICS)


class Selection(Change):
    """Which discussions are meant: those that fit all that is named."""

    ids: tuple[UUID, ...] | None = Field(default=None, max_length=MOST_IDS)
    status: tuple[DiscussionStatus, ...] | None = Field(default=None, max_length=10)
    source: SourceType | None = None
    since: Moment | None = Field(default=None, description="Begun from then on.")
    until: Moment | None = Field(default=None, description="Begun before then.")


class Narrowed(Selection):
    """A selection that names something: by mistake nobody means everything."""

    @model_validator(mode="after")
    def is_narrow(self) -> Self:
        """Refuse an empty selection."""
        if all(value is None for value in dict(self).values()):
            raise ValueError("name ids, or what the discussions have in common")
        return self


class Days(Change):
    """The days (UTC) to compute anew; by default those that may still change."""

    since: Day | None = None
    until: Day | None = None

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        """Refuse what ends before it begins."""
        if self.since and self.until and self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class Lines(Change):
    """The discussions to import: JSON lines, as an export writes them."""

    lines: str = Field(max_length=MOST_CHARACTERS)


class NewImport(Change):
    """Import discussions with their messages. What is there already stays as it is."""

    kind: Literal[OperationKind.IMPORT]
    params: Lines


class NewDelete(Change):
    """Delete discussions with their messages and tasks; pages in Notion stay."""

    kind: Literal[OperationKind.DELETE]
    params: Narrowed


class NewExport(Change):
    """Write discussions with their messages as JSON lines."""

    kind: Literal[OperationKind.EXPORT]
    params: Selection = Selection()


class NewStatistics(Change):
    """Compute the figures of days anew."""

    kind: Literal[OperationKind.STATISTICS]
    params: Days = Days()


NewOperation = Annotated[NewImport | NewDelete | NewExport | NewStatistics, Field(discriminator="kind")]
new_operation: TypeAdapter[NewImport | NewDelete | NewExport | NewStatistics] = TypeAdapter(NewOperation)

Short = Annotated[str, Field(max_length=2000), AfterValidator(storable)]
Long = Annotated[str, Field(max_length=1_000_000), AfterValidator(storable)]


class PortableMessage(Change):
    """A message as exports write it and imports read it."""

    id: Short
    author_id: Short
    author_name: Short
    author_handle: Short | None = None
    role: MessageRole = MessageRole.USER
    persona: Short | None = None
    content: Long
    url: Url | None = None
    attachments: tuple[Attachment, ...] = ()
    sent_at: Moment


class PortableDiscussion(Change):
    """A discussion as exports write it, one a line, and imports read it."""

    source: SourceType = SourceType.GENERIC
    thread: Line
    title: Short = ""
    url: Url | None = None
    status: DiscussionStatus = DiscussionStatus.NEW
    messages: tuple[PortableMessage, ...] = Field(default=(), max_length=MOST_MESSAGES)

    @model_validator(mode="after")
    def has_each_once(self) -> Self:
        """Refuse two messages of one id."""
        if len({message.id for message in self.messages}) < len(self.messages):
            raise ValueError("messages: two have the same id")
        return self


class ItemTrouble(Value):
    """What was wrong with one item: a line of an import, or a discussion."""

    line: int | None = None
    id: UUID | None = None
    reason: str
    message: str


class Result(Value):
    """What came of an operation so far. `position` and `after` say where it goes on after an interruption."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    failures: int = 0
    troubles: tuple[ItemTrouble, ...] = ()
    position: int = 0
    after: UUID | None = None

    def plus(self, troubles: tuple[ItemTrouble, ...] = (), **counts: int) -> "Result":
        """Add what a batch has brought."""
        added = {name: self.counts.get(name, 0) + counts.get(name, 0) for name in {**self.counts, **counts}}
        return self.model_copy(
            update={
                "counts": added,
                "failures": self.failures + len(troubles),
                "troubles": tuple(islice((*self.troubles, *troubles), MOST_TROUBLES)),
            }
        )

    @property
    def words(self) -> str:
        """Sum up in one sentence."""
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in sorted(self.counts.items())]
        failed = [f"{self.failures} errors"] if self.failures else []
        return f"{', '.join([*counts, *failed]) or 'Nothing to do'}."


class Operation(Value):
    """An operation: what is asked for, how it stands, and what came of it. `run_id` is its job once that exists."""

    id: UUID
    team_id: UUID
    kind: OperationKind
    status: DeliveryStatus
    params: dict[str, Any]
    items: int = Field(description="How many lines it was given.")
    result: Result
    reason: str | None
    error: str | None
    run_id: str | None
    created_at: datetime
    created_by: str
    finished_at: datetime | None


class OperationRun(Value):
    """A run to ask for."""

    operation: Operation
    run_key: str
    team_name: str
