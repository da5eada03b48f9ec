"""A line to the sandbox that keeps what goes over it, for tests of what our clients say and hear."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2 as httpx

KEPT = ("authorization", "content-type", "notion-version", "x-figma-token")


@dataclass(frozen=True)
class Exchange:
    """One call with its answer; a body that is not there is None."""

    verb: str
    path: str
    said: Any
    status: int
    heard: Any


class Wiretap:
    """A server that passes each call on and keeps it, in order."""

    def __init__(self, target: str) -> None:
        self.exchanges: list[Exchange] = []
        self._line = httpx.Client(base_url=target, trust_env=False, timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Cut the line."""
        self._server.shutdown()
        self._server.server_close()
        self._line.close()

    def under(self, prefix: str) -> list[Exchange]:
        """List what was said to a service, by the path that its API begins with."""
        return [one for one in self.exchanges if one.path.startswith(prefix)]

    def pass_on(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Send a call to the sandbox and keep it."""
        answer = self._line.request(verb, path, headers=headers, content=body)
        said = json.loads(body) if body else None
        self.exchanges.append(Exchange(verb, path.partition("?")[0], said, answer.status_code, answer.json()))
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tap = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name: self.headers[name] for name in KEPT if name in self.headers}
                answer = tap.pass_on(self.command, self.path, headers, body)
                self.send_response(answer.status_code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        for verb in ("GET", "POST", "PATCH", "DELETE"):
            setattr(Handler, f"do_{verb}", Handler.serve)
        return Handler
