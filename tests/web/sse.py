"""A client of server-sent events, as the HTML standard describes one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from tests.conftest import PLAIN


@dataclass
class Said:
    """One event, or a comment; `id` is the last one that was sent by then."""

    kind: str
    data: Any
    id: str | None


@dataclass
class Client:
    """Somebody with a token who listens."""

    base: str
    token: str
    last: str | None = None

    @contextmanager
    def listening(self, path: str, after: str | None = None) -> Iterator[Iterator[Said]]:
        """Open a stream, from an event on if one is named."""
        headers = {"authorization": f"Bearer {self.token}"} | ({"last-event-id": after} if after else {})
        with httpx.stream("GET", f"{self.base}/api{path}", headers=headers, timeout=30, **PLAIN) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield self.read(answer.iter_lines())

    def all_of(self, path: str, after: str | None = None) -> list[Said]:
        """Listen until the server closes the stream."""
        with self.listening(path, after) as said:
            return list(said)

    def read(self, lines: Iterator[str]) -> Iterator[Said]:
        """Read events off lines."""
        event: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            if line and not name:
                yield Said("comment", value.strip(), self.last)
            elif line:
                event[name] = value.removeprefix(" ")
                self.last = event.get("id", self.last)
            else:
                if "data" in event:
                    yield Said(event["event"], json.loads(event["data"]), self.last)
                event = {}
