"""The ports and the state folder: free, taken, impossible."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from discubot_pipeline.cli.ports import StartupError, StateLock, free_port, require_free_port


def test_taken_port_is_a_clear_error() -> None:
    """A port in use names the port, its use and the setting; a free one passes."""
    port = free_port()
    require_free_port("127.0.0.1", port, "receiver", "DISCUBOT_RECEIVER_PORT")
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(StartupError) as caught:
            require_free_port("127.0.0.1", port, "receiver", "DISCUBOT_RECEIVER_PORT")
        wanted = f"Port {port} (receiver) is taken by another program: stop it or set DISCUBOT_RECEIVER_PORT"
        assert str(caught.value) == wanted


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("192.0.2.1", 8000), ("no such host", 8000)])
def test_impossible_address_is_a_clear_error(host: str, port: int) -> None:
    """An address that cannot be ours names the setting too."""
    with pytest.raises(StartupError, match=r"receiver.*set DISCUBOT_RECEIVER_PORT"):
        require_free_port(host, port, "receiver", "DISCUBOT_RECEIVER_PORT")


def test_state_lock_ends_with_its_owner(tmp_path: Path) -> None:
    """The folder of a killed owner can be taken; while the owner lives its number is named."""
    script = (
        "import sys, pathlib; from discubot_pipeline.cli.ports import StateLock\n"
        "lock = StateLock(pathlib.Path(sys.argv[1])); lock.acquire()\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(StartupError, match=rf"already running \(process {owner.pid}\)"):
            StateLock(tmp_path).acquire()
        owner.kill()
    with StateLock(tmp_path) as lock:
        assert lock.is_held
    assert not lock.is_held
