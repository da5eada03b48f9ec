"""Few writes for many changes: used by `tracking/logger` so that progress costs next to nothing."""

import logging
from collections.abc import Callable
from threading import Lock, Timer
from typing import Protocol

logger = logging.getLogger(__name__)
PAUSE = 0.25
"""Seconds that a change waits for what comes with it, and so the least from one write to the next."""


class Waiting(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Forget it."""
        ...


Later = Callable[[float, Callable[[], None]], Waiting]


def in_background(seconds: float, call: Callable[[], None]) -> Waiting:
    """Make a call some seconds from now on a thread of its own, which keeps no process alive."""
    timer = Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer


class Batch:
    """Writes a `PAUSE` after a change, with all that has changed by then; `flush` writes what is left at once.

    A write that fails is logged and tried again with the next change, or with the flush. Do not flush inside a
    transaction that holds what is written.
    """

    def __init__(self, write: Callable[[], None], later: Later = in_background) -> None:
        self._write, self._later = write, later
        self._changing, self._writing = Lock(), Lock()
        self._has_changed = False
        self._waiting: Waiting | None = None

    def touch(self) -> None:
        """Say that there is something new to write; returns at once."""
        with self._changing:
            self._has_changed = True
            if self._waiting is None:
                self._waiting = self._later(PAUSE, self._due)

    def flush(self) -> None:
        """Write what has not been written yet, now; returns when that is done."""
        with self._changing:
            if self._waiting is not None:
                self._waiting.cancel()
            self._waiting = None
        self._write_changes()

    def _due(self) -> None:
        with self._changing:
            self._waiting = None
        self._write_changes()

    def _write_changes(self) -> None:
        with self._writing:
            with self._changing:
                if not self._has_changed:
                    return
                self._has_changed = False
            try:
                self._write()
            except Exception as error:
                logger.warning("tracking_failed", extra={"error": type(error).__name__})
                self._has_changed = True
