"""Keeps values that were read from rows for as long as the rows are the same. Used by `configs`."""

import time
from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")
TTL = timedelta(minutes=1)
MOST = 1000


class Kept(NamedTuple, Generic[V]):
    """A value, the stamp of the rows it was read from, when that was, and when the stamp was looked at last."""

    value: V
    stamp: object
    read_at: float
    checked_at: float


class Cache(Generic[V]):
    """Values by key. Each use compares the stamp of the rows, unless that was done less than `recheck` ago.

    A change by any process changes the stamp, so it is seen at once, or after `recheck`; what changes no stamp is seen
    after `ttl`.
    """

    def __init__(
        self,
        ttl: timedelta = TTL,
        recheck: timedelta = timedelta(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl = ttl.total_seconds()
        self._recheck = recheck.total_seconds()
        self._clock = clock
        self._kept: dict[Hashable, Kept[V]] = {}

    def at_hand(self, key: Hashable) -> V | None:
        """Give the value of a key if nothing need be read for it."""
        now, kept = self._clock(), self._kept.get(key)
        is_fresh = kept and now - kept.read_at < self._ttl and now - kept.checked_at < self._recheck
        return kept.value if kept and is_fresh else None

    def get(self, key: Hashable, stamp: Callable[[], object], load: Callable[[], V]) -> V:
        """Give the value of a key, loaded again where its rows have changed. An empty stamp is never kept."""
        if (value := self.at_hand(key)) is not None:
            return value
        now, kept = self._clock(), self._kept.get(key)
        if kept and now - kept.read_at >= self._ttl:
            kept = None
        # The stamp is read first: a change between the two is then noticed by the next use.
        current = stamp()
        if kept and kept.stamp == current:
            self._kept[key] = kept._replace(checked_at=now)
            return kept.value
        value = load()
        if current:
            self._keep(key, Kept(value, current, now, now))
        else:
            self._kept.pop(key, None)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _keep(self, key: Hashable, kept: Kept[V]) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = kept
