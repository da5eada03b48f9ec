"""A backfill: which threads of the past are wanted, and how far their import has come."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field

from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.domain.job import Value

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MOST_TROUBLES = 500
"""So many errors of one import are kept by name; the others are counted."""


class Backfill(Value):
    """What a backfill is asked to import.

    `places` are channels or files; of an export no place means all. `every` asks for threads that do not mention the
    bot, too. `export` is the path of a Slack export, `site` the address of its workspace, for links. `page_size` and
    `per_minute` say how fast Slack may be asked.
    """

    team: str
    source: str
    places: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    every: bool = False
    export: str | None = None
    site: str | None = None
    page_size: int = Field(default=200, ge=1, le=999)
    per_minute: float = Field(default=40, gt=0)


class Span(Value):
    """The threads that began at `since` or later, and before `until`."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: str | None, until: str | None, zone: str, now: datetime) -> Self:
        """Read two dates; the second one's day belongs to the span. Without them: from the beginning, until now."""
        start = moment(since, zone) if since else BEGINNING
        end = moment(until, zone, ends=True) if until else now
        if start >= end:
            raise Permanent("bad_date", f"there is no time between {since} and {until or 'now'}")
        return cls(since=start, until=end)

    def __contains__(self, at: datetime) -> bool:
        """Say whether a moment lies in the span."""
        return self.since <= at < self.until


def moment(text: str, zone: str, *, ends: bool = False) -> datetime:
    """Read a date (2026-03-01, a whole day in the time zone) or a moment (2026-03-01T09:00+01:00)."""
    try:
        if "T" in text:
            at = datetime.fromisoformat(text)
            return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
        day = date.fromisoformat(text) + timedelta(days=ends)
        return datetime.combine(day, time(), ZoneInfo(zone))
    except (ValueError, OverflowError) as error:
        raise Permanent("bad_date", f"{text!r} is no date: write 2026-03-01 or 2026-03-01T09:00+01:00") from error


class Trouble(Value):
    """A thread, or a whole channel or file, that could not be imported."""

    item: str
    reason: str
    message: str

    @classmethod
    def of(cls, item: str, error: PipelineError) -> Self:
        """Write down what an item met."""
        return cls(item=item, reason=error.reason, message=error.message)


class Tally(Value):
    """How far an import has come: what was found, and where to go on.

    `places` are read to their end, and the next one to `position`. Of the threads that were `seen`, `stored` have a new
    delivery, `known` had one or were worked on before, `passed` do not mention the bot, `troubled` met an error.
    """

    places: int = 0
    position: str | None = None
    reached: datetime | None = None
    seen: int = 0
    stored: int = 0
    known: int = 0
    passed: int = 0
    troubled: int = 0
    troubles: tuple[Trouble, ...] = ()
    is_complete: bool = False

    def met(self, kind: str, position: str, reached: datetime | None) -> Self:
        """Count a thread that is done with."""
        counted = {"seen": self.seen + 1, kind: getattr(self, kind) + 1}
        return self.model_copy(update=counted | {"position": position, "reached": reached or self.reached})

    def noting(self, trouble: Trouble) -> Self:
        """Keep an error for the list."""
        return self.model_copy(update={"troubles": (*self.troubles, trouble)[:MOST_TROUBLES]})

    def past_place(self, trouble: Trouble | None = None) -> Self:
        """Turn to the next place; with what kept this one from being read."""
        gone = self.model_copy(update={"places": self.places + 1, "position": None, "reached": None})
        return gone.noting(trouble).model_copy(update={"troubled": gone.troubled + 1}) if trouble else gone

    @property
    def words(self) -> str:
        """Say it in one line."""
        back = f", at {self.reached:%Y-%m-%d}" if self.reached else ""
        return (
            f"{self.seen} threads: {self.stored} new, {self.known} known, {self.passed} without a mention, "
            f"{self.troubled} errors{back}"
        )


class Standing(Value):
    """How the deliveries of an import stand."""

    waiting: int = 0
    held: int = 0
    done: int = 0
    failed: int = 0

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> Self:
        """Sum deliveries by their status."""
        names = {"pending": "waiting", "requested": "waiting", "running": "waiting", "held": "held"}
        names |= {"done": "done", "ignored": "done"}
        sums: dict[str, int] = {}
        for status, count in counts:
            name = names.get(status, "failed")
            sums[name] = sums.get(name, 0) + count
        return cls(**sums)
