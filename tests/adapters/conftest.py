"""The services behind the adapters: one sandbox process for all of these tests."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest

pytest.register_assert_rewrite("tests.adapters.source_conformance", "tests.adapters.source_harness")

PATIENCE = 200
"""Tries, a tenth of a second apart, until the sandbox must be there."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `url` is its root, and where its control API is."""

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API, as in `control("POST", "/faults", {...})`."""
        response = httpx.request(method, f"{self.url}/sandbox{path}", json=body, trust_env=False, timeout=30)
        assert response.is_success, response.text
        return response.json()

    @contextmanager
    def fault(self, **fault: object) -> Iterator[None]:
        """Arm a fault for the length of a block."""
        fault_id = self.control("POST", "/faults", fault)["id"]
        try:
            yield
        finally:
            self.control("DELETE", f"/faults/{fault_id}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Start the sandbox on a free port and stop it when the tests are over."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "discubot_pipeline.sandbox", "--port", port])
    try:
        running = Sandbox(f"http://127.0.0.1:{port}")
        _await(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(sandbox: Sandbox, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(PATIENCE):
        try:
            if httpx.get(f"{sandbox.url}/healthz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            raise AssertionError(f"the sandbox ended with {process.wait(timeout=0.1)}")
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the sandbox did not start")
