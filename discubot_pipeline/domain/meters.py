"""What the processes of jobs measure for who watches the system: kept in memory, and added to the database's sums at
the end of a run. Labels are words of ours: they name no team, person or thread.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from math import inf
from threading import Lock
from typing import NamedTuple

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, inf)
"""Upper bounds in seconds."""


class Meter(StrEnum):
    """What is summed up."""

    STAGES = "stages"
    STAGE_SECONDS = "stage_seconds"
    CALLS = "calls"
    CALL_SECONDS = "call_seconds"
    TOKENS = "tokens"
    DOLLARS = "dollars"


class Sum(NamedTuple):
    """Which sum something is added to: a meter, and one value for each of its labels."""

    meter: Meter
    labels: tuple[str, ...]


class Tally:
    """Sums of this process that are not in the database yet. Threads may share it."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._sums: defaultdict[Sum, float] = defaultdict(float)

    def add(self, meter: Meter, amount: float, *labels: str) -> None:
        """Add to a sum."""
        self.put({Sum(meter, labels): amount})

    def stage(self, seconds: float, job: str, stage: str, state: str) -> None:
        """Count a stage of a job that has ended, by how long it took."""
        self._timed(Meter.STAGES, Meter.STAGE_SECONDS, seconds, (job, stage, state))

    def call(self, seconds: float, service: str, status: str) -> None:
        """Count a call to another service, by how long its answer took: an HTTP status, or why there was none."""
        self._timed(Meter.CALLS, Meter.CALL_SECONDS, seconds, (service, status))

    def take(self) -> dict[Sum, float]:
        """Give all sums, and begin anew."""
        with self._changing:
            taken, self._sums = self._sums, defaultdict(float)
        return dict(taken)

    def put(self, sums: Mapping[Sum, float]) -> None:
        """Add what was taken, or is measured elsewhere."""
        with self._changing:
            for name, amount in sums.items():
                self._sums[name] += amount

    def _timed(self, count: Meter, total: Meter, seconds: float, labels: tuple[str, ...]) -> None:
        self.put({Sum(count, (*labels, bucket_of(seconds))): 1, Sum(total, labels): seconds})


def bucket_of(seconds: float) -> str:
    """Name the bucket that a duration belongs to by its upper bound."""
    return bound(BUCKETS[bisect_left(BUCKETS, seconds)])


def bound(seconds: float) -> str:
    """Write an upper bound as Prometheus does."""
    return "+Inf" if seconds == inf else str(seconds)


tally = Tally()
"""The one of this process, for everything below: what measures itself need not be handed it."""
