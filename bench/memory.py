"""Memory and processor time of a system's processes: all that have its state folder in their environment."""

import os
from collections.abc import Iterator
from pathlib import Path

from discubot_pipeline.cli.system import System

TICKS = os.sysconf("SC_CLK_TCK")


def processes(system: System) -> Iterator[Path]:
    """List the folders in /proc of the system's processes; PostgreSQL's and the sandbox's are left out."""
    mark = f"DISCUBOT_HOME={system.home}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in environment.split(b"\0") and b"discubot_pipeline.sandbox" not in command:
            yield folder


def pss_mb(system: System) -> float:
    """Sum the proportional set size of a system's processes, in MB: what they share is counted once."""
    return sum(pss_kb(folder) for folder in processes(system)) / 1024


def pss_kb(folder: Path) -> int:
    """Read the proportional set size of a process; 0 when it has ended."""
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def cpu_seconds(system: System) -> float:
    """Sum the processor time of a system's processes and of those of their children that have ended."""
    return sum(ticks(folder) for folder in processes(system)) / TICKS


def ticks(folder: Path) -> int:
    """Read the processor time of a process and its dead children; 0 when it has ended."""
    try:
        words = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(word) for word in words[11:15])
