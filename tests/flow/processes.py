"""The system's processes, as those find them who stop and kill them."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flow.town import Town


def children(town: Town, words: str) -> list[int]:
    """Find the system's processes by words of their command."""
    remembered = json.loads((town.system.home / "children").read_text())
    return [int(pid) for pid in remembered if words in command(int(pid))]


def command(pid: int) -> str:
    """Give a process's command; nothing of one that has ended."""
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""


def workers(town: Town) -> list[int]:
    """Find the processes that runs work in, or will."""
    [broker] = children(town, "discubot_pipeline.warm")
    return [int(pid) for pid in Path(f"/proc/{broker}/task/{broker}/children").read_text().split()]


@contextmanager
def resting(*pids: int) -> Iterator[None]:
    """Let processes stand still inside the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
