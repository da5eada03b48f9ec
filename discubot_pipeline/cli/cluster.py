"""A PostgreSQL data folder: making one, clearing what a killed server has left. Called by `postgres.py`."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from discubot_pipeline.cli.account import Account, hand_over
from discubot_pipeline.cli.binaries import run
from discubot_pipeline.cli.ports import StartupError

INITDB = (
    "--username=postgres",  # the superuser: without password and line in pg_hba.conf, so it can never log in
    "--auth=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
)


def create_cluster(install: Path, data: Path, *, role: str, password: str, account: Account | None) -> None:
    """Make a data folder with a role and a database of its name; only this role may log in, by its password.

    It appears under its name when it is complete, so that a start that was killed is simply done again.
    """
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    maker, group = (account.maker, account.number) if account else (None, None)
    if account:
        os.chown(unfinished, account.maker, account.number)
    run([install / "initdb", "-D", unfinished, *INITDB], user=maker, group=group)
    server: list[str | Path] = [install / "postgres", "--single", "-D", unfinished]
    run(
        [*server, "-c", "exit_on_error=on", "postgres"],
        said=_first_statements(role, password),
        user=maker,
        group=group,
    )
    (unfinished / "pg_hba.conf").write_text(f"local all {role} scram-sha-256\n")
    if account:
        hand_over(unfinished, account.number)
    unfinished.rename(data)


def _first_statements(role: str, password: str) -> str:
    """Return what the server is told on its standard input before it ever listens; one statement a line."""
    return (
        f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}'\n"
        f"CREATE DATABASE {role} OWNER {role}\n"
        f"REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC\n"
    )


def clear_survivors(data: Path, socket_folder: Path) -> None:
    """End a server that outlived its killed owner; remove lock files that would keep a new one from starting.

    The caller owns the state folder, so no rightful server runs. PostgreSQL refuses to start when the process
    number in its lock file belongs to any other program by now, so that file goes once no server is left; a
    file whose process is gone stays, because PostgreSQL checks by it that no shared memory is in use.
    """
    server = _recorded_process(data)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _end(data, server, number, patience=10):
            break
    else:
        raise StartupError(f"A PostgreSQL of an earlier run uses {data} and does not end: end it yourself")
    if server is not None and _is_alive(server):
        (data / "postmaster.pid").unlink(missing_ok=True)
    for leftover in socket_folder.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _end(data: Path, server: int | None, number: signal.Signals, patience: float) -> bool:
    """Signal the server, or its orphans when it is gone; tell whether any is left after the patience."""
    left = _processes_on(data, server)
    if number is signal.SIGINT and server not in left:
        return bool(left)  # orphans take SIGINT as the order to cancel a query: go on with the next signal
    for process in [server] if server in left else left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = _processes_on(data, server)
    return bool(left)


def _processes_on(data: Path, server: int | None) -> set[int]:
    """Return the processes of a PostgreSQL on this data folder, each of which has it as working folder."""
    if not data.exists():
        return set()
    if sys.platform == "linux":
        return set(_working_in(data))
    command = ["ps", "-o", "command=", "-p", str(server or 0)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {server} if server and "postgres" in told and str(data) in told else set()


def _working_in(data: Path) -> Iterator[int]:
    place = data.stat()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # ended meanwhile, or of another user
            is_here = entry.name.isdecimal() and os.path.samestat((entry / "cwd").stat(), place)
            if is_here and (entry / "exe").readlink().name.startswith("postgres"):
                yield int(entry.name)


def _recorded_process(data: Path) -> int | None:
    """Return the process number in the server's lock file."""
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
