"""`discubot up` as a person runs it: one owner of a state folder, a clean end, and a start after anything."""

import socket
import sys
import time

import pytest

from tests.flow.home import LONGEST_STOP, Home
from tests.flow.runs import eventually

pytestmark = [pytest.mark.processes, pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")]


def test_up_has_one_owner_survives_its_murder_and_ends_clean(home: Home) -> None:
    """A second `up` is refused with one sentence; after SIGKILL a new one just works; SIGTERM leaves nothing."""
    with home.up() as first:
        refusal = home.refused()
        assert f"already running (process {first.pid})" in refusal
        assert "Traceback" not in refusal
        assert len(refusal.splitlines()) == 1
        first.kill()
    with home.up() as second:
        assert len(home.processes()) >= 5
        began = time.monotonic()
        second.terminate()
        second.communicate(timeout=LONGEST_STOP)
        assert time.monotonic() - began < LONGEST_STOP
        assert second.returncode == 0
    assert eventually(lambda: not home.processes(), "all processes to be gone", 1)


@pytest.mark.parametrize("which", ["WEB", "RECEIVER"])
def test_a_port_that_is_taken_is_said_in_one_sentence(home: Home, which: str) -> None:
    """The sentence names the port and the setting that changes it; nothing has been started."""
    with socket.create_server(("127.0.0.1", int(home.settings[f"DISCUBOT_{which}_PORT"]))):
        said = home.refused()
    assert len(said.splitlines()) == 1
    assert home.settings[f"DISCUBOT_{which}_PORT"] in said
    assert f"DISCUBOT_{which}_PORT" in said
    assert not home.processes()
