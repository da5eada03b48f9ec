"""What must be free before anything starts: the state folder and the TCP ports. Called by the commands and by
`postgres.py`; every failure is a `StartupError` whose text tells a person what to do.
"""

import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

HOME_SETTING = "DISCUBOT_HOME"


class StartupError(Exception):
    """Say in one sentence why nothing was started and what to do; commands print it without a traceback."""


def state_folder(path: Path) -> Path:
    """Return the absolute state folder, made with mode 0700 if it is missing, proven to be writable."""
    path = path.expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        advice = f"choose a folder that you may write to with {HOME_SETTING}"
        raise StartupError(f"State folder {path} cannot be used ({error.strerror}): {advice}") from error


class StateLock:
    """Ownership of a state folder by one process. The kernel ends it when the owner dies, however it dies."""

    def __init__(self, state: Path) -> None:
        self._state = state.expanduser().absolute()
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Tell whether this object owns the folder."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the folder, or raise StartupError naming the process that has it. Twice is harmless."""
        if self.is_held:
            return
        path = state_folder(self._state) / "lock"
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            advice = f"does it belong to you? Choose another folder with {HOME_SETTING}"
            raise StartupError(f"{path} cannot be opened ({error.strerror}): {advice}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise StartupError(
                f"discubot is already running (process {owner}) in state folder {self._state}: "
                f"stop it or choose another folder with {HOME_SETTING}"
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Give the folder back. The file stays: removing it would let two owners lock two different files."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def require_free_port(host: str, port: int, what: str, setting: str) -> None:
    """Raise StartupError unless `what` can listen there; `setting` is the name of the setting to change."""
    if port not in range(65536):
        raise StartupError(f"{port} ({what}) is not a port: set {setting} to a number below 65536")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise StartupError(_explain(error, host, port, what, setting)) from error


def _explain(error: OSError, host: str, port: int, what: str, setting: str) -> str:
    """Name the way out for each way in which a port cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} ({what}) is taken by another program: stop it or set {setting}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} ({what}) is reserved by the system: set {setting} to a port above 1023"
    return f"{what} cannot listen on {host} port {port} ({error}): set {setting} or its host"


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
