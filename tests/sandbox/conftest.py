"""Fixtures of the sandbox's tests: one server for all, a fresh world for each."""

from collections.abc import Iterator

import pytest

from .harness import TEAM, Figma, Json, Receiver, Sandbox, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run the real app for the whole session."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def sandbox(server: Server) -> Iterator[Sandbox]:
    """Give each test a world of its own by a reset."""
    client = Sandbox(server.url)
    yield client
    client.http.close()


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Listen for events of the default workspace, with short retries."""
    listening = Receiver()
    settings = {"events_url": listening.url, "retry_delays": [0, 0.05, 0.1]}
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", settings)
    yield listening
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"events_url": None})
    sandbox.control("POST", "/reset")
    listening.stop()


@pytest.fixture
def figma(sandbox: Sandbox) -> Figma:
    """Give a client."""
    return Figma(sandbox)


@pytest.fixture
def listener(sandbox: Sandbox) -> Iterator[Receiver]:
    """Listen for requests."""
    listening = Receiver()
    yield listening
    sandbox.control("POST", "/reset")
    listening.stop()


@pytest.fixture
def subscription(sandbox: Sandbox, listener: Receiver) -> Json:
    """Subscribe the default connection, with short retries, and enter its token."""
    new = {"token": sandbox.notion_token, "url": listener.url, "retry_delays": [0, 0.05]}
    made: Json = sandbox.control("POST", "/notion/subscriptions", new)
    headers, body = listener.next()
    assert body == {"verification_token": made["verification_token"]}
    assert "x-notion-signature" not in headers
    assert made["handshake"]["status"] == 200
    sandbox.control("POST", f"/notion/subscriptions/{made['id']}/verify", body)
    return made
