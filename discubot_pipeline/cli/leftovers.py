"""Children of an owner that was killed: remembered in a file while they run, ended by the next owner of the
state folder. Most end by themselves (child.py); this is for the rest, and macOS. Called by `processes.py`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

PATIENCE = timedelta(seconds=5)
RECORD = "children"  # in the state folder


def remember(state: Path, processes: Iterable[int]) -> None:
    """Write down the process groups that run now, each with its birth to know it from a later namesake."""
    record = state / RECORD
    pending = record.with_suffix(".new")
    pending.write_text(json.dumps({str(process): birth(process) for process in processes}))
    pending.replace(record)


def end_leftovers(state: Path) -> None:
    """End the process groups of the record that still run: asked first, killed after five seconds.

    The caller owns the state folder, so no rightful owner of them runs.
    """
    record = state / RECORD
    try:
        remembered = {int(process): born for process, born in json.loads(record.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return  # none, or cut off by a crash: nothing that could be trusted
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = _still(remembered)
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process, number)
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while _still(left) and time.monotonic() < deadline:
            time.sleep(0.02)
    record.unlink(missing_ok=True)


def _still(processes: dict[int, str]) -> dict[int, str]:
    return {process: born for process, born in processes.items() if born and birth(process) == born}


def birth(process: int) -> str:
    """Return when a process was born, in a form only good for comparing; empty when it does not run."""
    if sys.platform != "linux":
        command = ["ps", "-o", "lstart=", "-p", str(process)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if words[0] == "Z" else words[19]  # state and starttime of proc_pid_stat(5)
