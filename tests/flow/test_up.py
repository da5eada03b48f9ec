"""`discubot up` as a person runs it: one owner of a state folder, a clean end, and a start after anything."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from discubot_pipeline.cli.leftovers import birth
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from tests.flow.runs import eventually

READY = "Ctrl-C stops."
LONGEST_STOP = 12.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@dataclass(frozen=True)
class Home:
    """A state folder, and the ports of the system in it."""

    path: Path
    ports: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        """Give the environment of a command on this state."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DISCUBOT_", "DAGSTER_"))}
        clean.pop("PYTHONDONTWRITEBYTECODE", None)
        return clean | {"DISCUBOT_HOME": str(self.path), "PYTHONUNBUFFERED": "1"} | self.ports

    def up(self) -> "subprocess.Popen[str]":
        """Start the system and wait until it says that it is up."""
        process = self.start()
        assert process.stdout is not None
        said = ""
        while READY not in said and (line := process.stdout.readline()):
            said += line
        if READY not in said:
            process.communicate()
        assert READY in said, f"`up` ended with {process.returncode}: {said}"
        return process

    def start(self) -> "subprocess.Popen[str]":
        """Start the system."""
        command = [sys.executable, "-m", "discubot_pipeline.cli.main", "up"]
        return subprocess.Popen(
            command,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def refused(self) -> str:
        """Try to start the system where that cannot be; gives what it says."""
        with self.start() as process:
            said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        return said

    def processes(self) -> dict[int, str]:
        """Find every process that lives with this state: by its environment, or by its command."""
        return {pid: words for pid in pids() if (words := command(pid)) and str(self.path) in words + environment(pid)}


def pids() -> list[int]:
    """List all processes but this one."""
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()
    ]


def command(pid: int) -> str:
    """Give a process's command; nothing of one that has ended."""
    return facts(pid, "cmdline") if birth(pid) else ""


def environment(pid: int) -> str:
    """Give a process's environment, as far as we may see it."""
    return facts(pid, "environ")


def facts(pid: int, name: str) -> str:
    """Read what the kernel knows of a process."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Give a state folder of its own, and leave nothing of it behind."""
    ports = {f"DISCUBOT_{name}_PORT": str(free_port()) for name in ("WEB", "RECEIVER")}
    home = Home(tmp_path / "state", ports)
    yield home
    for pid in home.processes():
        os.kill(pid, signal.SIGKILL)
    EmbeddedPostgres(home.path).remove()


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
    with socket.create_server(("127.0.0.1", int(home.ports[f"DISCUBOT_{which}_PORT"]))):
        said = home.refused()
    assert len(said.splitlines()) == 1
    assert home.ports[f"DISCUBOT_{which}_PORT"] in said
    assert f"DISCUBOT_{which}_PORT" in said
    assert not home.processes()
