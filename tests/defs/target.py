"""A target on loopback that hooks are told to: it keeps what it hears, and answers as a test wants it to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Target:
    """What was heard, what will be answered (each once, then 204), and a gate that a test may close."""

    url: str = ""
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def bodies(self, secret: str) -> list[dict[str, Any]]:
        """Verify all that was heard, by the library of Standard Webhooks, and read it."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.heard]

    @property
    def ids(self) -> list[str]:
        """List the ids under which something was heard."""
        return [headers["webhook-id"] for headers, _ in self.heard]

    @property
    def types(self) -> list[str]:
        """List what was heard of."""
        return [json.loads(body)["type"] for _, body in self.heard]


@contextmanager
def listening_target() -> Iterator[Target]:
    """Listen on a port of this machine."""
    target = Target()
    target.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            target.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            target.gate.wait(30)
            status, headers = target.answers.pop(0) if target.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    target.url = f"http://127.0.0.1:{server.server_address[1]}/told?by=us"
    try:
        yield target
    finally:
        target.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
