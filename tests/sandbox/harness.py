"""What the sandbox's tests share: the running server, clients of its services, a receiver of events."""

import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx2
import uvicorn

from discubot_pipeline.sandbox.app import create_app

Json = dict[str, Any]
TEAM, CHANNEL, BOT = "T0ACME", "C0GENERAL", "UDISCUBOT"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Wait for a condition and return its value."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return found


class Server:
    """The app on uvicorn in a thread."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_app(self.url, {"Dagster UI": "http://127.0.0.1:3000/"})
        self._server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def stop(self) -> None:
        """Shut the server down."""
        self._server.should_exit = True
        self._thread.join(10)


class Sandbox:
    """A client of the control API and of both services, with the default world's credentials."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, trust_env=False, timeout=20)
        self.defaults: Json = self.control("POST", "/reset")
        self.slack_token: str = self.defaults["slack"]["bot_token"]
        self.notion_token: str = self.defaults["notion"]["token"]
        self.source: str = self.defaults["notion"]["data_source_id"]
        self.database: str = self.defaults["notion"]["database_id"]

    def control(self, verb: str, path: str, body: Any = None) -> Any:
        """Call the control API and expect success."""
        answer = self.http.request(verb, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def slack(self, method: str, *, token: str | None = None, **args: Any) -> Json:
        """Call a Slack method as a form, the way most clients do."""
        answer = self.slack_raw(method, token=token, **args)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def slack_raw(self, method: str, *, token: str | None = None, **args: Any) -> httpx2.Response:
        """Call a Slack method and return the whole answer."""
        headers = {"Authorization": f"Bearer {self.slack_token if token is None else token}"}
        data = {key: value if isinstance(value, str) else json.dumps(value) for key, value in args.items()}
        return self.http.post(f"/slack/api/{method}", data=data, headers=headers)

    def notion(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = "2025-09-03",
        token: str | None = None,
    ) -> httpx2.Response:
        """Call Notion and return the whole answer."""
        headers = {"Authorization": f"Bearer {self.notion_token if token is None else token}"}
        if version is not None:
            headers["Notion-Version"] = version
        return self.http.request(verb, f"/notion/v1{path}", json=body, headers=headers)

    def say(self, text: str, user: str = "U0ANNA", **more: Any) -> Json:
        """Let a person say something in the default channel."""
        body = {"team_id": TEAM, "channel": CHANNEL, "user": user, "text": text, **more}
        found: Json = self.control("POST", "/slack/messages", body)
        return found

    def create(self, title: str = "Fix it", children: Any = None, **properties: Any) -> httpx2.Response:
        """Create a page in the default database."""
        parent = {"type": "data_source_id", "data_source_id": self.source}
        body = {"parent": parent, "properties": {"Task": {"title": rich(title)}, **properties}}
        return self.notion("POST", "/pages", body | ({"children": children} if children is not None else {}))

    def pages(self) -> list[Json]:
        """List all pages by the control API."""
        found: list[Json] = self.control("GET", "/notion/pages")["pages"]
        return found


class Figma:
    """A client of the stand-in, with the default world's bot."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.told: Json = sandbox.defaults["figma"]
        self.key = self.told["file_key"]
        self.thread = sandbox.control("GET", f"/figma/files/{self.key}/comments")["comments"][0]["id"]

    def call(self, verb: str, path: str, body: Any = None, token: str | None = None, **params: str) -> httpx2.Response:
        """Call the API."""
        headers = {"X-Figma-Token": self.told["token"] if token is None else token}
        return self.sandbox.http.request(verb, f"/figma/v1{path}", json=body, headers=headers, params=params)

    @property
    def comments(self) -> str:
        """Name the comments of the default file."""
        return f"/files/{self.key}/comments"

    def say(self, **said: Any) -> Json:
        """Let a person comment."""
        new = {"file_key": self.key, "user": self.told["users"][0]["id"], "message": "hello"} | said
        made: Json = self.sandbox.control("POST", "/figma/comments", new)
        return made


def rich(words: str) -> list[Json]:
    """Write words as rich text."""
    return [{"text": {"content": words}}]


def paragraph(words: str = "words", **more: Any) -> Json:
    """Write a paragraph block."""
    return {"type": "paragraph", "paragraph": {"rich_text": rich(words), **more}}


class Receiver:
    """Takes what the sandbox sends: keeps requests, answers as told (status, headers, body, seconds)."""

    def __init__(self) -> None:
        self.requests: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.answers: list[tuple[int, dict[str, str], str, float]] = []
        self.open = 0
        self.most_open = 0
        self.gate: threading.Event | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/slack"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, status: int, headers: dict[str, str] | None = None, body: str = "", seconds: float = 0) -> None:
        """Queue how the next request is answered; later ones get 200."""
        self.answers.append((status, headers or {}, body, seconds))

    def next(self, seconds: float = 10) -> tuple[dict[str, str], Json]:
        """Return headers (lower case) and envelope of the next request."""
        headers, body = self.requests.get(timeout=seconds)
        return headers, json.loads(body)

    def stop(self) -> None:
        """Close the socket."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str, float]:
        """Keep a request, wait at the gate if there is one, and say how to answer."""
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            told = self.answers.pop(0) if self.answers else (200, {}, "", 0.0)
        self.requests.put((headers, body))
        if self.gate is not None:
            self.gate.wait(10)
        with self._lock:
            self.open -= 1
        return told

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                status, extra, text, seconds = receiver.take(headers, body)
                threading.Event().wait(seconds)
                challenge = json.loads(body).get("challenge", "") if body.startswith(b'{"token"') else ""
                answer = (text or challenge).encode()
                try:
                    self.send_response(status)
                    for name, value in extra.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
