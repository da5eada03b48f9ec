"""Fixtures of the model adapter's tests."""

import socket

import pytest


@pytest.fixture
def unused_tcp_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
