"""One call to a stand-in and its answer, and how the answer reaches the socket. Used by the gate and every
service.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Json = dict[str, Any]

TRANSPORT = "sandbox.transport"


@dataclass(frozen=True)
class Call:
    """An HTTP request to a stand-in; `path` is what follows the service's prefix and starts with a slash."""

    service: str
    verb: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    listen: Callable[[], Awaitable[Any]] | None = None
    """Waits until the client says more; after its whole request that is only that it has left."""

    @property
    def line(self) -> str:
        """Say what faults are matched against, like `POST /pages`."""
        return f"{self.verb} {self.path}"

    @property
    def bearer(self) -> str:
        """Return the token of the Authorization header, or of Figma's own, or an empty string."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else self.headers.get("x-figma-token", "")


@dataclass(frozen=True)
class Answer:
    """What a stand-in answers: JSON or a page of HTML; status 0 closes the connection without a word.

    `draft` is what a service made it of, for the service's own faults.
    """

    status: int
    body: Json | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    draft: Any = None

    def response(self) -> Response:
        """Turn the answer into what the web server sends."""
        if self.status == 0:
            return Hangup()
        if isinstance(self.body, str):
            return HTMLResponse(self.body, self.status, dict(self.headers))
        text = json.dumps(self.body)  # ASCII, so that a lone surrogate in somebody's text cannot break the answer
        return Response(text, self.status, dict(self.headers), "application/json; charset=utf-8")


HANGUP = Answer(0)
LEFT = Answer(0, "left")
"""The client did not wait for an answer."""


def html(status: int, words: str = "The service is temporarily unavailable.") -> Answer:
    """Answer like a gateway in front of a dead service."""
    head = f"<!DOCTYPE html><html><head><title>{status}</title></head>"
    return Answer(status, f"{head}<body><h1>{status}</h1><p>{words}</p></body></html>")


class Hangup(Response):
    """Abort the TCP connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the socket and wait until the server has noticed, or it would answer 500 by itself."""
        scope[TRANSPORT].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class Socket:
    """The outermost layer: hands uvicorn's transport to the answers, since ASGI cannot hang up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remember the connection of an HTTP request and go on."""
        if scope["type"] == "http":
            scope[TRANSPORT] = send.__self__.transport  # type: ignore[attr-defined]
        await self.app(scope, receive, send)
