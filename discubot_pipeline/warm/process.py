"""Who a process is: its number alone says little, since numbers are used again."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE_KB = 4


class Identity(NamedTuple):
    """A process and its birth, which nobody shares with it: also not after the machine was started again."""

    pid: int
    born: str

    @property
    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """Say who a process is; None when it does not run (any more)."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = words[0], words[19]  # of proc_pid_stat(5)
    return None if state in "ZX" else Identity(pid, f"{boot()}:{started}")


@cache
def boot() -> str:
    """Name this start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def private_mb() -> float:
    """Measure the memory of this process that it shares with no file, in MB."""
    resident, shared = Path("/proc/self/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * PAGE_KB / 1024
