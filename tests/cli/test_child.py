"""One child: readiness, environment, log; and the probes that tell when a program is ready."""

import http.server
import os
import socket
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from discubot_pipeline.cli.child import LARGEST_LOG, Child, Program, accepts, answers
from discubot_pipeline.cli.ports import StartupError
from tests.cli.real import eventually, is_running, shell


def test_program_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    """A program that runs but does not become ready in its time is an error, and is ended."""
    late = replace(shell("late", "exec sleep 60"), ready=lambda: False, ready_timeout=timedelta(seconds=0.2))
    child = Child(late, tmp_path / "logs")
    child.start()
    with pytest.raises(StartupError, match="late was not ready in time"):
        child.wait_until_ready()
    assert is_running(child.pid)
    child.stop()
    assert not is_running(child.pid)


def test_child_gets_exactly_its_environment(tmp_path: Path) -> None:
    """Nothing of our own environment leaks into a program."""
    child = Child(Program("env", ["/usr/bin/env"], {"ONLY": "this"}), tmp_path)
    child.start()
    eventually(lambda: not child.is_alive)
    assert child.log.read_text() == "ONLY=this\n"


def test_large_log_is_put_aside_at_the_start(tmp_path: Path) -> None:
    """A log above its bound is renamed to .1, a smaller one is continued."""
    log = tmp_path / "any.log"
    log.write_text("old\n")
    os.truncate(log, LARGEST_LOG + 1)
    child = Child(shell("any", "echo new"), tmp_path)
    for _ in range(2):
        child.start()
        eventually(lambda: not child.is_alive)
    assert log.read_text() == "new\nnew\n"
    assert (tmp_path / "any.log.1").stat().st_size == LARGEST_LOG + 1


def test_probe_of_a_socket(tmp_path: Path) -> None:
    """A Unix socket is ready when somebody accepts, not when its file exists."""
    path = tmp_path / "socket"
    assert not accepts(path)()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert not accepts(path)()
        server.listen()
        assert accepts(path)()
    assert not accepts(path)()


def test_probe_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is ready when it answers 200, directly, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ready?now" else 503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert answers(f"{address}/ready?now")()
        assert not answers(f"{address}/")()
        server.shutdown()
        thread.join()
    assert not answers(f"{address}/ready?now")()
