"""Real programs and databases for the tests of this folder, and how to wait for what they do."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from discubot_pipeline.cli.child import Program
from discubot_pipeline.cli.leftovers import birth
from discubot_pipeline.cli.postgres import EmbeddedPostgres

ENV = {"PATH": "/usr/bin:/bin"}
STUBBORN = "trap '' TERM; touch $0; while :; do sleep 0.05; done"
OWNER = """
import signal
import sys
from datetime import timedelta
from pathlib import Path
from discubot_pipeline.cli.processes import Program, Supervisor
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # should the tests run under nohup
state, script = Path(sys.argv[1]), sys.argv[2]
mark = state / "mark"
program = Program("child", ["/bin/sh", "-c", script, str(mark)], {"PATH": "/usr/bin:/bin"}, mark.exists,
                  grace=timedelta(seconds=60))
with_time = timedelta(seconds=100)
Supervisor([program], state=state, patience=with_time, on_event=lambda event: print(event, flush=True)).run()
print("done", flush=True)
"""


def shell(name: str, script: str, *words: Path) -> Program:
    """Return a program that runs a script of the shell, with the words as $0, $1, ..."""
    return Program(name, ["/bin/sh", "-c", script, *map(str, words)], ENV)


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Return when the condition holds, fail when it does not in time."""
    never, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        never.wait(0.01)


def is_running(process: int | None) -> bool:
    """Tell whether a process lives, a zombie not counted."""
    return process is not None and birth(process) != ""


def write(postgres: EmbeddedPostgres, value: str) -> None:
    """Store a value in a table of its own."""
    with psycopg.connect(postgres.conninfo()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def values(postgres: EmbeddedPostgres) -> list[str]:
    """Read what `write` has stored."""
    with psycopg.connect(postgres.conninfo()) as connection:
        return [str(row[0]) for row in connection.execute("SELECT value FROM kept")]


def server_process(postgres: EmbeddedPostgres) -> int:
    """Return the number of the server's process."""
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def own(state: Path, script: str) -> subprocess.Popen[str]:
    """Start another process that supervises one shell script; return when the script has made its mark."""
    state.mkdir(exist_ok=True)
    command = [sys.executable, "-c", OWNER, str(state), script]
    owner = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "child starting\n"
    assert owner.stdout.readline().startswith("child ready")
    return owner


def child_of(state: Path) -> int:
    """Return the process that the supervisor in this state folder has written down."""
    return int(re.findall(r'"(\d+)"', (state / "children").read_text())[0])
