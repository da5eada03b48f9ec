"""`discubot ingest` against the receiver: a discussion from a file, or from a pipe, becomes a delivery."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.tables import inboxes
from discubot_pipeline.wiring import build
from tests.cli.commands import Shell
from tests.store.samples import rows
from tests.web.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SAID = {"author": "Anna", "text": "It breaks: naïve & 🎉", "sent_at": "2026-11-21T09:00:00Z"}
DISCUSSION = json.dumps({"thread": {"id": "ticket-1"}, "messages": [SAID]}, ensure_ascii=False)


class Stranger:
    """A program that gives everybody the same answer."""

    def __init__(self, status: int, answer: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Run the receiver of this installation, with one generic intake."""
    shell("team", "add", "acme")
    shell("source", "add", "generic", "--signing-secret", SECRET)
    running = Receiver(build(Settings(), pool_size=2))
    monkeypatch.setenv("DISCUBOT_RECEIVER_PORT", str(running.port))
    yield running
    running.stop()
    running.services.engine.dispose()


def test_a_file_and_a_pipe_are_deliveries(shell: Shell, receiver: Receiver, tmp_path: Path) -> None:
    """What is printed names the row that is stored."""
    path = tmp_path / "ticket.json"
    path.write_text(DISCUSSION, encoding="utf-8")
    told = [json.loads(shell("ingest", str(path)).stdout), json.loads(shell("ingest", "-", input=DISCUSSION).stdout)]
    stored = rows(receiver.services.engine, inboxes[SourceType.GENERIC])
    assert [answer["delivery_id"] for answer in told] == [row.id for row in stored]
    assert [answer["status"] for answer in told] == ["accepted", "accepted"]
    assert [(row.thread_id, row.payload["messages"][0]["text"]) for row in stored] == [("ticket-1", SAID["text"])] * 2


def test_several_intakes_must_be_named(shell: Shell, receiver: Receiver) -> None:
    """The message lists them; what is named gets it."""
    shell("source", "add", "generic", "--name", "desk", "--signing-secret", SECRET)
    assert shell.refused("ingest", "-").startswith("name one source; there are: ")
    assert "desk" in shell.refused("ingest", "-", "--source", "nobody")
    assert json.loads(shell("ingest", "-", "--source", "desk", input=DISCUSSION).stdout)["status"] == "accepted"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"thread": {"id": "x"}}'])
def test_what_is_no_discussion_is_refused(shell: Shell, receiver: Receiver, tmp_path: Path, body: bytes) -> None:
    """One sentence says what is wrong, and nothing is stored."""
    path = tmp_path / "broken.json"
    path.write_bytes(body)
    assert len(shell.refused("ingest", str(path)).splitlines()) == 1
    assert rows(receiver.services.engine, inboxes[SourceType.GENERIC]) == []


def test_nobody_at_the_address(shell: Shell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not started the system is told so in one sentence."""
    monkeypatch.setenv("DISCUBOT_RECEIVER_PORT", str(free_port()))
    told = shell.refused("ingest", "-")
    assert "The receiver" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("answer", [b"<html>Welcome</html>", b"[]", b'{"detail": "hello"}', b""])
@pytest.mark.parametrize("status", [200, 404])
def test_another_program_at_the_address(
    shell: Shell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, status: int, answer: bytes
) -> None:
    """Its answer is none of ours, and is said to be none."""
    with closing(Stranger(status, answer)) as stranger:
        monkeypatch.setenv("DISCUBOT_RECEIVER_PORT", str(stranger.port))
        assert shell.refused("ingest", "-").startswith(f"the receiver's address answered {status}, but not as")
