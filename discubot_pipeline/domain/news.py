"""News: what somebody who listens to jobs is told, one piece at a time, and where in the log he has got to."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from discubot_pipeline.domain.facts import Level

LARGEST = 2**63 - 1
ALL = 999
"""The part after the last one of any event."""
LEVELS = list(Level)


class Kind(StrEnum):
    """What a piece of news is about; the last five are the ends of a job, by its status."""

    STATUS = "status"
    STAGE = "stage"
    PROGRESS = "progress"
    LOG = "log"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELAYED = "delayed"


ENDS = {Kind.COMPLETED, Kind.PARTIAL, Kind.FAILED, Kind.CANCELLED, Kind.DELAYED}


class Place(NamedTuple):
    """Which part of which event in Dagster's log; the whole of it where no part is named."""

    number: int
    part: int = ALL

    def __str__(self) -> str:
        """Write it as listeners send it back."""
        return f"{self.number}.{self.part}" if self.part != ALL else str(self.number)

    @classmethod
    def read(cls, text: str) -> "Place":
        """Read what was written; ValueError for a number that no event can have."""
        number, _, part = text.partition(".")
        place = cls(int(number), int(part or ALL))
        if place.number > LARGEST:
            raise ValueError("there is no such event")
        return place


class News(NamedTuple):
    """One piece of news; `data` is JSON. What has no place is how things stand, and is not told again."""

    kind: Kind
    job_id: str
    team_id: UUID | None
    discussion_id: UUID | None
    data: str
    place: Place | None = None
    level: Level | None = None


class Wanted(NamedTuple):
    """What somebody listens to: a team's jobs, one job, those of one discussion; None is any."""

    team_id: UUID | None = None
    job_id: str | None = None
    discussion_id: UUID | None = None
    level: Level = Level.INFO

    def fits(self, news: News) -> bool:
        """Say whether a piece of news is wanted."""
        return (
            self.team_id in (None, news.team_id)
            and self.job_id in (None, news.job_id)
            and self.discussion_id in (None, news.discussion_id)
            and (news.level is None or LEVELS.index(news.level) >= LEVELS.index(self.level))
        )
