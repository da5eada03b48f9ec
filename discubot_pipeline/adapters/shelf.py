"""Where a tracker keeps what it has read of its database's schema. Used by `notion.py`."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

SCHEMA_TTL = timedelta(minutes=10)


class Shelf(Protocol):
    """Keeps one schema for a while."""

    def get(self) -> dict[str, Any] | None:
        """Give what was kept; None when there is nothing, or nothing fresh."""
        ...

    def put(self, target: dict[str, Any]) -> None:
        """Keep it."""
        ...

    def drop(self) -> None:
        """Forget it: it has proven wrong."""
        ...


class MemoryShelf:
    """Keeps a schema for as long as its tracker lives, and no longer than it is fresh."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: tuple[float, dict[str, Any]] | None = None

    def get(self) -> dict[str, Any] | None:
        """Give what was kept."""
        if self._kept is None or self._clock() - self._kept[0] >= SCHEMA_TTL.total_seconds():
            return None
        return self._kept[1]

    def put(self, target: dict[str, Any]) -> None:
        """Keep it."""
        self._kept = (self._clock(), target)

    def drop(self) -> None:
        """Forget it."""
        self._kept = None
