"""Fixtures of the sandbox's tests: one server for all, a fresh world for each."""

from collections.abc import Iterator

import pytest

from .harness import TEAM, Figma, Receiver, Sandbox, Server


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
