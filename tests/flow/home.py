"""A state folder with a `discubot up` of its own on it, as a person runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from discubot_pipeline.cli.leftovers import birth

READY = "Ctrl-C stops."
LONGEST_STOP = 12.0


@dataclass(frozen=True)
class Home:
    """A state folder, and what the system in it is told: variables of its environment."""

    path: Path
    settings: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        """Give the environment of a command on this state."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DISCUBOT_", "DAGSTER_"))}
        clean.pop("PYTHONDONTWRITEBYTECODE", None)
        return clean | {"DISCUBOT_HOME": str(self.path), "PYTHONUNBUFFERED": "1"} | self.settings

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

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """Keep the system up inside the block, and stop it as an init system does, if the block has not."""
        with self.up() as process:
            try:
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=LONGEST_STOP)

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
