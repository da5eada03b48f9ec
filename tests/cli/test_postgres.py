"""The embedded PostgreSQL: real servers, as whoever runs the tests, root or not."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from discubot_pipeline.cli.account import FREE_NUMBERS, ROOT_BASE, claim_home
from discubot_pipeline.cli.binaries import public_package
from discubot_pipeline.cli.ports import StartupError, StateLock
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from tests.cli.real import server_process, values, write

IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Give a running database that the tests of this file share."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("shared") / "state") as postgres:
        yield postgres
    postgres.remove()


def test_first_start_makes_the_database(running: EmbeddedPostgres) -> None:
    """A fresh folder gives a UTF-8 database with checksums that keeps UTC and flushes what it commits."""
    with psycopg.connect(running.conninfo()) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()
            for name in ("server_encoding", "data_checksums", "timezone", "fsync", "max_connections")
        }
    assert [row[0] for row in shown.values() if row] == ["UTF8", "on", "UTC", "on", "300"]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_url_works_with_both_drivers(running: EmbeddedPostgres, driver: str) -> None:
    """SQLAlchemy connects by the address as it is, as a role that is no superuser."""
    engine = sqlalchemy.create_engine(running.url(driver))
    with engine.connect() as connection:
        statement = "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(sqlalchemy.text(statement)).one() == ("discubot", False)
    engine.dispose()


def test_psql_works_with_the_environment(running: EmbeddedPostgres) -> None:
    """The wheel's own psql connects by the variables alone."""
    command = [str(running.binary("psql")), "-tAc", "SELECT 'hello'"]
    done = subprocess.run(command, env=running.env(), capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"


def test_restart_keeps_the_data(state: Path) -> None:
    """What was written is there after a stop and a start, under the same address."""
    with EmbeddedPostgres(state) as postgres:
        write(postgres, "before")
        address = postgres.url()
    assert not postgres.is_running
    with EmbeddedPostgres(state) as postgres:
        assert values(postgres) == ["before"]
        assert postgres.url() == address


def test_second_owner_is_refused(state: Path, owner: subprocess.Popen[bytes]) -> None:
    """While one process owns the folder another one is told which, and the server goes on."""
    with pytest.raises(StartupError, match=rf"already running \(process {owner.pid}\).*DISCUBOT_HOME"):
        EmbeddedPostgres(state).start()
    assert EmbeddedPostgres(state).is_running


def test_remove_is_refused_while_somebody_owns_the_folder(state: Path, owner: subprocess.Popen[bytes]) -> None:
    """Nobody can delete the database of a running system."""
    with pytest.raises(StartupError, match="already running"):
        EmbeddedPostgres(state).remove()
    assert EmbeddedPostgres(state).is_running


def test_lock_of_the_caller_is_used_and_kept(state: Path) -> None:
    """A command that owns the folder already starts the server in it and still owns it afterwards."""
    with StateLock(state) as lock:
        with EmbeddedPostgres(state, lock=lock) as postgres:
            assert postgres.is_running
        assert lock.is_held


def test_failed_start_gives_the_folder_back(state: Path) -> None:
    """A server that cannot start says why, and the next attempt is not refused."""
    with pytest.raises(StartupError, match="max_connections"):
        EmbeddedPostgres(state, settings={"max_connections": "none"}).start()
    with EmbeddedPostgres(state) as postgres:
        assert postgres.is_running


def test_long_state_path(tmp_path: Path) -> None:
    """A path that is longer than a socket's address may be works all the same."""
    state = tmp_path / ("long" * 40) / "ü b" / "state"
    postgres = EmbeddedPostgres(state)
    with postgres:
        write(postgres, "far away")
        assert values(postgres) == ["far away"]
        assert mode(postgres.socket_folder) == 0o700
    postgres.remove()
    assert not postgres.socket_folder.exists()


@pytest.mark.parametrize("user", ["discubot", "postgres"])
def test_wrong_password_is_refused(running: EmbeddedPostgres, user: str) -> None:
    """Neither our role nor the superuser lets anybody in who does not know the password."""
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match=r"password|no pg_hba\.conf entry"):
            psycopg.connect(running.conninfo(), user=user, password=password)


def test_server_does_not_listen_on_tcp(running: EmbeddedPostgres) -> None:
    """The server has no TCP socket at all."""
    folder = Path(f"/proc/{server_process(running)}")
    own = {os.readlink(path) for path in (folder / "fd").iterdir()}
    tables = [(folder / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    inodes = {f"socket:[{line.split()[9]}]" for table in tables for line in table}
    assert any(name.startswith("socket:") for name in own)
    assert not own & inodes


def test_log_quotes_neither_statements_nor_values(running: EmbeddedPostgres) -> None:
    """What people wrote in a thread does not reach the log through an error."""
    with psycopg.connect(running.conninfo()) as connection:
        connection.execute("CREATE TABLE once (value text PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once SELECT %s FROM generate_series(1, 2)", ["secret words"])
    log = (running.state / "logs" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "secret words" not in log


def test_lost_data_or_password_is_not_replaced_silently(state: Path) -> None:
    """A database that is gone, or whose password is, is an error and not an empty database."""
    postgres = EmbeddedPostgres(state)
    postgres.prepare()
    postgres.stop()
    elsewhere = postgres.data.rename(postgres.home / "elsewhere")
    with pytest.raises(StartupError, match="is not in"):
        postgres.start()
    elsewhere.rename(postgres.data)
    (state / "postgres" / "password").unlink()
    with pytest.raises(StartupError, match="restore it"):
        postgres.start()


def test_database_of_another_version_is_refused(state: Path) -> None:
    """Data of a PostgreSQL that the wheel does not hold is left alone, with advice."""
    postgres = EmbeddedPostgres(state)
    postgres.prepare()
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartupError, match=r"made by PostgreSQL 12.*pg_dump"):
        postgres.start()


def test_url_before_the_first_start_says_what_to_do(state: Path) -> None:
    """There is no address before there is a database."""
    with pytest.raises(StartupError, match="discubot up"):
        EmbeddedPostgres(state).url()
    assert not EmbeddedPostgres(state).is_running


def test_remove_deletes_everything(state: Path) -> None:
    """A removed database leaves no folder behind, and the next start is a first start."""
    postgres = EmbeddedPostgres(state)
    postgres.start()
    postgres.remove()
    assert not any(path.exists() for path in (postgres.home, postgres.socket_folder, state / "postgres"))
    assert not IS_ROOT or ROOT_BASE.exists()
    with postgres:
        assert postgres.is_running


def mode(path: Path) -> int:
    """Return the permission bits of a file or folder."""
    return stat.S_IMODE(path.lstat().st_mode)


def unusable_folders(tmp_path: Path) -> list[Path]:
    """Return paths that cannot become a state folder: below a file, in a system folder, closed to us."""
    file = tmp_path / "file"
    file.write_text("")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    return [file, file / "below", Path("/proc/discubot"), *([] if IS_ROOT else [closed, closed / "below"])]


def test_unusable_state_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    """Whatever is wrong with the folder, the message names it and the setting, on one line."""
    for path in unusable_folders(tmp_path):
        with pytest.raises(StartupError) as caught:
            EmbeddedPostgres(path).start()
        assert str(path) in str(caught.value)
        assert "DISCUBOT_HOME" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_socket_folder_of_somebody_else_is_refused(state: Path) -> None:
    """A socket folder that is a link or open to others is not used."""
    postgres = EmbeddedPostgres(state)
    postgres.prepare()
    postgres.stop()
    postgres.socket_folder.chmod(0o755)
    with pytest.raises(StartupError, match="mode 0700"):
        postgres.start()
    postgres.socket_folder.rmdir()
    postgres.socket_folder.symlink_to("/tmp")
    with pytest.raises(StartupError, match="mode 0700"):
        postgres.start()
    postgres.socket_folder.unlink()


def test_nobody_else_can_read_anything(running: EmbeddedPostgres) -> None:
    """State, data and socket are closed to other users; for root they belong to a number without a name."""
    state, home, number = running.state, running.home.stat(), running.data.stat().st_uid
    folders = [state, state / "postgres", state / "logs", running.data, running.socket_folder]
    assert {mode(path) for path in folders} == {0o700}
    files = [state / "lock", state / "postgres" / "password", state / "logs" / "postgres.log"]
    assert {mode(path) for path in files} == {0o600}
    assert Path(f"/proc/{server_process(running)}").stat().st_uid == number
    if IS_ROOT:
        assert number in FREE_NUMBERS
        assert number not in {user.pw_uid for user in pwd.getpwall()}
        assert (mode(running.home), home.st_uid, home.st_gid) == (0o710, 0, number)
    else:
        assert number == os.geteuid()


def test_two_databases_run_side_by_side(running: EmbeddedPostgres, state: Path) -> None:
    """Each state folder has a database of its own; for root even its own user number."""
    with EmbeddedPostgres(state) as postgres:
        assert running.is_running
        assert running.url() != postgres.url()
        different = running.data.stat().st_uid != postgres.data.stat().st_uid
    assert different == IS_ROOT


def test_common_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """Root does not put a database where another user could exchange it."""
    tmp_path.chmod(0o777)
    with pytest.raises(StartupError, match="must be a folder of root"):
        claim_home(tmp_path, tmp_path / "home")
    assert mode(tmp_path) == 0o777


def test_copy_of_the_programs_is_public_and_complete(tmp_path: Path) -> None:
    """The copy that root makes can be read by every user, runs, and is made once."""
    before = os.umask(0o077)
    package = public_package(tmp_path)
    os.umask(before)
    inside = [path for path in package.parent.rglob("*") if not path.is_symlink()]
    assert all(mode(path) == (0o755 if path.is_dir() else mode(path) | 0o644) for path in inside)
    psql = next(package.glob("pginstall18/bin/psql"))
    told = subprocess.run([psql, "--version"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("psql (PostgreSQL) 18")
    changed = package.stat().st_ctime_ns
    assert public_package(tmp_path).stat().st_ctime_ns == changed
    assert [path.name for path in tmp_path.iterdir()] == [package.parent.name]
