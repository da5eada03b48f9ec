"""The receiver on a port of its own, requests as the sources send them, and a way to cut it off its database."""

import hmac
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import sqlalchemy as sa
import uvicorn
from pydantic import SecretStr
from standardwebhooks import Webhook

from discubot_pipeline.domain.config import GenericCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.web.__main__ import Server
from discubot_pipeline.web.app import create_app
from discubot_pipeline.wiring import Services
from tests.conftest import PLAIN
from tests.waiting import until

Body = bytes | Iterable[bytes]


class Receiver:
    """The app on uvicorn in a thread, and a client that talks to it over HTTP."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(create_app(services), log_config=None, access_log=False)
        self._server = Server(config, services)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        until(lambda: self._server.started)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, **PLAIN)

    def stop(self) -> None:
        """End client, server and socket."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def slack(self, config: SourceConfig, body: Body, path: str | None = None, **signing: Any) -> httpx.Response:
        """Post a body to a Slack source's address, signed."""
        signed = slack_headers(config, body if isinstance(body, bytes) else b"", **signing)
        return self.http.post(path or f"/hooks/slack/{config.hook}", content=body, headers=signed)

    def generic(self, config: SourceConfig, body: str, id: str | None = None) -> httpx.Response:
        """Post a body to a generic intake, signed by the library that its senders use."""
        assert isinstance(config.credentials, GenericCredentials)
        now, id = datetime.now(UTC), id or f"msg_{uuid4().hex}"
        signature = Webhook(config.credentials.signing_secret.get_secret_value()).sign(id, now, body)
        stamp = str(int(now.timestamp()))
        headers = {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}
        return self.http.post(f"/hooks/generic/{config.hook}", content=body, headers=headers)


def slack_headers(config: SourceConfig, body: bytes, later: float = 0, secret: str | None = None) -> dict[str, str]:
    """Sign a body as Slack does, so many seconds from now."""
    assert isinstance(config.credentials, SlackCredentials)
    stamp = str(int(time.time() + later))
    key = (secret or config.credentials.signing_secret.get_secret_value()).encode()
    digest = hmac.new(key, f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


def problem(response: httpx.Response) -> tuple[int, str]:
    """Read a refusal, which must be a problem document; gives its status and reason."""
    assert response.headers["content-type"] == "application/problem+json"
    body: Mapping[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "reason", "detail"}
    assert body["status"] == response.status_code
    return response.status_code, body["reason"]


class Cable:
    """A TCP proxy in front of Postgres that can be cut and mended."""

    def __init__(self, database_url: str) -> None:
        url = sa.make_url(database_url)
        host, port = str(url.query.get("host") or url.host), url.port or 5432
        self._upstream: Any = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._port = 0
        self.mend()
        here = url.set(host="127.0.0.1", port=self._port).difference_update_query(["host"])
        self.url = SecretStr(here.render_as_string(hide_password=False))

    def mend(self) -> None:
        """Let connections through, on the same port as ever."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end those there are."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        until(lambda: not self._open)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here = listener.accept()[0]
                there = socket.socket(socket.AF_UNIX if isinstance(self._upstream, str) else socket.AF_INET)
                there.connect(self._upstream)
                self._open |= {here, there}
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)
