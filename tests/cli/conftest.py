"""A state folder whose database is deleted afterwards, and another process that owns it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from discubot_pipeline.cli.postgres import EmbeddedPostgres
from tests.cli.commands import Shell

HOLD = """
import sys
from pathlib import Path
from discubot_pipeline.cli.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Give a state folder and delete its database, wherever it is, afterwards."""
    path = tmp_path / "state"
    yield path
    EmbeddedPostgres(path).remove()


@pytest.fixture
def owner(state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give another process that runs the database of the state folder."""
    command = [sys.executable, "-c", HOLD, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield process
        process.kill()


@pytest.fixture
def shell(engine: sa.Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a way to call `discubot` on an empty database."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", database_url)
    monkeypatch.setenv("DISCUBOT_HOME", str(tmp_path))
    return Shell()
