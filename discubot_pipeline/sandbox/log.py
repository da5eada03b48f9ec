"""Remembers every call that the stand-ins got, for tests and benchmarks. Written by the gate, read by the
control API.
"""

import time
from collections import deque
from dataclasses import asdict, dataclass

from discubot_pipeline.sandbox.wire import Json

KEPT = 50_000


@dataclass(frozen=True)
class Entry:
    """One call; status 0 means that the connection was closed without an answer."""

    seq: int
    at: float
    service: str
    method: str
    path: str
    status: int
    token: str
    summary: str
    error: str | None
    fault: str | None


class CallLog:
    """The newest calls, numbered from 1; clearing does not restart the numbers."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._seq = 0

    def add(
        self, *, service: str, method: str, path: str, status: int, token: str, summary: str,
        error: str | None, fault: str | None,
    ) -> None:  # fmt: skip
        """Append one call; of its token only the last four characters are kept."""
        self._seq += 1
        self._entries.append(
            Entry(self._seq, time.time(), service, method, path, status, token[-4:], summary, error, fault)
        )

    def since(self, seq: int, service: str | None) -> list[Json]:
        """List the calls after `seq`, oldest first."""
        return [asdict(e) for e in self._entries if e.seq > seq and service in (None, e.service)]

    def clear(self) -> None:
        """Forget all calls."""
        self._entries.clear()
