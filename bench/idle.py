"""What the system costs while there is nothing to do: processor time and memory, without PostgreSQL's."""

import argparse
import time
from pathlib import Path

from bench.arena import arena, machine, tell
from bench.memory import cpu_seconds, processes, pss_kb, pss_mb

SECONDS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"how long to look on ({SECONDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures."""
    with arena() as place:
        began, before = time.monotonic(), cpu_seconds(place.system)
        time.sleep(options.seconds)
        used, passed = cpu_seconds(place.system) - before, time.monotonic() - began
        figures = {
            "seconds": options.seconds,
            "cpu_percent": round(100 * used / passed, 1),
            "pss_mb": round(pss_mb(place.system)),
        }
        for folder in processes(place.system):
            name = " ".join((folder / "cmdline").read_bytes().decode().split("\0")[1:4])
            print(f"  {pss_kb(folder) / 1024:6.0f} MB  {name}")
    return tell(machine() | figures, options.json)
