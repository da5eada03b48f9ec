"""The shared client: what was never sent, what got no answer, and what must wait are told apart."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest

from discubot_pipeline.adapters.http import Service, is_local
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from discubot_pipeline.domain.meters import Meter, tally

REQUEST_SIZE = 65536


@contextmanager
def server(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answer every connection with the same bytes and close it; gives the address and what was received."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(REQUEST_SIZE))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def head(status: str, *lines: str) -> bytes:
    """Write an answer without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", "connection: close", *lines, "", ""]).encode()


def test_what_cannot_be_reached_was_never_sent() -> None:
    """A refused connection is Transient and not Unanswered: doing it again cannot do it twice."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Service("Tool", f"http://127.0.0.1:{port}", {}) as service, pytest.raises(Transient) as verdict:
        service.call("POST", "/x")
    assert verdict.value.reason == "unreachable" and not isinstance(verdict.value, Unanswered)


def test_a_lost_answer_is_unknown() -> None:
    """A connection that closes without an answer may have done its work."""
    with server(b"") as (url, received), Service("Tool", url, {}) as service:
        with pytest.raises(Unanswered):
            service.call("POST", "/x", json={})
        assert len(received) == 1


def test_a_late_answer_is_unknown() -> None:
    """No answer within the patience is Unanswered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Service("Tool", url, {}, patience=0.2) as service, pytest.raises(Unanswered):
            service.call("GET", "/x")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "529 Overloaded"])
def test_a_pause_is_read_off_the_answer(status: str) -> None:
    """429 and 529 are Transient with the service's own Retry-After."""
    with server(head(status, "retry-after: 12")) as (url, _), Service("Tool", url, {}) as service:
        with pytest.raises(Transient) as verdict:
            service.call("GET", "/x")
    assert verdict.value.retry_after == timedelta(seconds=12)


@pytest.mark.parametrize("wait", ["soon", "inf", "-1e400", ""])
def test_a_senseless_pause_is_none(wait: str) -> None:
    """A Retry-After that is no number of seconds is no Retry-After."""
    with server(head("429 Too Many Requests", f"retry-after: {wait}")) as (url, _), Service("Tool", url, {}) as service:
        with pytest.raises(Transient) as verdict:
            service.call("GET", "/x")
    assert verdict.value.retry_after is None


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Internal Server Error"])
def test_all_else_is_for_the_adapter(status: str) -> None:
    """Other answers are given as they are."""
    with server(head(status)) as (url, _), Service("Tool", url, {}) as service:
        assert service.call("GET", "/x").status_code == int(status[:3])


def test_a_refusal_may_be_read_closer() -> None:
    """An adapter may turn a 429 into another verdict."""

    def blocked(_: object) -> Permanent:
        return Permanent("blocked", "for good")

    with server(head("429 Too Many Requests")) as (url, _), Service("Tool", url, {}, refusal=blocked) as service:
        with pytest.raises(Permanent):
            service.call("GET", "/x")


def test_every_call_waits_for_its_place() -> None:
    """The pace is asked before each call."""
    calls: list[int] = []
    with server(head("200 OK")) as (url, _), Service("Tool", url, {}, partial(calls.append, 1)) as service:
        service.call("GET", "/x")
        service.call("GET", "/x")
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8010", True),
        ("http://localhost/x", True),
        ("http://[::1]:1", True),
        ("https://slack.com", False),
    ],
)
def test_this_machine_needs_no_proxy(url: str, local: bool) -> None:
    """A proxy of the environment is used for the world, never for loopback."""
    assert is_local(url) is local


def test_each_call_is_counted_by_how_it_was_answered() -> None:
    """By its status, or by why there is none."""
    tally.take()
    with server(head("404 Not Found")) as (url, _), Service("Tool", url, {}) as service:
        service.call("GET", "/x")
        service.call("GET", "/x")
    with server(b"") as (url, _), Service("Tool", url, {}) as service, pytest.raises(Unanswered):
        service.call("GET", "/x")
    with Service("Tool", url, {}) as service, pytest.raises(Transient):
        service.call("GET", "/x")
    counts = {sum.labels[:2]: amount for sum, amount in tally.take().items() if sum.meter is Meter.CALLS}
    assert counts == {("Tool", "404"): 2, ("Tool", "no_answer"): 1, ("Tool", "unreachable"): 1}
