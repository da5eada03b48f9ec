"""What is left of a killed server, a killed owner or a killed first start, and the next start."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from discubot_pipeline.cli.leftovers import birth
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.cli.processes import Supervisor
from tests.cli.real import eventually, server_process, values, write


def test_start_after_the_server_was_killed(state: Path) -> None:
    """The lock file that a killed server has left does not keep the next one from starting."""
    with EmbeddedPostgres(state) as postgres:
        write(postgres, "committed")
        os.kill(server_process(postgres), signal.SIGKILL)
    assert (postgres.data / "postmaster.pid").exists()
    with EmbeddedPostgres(state) as postgres:
        assert values(postgres) == ["committed"]


def test_start_after_the_process_number_went_to_another_program(state: Path) -> None:
    """A lock file that names an innocent process is removed and the process is left alone."""
    postgres = EmbeddedPostgres(state)
    user = postgres.program().user
    with subprocess.Popen(["sleep", "60"], user=user) as innocent:
        record = postgres.data / "postmaster.pid"
        record.write_text(f"{innocent.pid}\n{postgres.data}\n")
        os.chown(record, postgres.data.stat().st_uid, postgres.data.stat().st_gid)
        postgres.start()
        assert postgres.is_running
        assert innocent.poll() is None
        postgres.stop()
        innocent.kill()


def test_start_ends_a_server_that_outlived_its_owner(state: Path) -> None:
    """A server that still runs, though nobody owns the folder, is shut down before a new one starts."""
    postgres = EmbeddedPostgres(state)
    program = postgres.program()
    with subprocess.Popen(
        program.command,
        env=program.env,
        cwd="/",
        user=program.user,
        group=program.user,
        start_new_session=True,
    ) as survivor:
        while not postgres.is_running:
            assert survivor.poll() is None
        write(postgres, "kept")
        postgres.stop()
        with EmbeddedPostgres(state) as successor:
            assert survivor.wait(10) == 0
            assert server_process(successor) != survivor.pid
            assert values(successor) == ["kept"]


def test_start_after_the_owner_was_killed(state: Path, owner: subprocess.Popen[bytes]) -> None:
    """A kill -9 of the owner ends the server too, and the folder is free for the next."""
    write(EmbeddedPostgres(state), "kept")
    before = server_process(EmbeddedPostgres(state))
    owner.kill()
    eventually(lambda: birth(before) == "")
    with EmbeddedPostgres(state) as postgres:
        assert values(postgres) == ["kept"]
        assert server_process(postgres) != before


def test_supervised_server_comes_back(state: Path) -> None:
    """The supervisor restarts a killed server, and its data is there."""
    postgres = EmbeddedPostgres(state)
    with Supervisor([postgres.program()], state=state):
        write(postgres, "kept")
        before = server_process(postgres)
        os.kill(before, signal.SIGKILL)
        eventually(lambda: postgres.is_running and server_process(postgres) != before)
        assert values(postgres) == ["kept"]
    assert not postgres.is_running
    postgres.stop()


def test_first_start_that_was_killed_is_done_again(state: Path) -> None:
    """Neither a half-made database nor one whose password has not got its name yet stands in the way."""
    password = state / "postgres" / "password"
    with EmbeddedPostgres(state) as postgres:
        write(postgres, "kept")
    password.rename(password.with_suffix(".new"))
    with EmbeddedPostgres(state) as postgres:
        assert values(postgres) == ["kept"]
    password.rename(password.with_suffix(".new"))
    postgres.data.rename(postgres.home / "data.unfinished")
    with EmbeddedPostgres(state) as postgres, pytest.raises(psycopg.errors.UndefinedTable):
        values(postgres)
