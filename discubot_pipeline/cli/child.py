"""One child process that never outlives us: what to run, when it is ready, where its output goes, how it
ends. Called by `processes.py` for all programs and by `postgres.py` for its server.
"""

import contextlib
import ctypes
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from discubot_pipeline.cli.ports import StartupError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL = 0.05  # seconds between two looks at a process
LARGEST_LOG = 10_000_000  # bytes, looked at when a program starts; one older file is kept
FORCE_PATIENCE = timedelta(seconds=2)

_log = logging.getLogger(__name__)


def nothing() -> None:
    """Do nothing: the hook of whoever needs none."""


@dataclass(frozen=True)
class Program:
    """One child: what to run, when it counts as ready and how it is stopped.

    To stop it: `stop_signal`, after `grace` `escalation`, then SIGKILL. `before_start` runs before a start,
    `wake` right after the stop signal, for a child that waits for something which we can cause. `user` is a
    number, taken as user and group; only root may set it. The environment is exactly `env`. A program that is not
    `needed` is not started; it is asked again every few seconds. One that `stops_early` is told before the others.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool] = lambda: True
    needed: Callable[[], bool] = lambda: True
    ready_timeout: timedelta = timedelta(seconds=60)
    stop_signal: signal.Signals = signal.SIGTERM
    escalation: signal.Signals = signal.SIGKILL
    grace: timedelta = timedelta(seconds=5)
    cwd: Path | None = None
    user: int | None = None
    before_start: Callable[[], None] = nothing
    wake: Callable[[], None] = nothing
    stops_early: bool = False


def accepts(path: Path) -> Callable[[], bool]:
    """Return a readiness probe: somebody accepts connections on this Unix socket."""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(path))
            return True
        return False

    return probe


def answers(url: str) -> Callable[[], bool]:
    """Return a readiness probe: GET of this http address gives 200. It never goes through a proxy."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def probe() -> bool:
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls between fork and exec to get the signal when we die; None where unsupported.

    Popen calls it after the change of user, which would clear the setting. The kernel ties it to the *thread*
    that forked: start a child from a thread that lives at least as long as the child.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm


def call_briefly(hook: Callable[[], None], patience: timedelta = timedelta(seconds=1)) -> None:
    """Call a hook that must not hold up a stop: errors are logged, after the patience we go on without it."""

    def guarded() -> None:
        try:
            hook()
        except Exception as error:
            _log.warning("stop_hook_failed error=%s", type(error).__name__)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(patience.total_seconds())


class Child:
    """A program and its current process; its output goes to `<logs>/<name>.log`."""

    def __init__(self, program: Program, logs: Path) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self.log_start = 0  # where in the log the output of the current process begins
        self._process: subprocess.Popen[bytes] | None = None
        self._group: int | None = None
        self._born = 0.0

    @property
    def pid(self) -> int | None:
        """Return the number of the current or last process, which is also that of its group."""
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        """Tell whether the process runs; asking reaps a dead one."""
        return self._process is not None and self._process.poll() is None

    @property
    def age(self) -> timedelta:
        """Return the time since the last start."""
        return timedelta(seconds=time.monotonic() - self._born)

    @property
    def verdict(self) -> str:
        """Say how the process ended: `with exit code 1`, `by SIGKILL`."""
        code = self._process.returncode if self._process else None
        known = code is not None and -code in set(signal.Signals)
        return f"by {signal.Signals(-code).name}" if known and code else f"with exit code {code}"

    def start(self) -> None:
        """Run `before_start`, bound the log and start the process; StartupError when it cannot be run."""
        self._born = time.monotonic()
        try:
            self.program.before_start()
            with self._open_log() as log:
                self._process = self._spawn(log)
            self._group = self._process.pid
        except (OSError, subprocess.SubprocessError) as error:
            raise StartupError(f"{self.program.name} cannot be started: {error}") from error

    def wait_until_ready(self, meanwhile: Callable[[], None] = nothing) -> None:
        """Return when the program is ready; StartupError with the end of its log when it dies or is late."""
        while self.is_alive and not self.program.ready():
            if self.is_late:
                raise StartupError(f"{self.program.name} was not ready in time. {self.tail()}")
            meanwhile()
            time.sleep(POLL)
        if not self.is_alive:
            raise StartupError(f"{self.program.name} ended {self.verdict} before it was ready. {self.tail()}")

    @property
    def is_late(self) -> bool:
        """Tell whether a program that is not ready has had its time."""
        return self.age > self.program.ready_timeout

    def tail(self, lines: int = 15) -> str:
        """Return the last lines that the current process has written, with the place of the log."""
        with self.log.open("rb") as file:
            file.seek(max(self.log_start, file.seek(0, os.SEEK_END) - 20_000))
            last = file.read().decode(errors="replace").splitlines()[-lines:]
        return "\n".join([f"Its log {self.log} {'ends with:' if last else 'is empty.'}", *last])

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self.is_alive:
            self._send(self.program.stop_signal)

    def stop(self, patience: timedelta | None = None) -> None:
        """Stop within the patience (the program's grace unless given), then by force, the whole group."""
        if self.is_alive:
            self._send(self.program.stop_signal)
            if self.program.wake is not nothing:
                call_briefly(self.program.wake)
            if not self._ends_within(self.program.grace if patience is None else patience):
                self._send(self.program.escalation)
                self._ends_within(FORCE_PATIENCE)
        self.end_group()

    def end_group(self) -> None:
        """Kill what is left of the process and of its group, whose number may belong to others afterwards."""
        self.strike()
        self._group = None
        self._ends_within(FORCE_PATIENCE)

    def strike(self) -> None:
        """Send SIGKILL to the group and return at once: all that a signal handler may do."""
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _ends_within(self, patience: timedelta) -> bool:
        deadline = time.monotonic() + patience.total_seconds()
        while self.is_alive and time.monotonic() < deadline:
            time.sleep(POLL / 5)
        return not self.is_alive

    def _open_log(self) -> IO[bytes]:
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.log_start = os.fstat(file).st_size
        return open(file, "ab")

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that Ctrl-C in the terminal reaches only us."""
        program = self.program
        return subprocess.Popen(
            list(program.command),
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=program.user,
            group=program.user,
            extra_groups=None if program.user is None else [],
            preexec_fn=die_with_parent(program.stop_signal),  # noqa: PLW1509 - two system calls, no lock
        )
