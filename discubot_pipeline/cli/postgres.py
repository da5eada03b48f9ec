"""The embedded PostgreSQL, driven by us: Unix socket only, password always, one owner. Called by commands, by
`discubot up`, which runs the server through `program`, and by the tests.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from discubot_pipeline.cli.account import ROOT_BASE, Account, claim_home, home_of
from discubot_pipeline.cli.binaries import BARE_ENV, choose_install, public_package, wheel_package
from discubot_pipeline.cli.child import Child, Program
from discubot_pipeline.cli.cluster import clear_survivors, create_cluster
from discubot_pipeline.cli.ports import HOME_SETTING, StartupError, StateLock, state_folder

NAME = "discubot"  # of the role and of its database
PORT = 5432  # only a part of the socket's name
LONGEST_SOCKET = 103  # bytes: an address holds 104 on macOS and 108 on Linux, with the closing zero
SHORT_BASE = Path("/tmp")  # noqa: S108 - not $TMPDIR, as every process must find the same; we check whose it is
MEGABYTE = 2**20
RECOVERY = timedelta(minutes=5)  # a start after a crash may have this long to replay what was logged

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "max_wal_size": "1GB",
    "max_parallel_workers_per_gather": "0",  # containers often have only 64 MB of /dev/shm
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # No statement and no value in the log, they may quote a thread:
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres:
    """The PostgreSQL server that belongs to a state folder.

    Below `<state>/postgres` are the password, the data and the socket; for root, data and socket are below
    /var/lib/discubot and belong to a number without a name. `lock` is the caller's own lock on the folder, if
    it has one; otherwise the folder is taken from `prepare` or `start` to `stop`. `settings` win over ours.
    """

    def __init__(
        self, state: Path, *, lock: StateLock | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.state = state.expanduser().absolute()
        self._folder = self.state / "postgres"
        self._lock = lock or StateLock(self.state)
        self._lock_is_ours = lock is None
        self._settings = dict(settings or {})
        self._is_root = os.geteuid() == 0
        self._account: Account | None = None
        self._child: Child | None = None

    @property
    def home(self) -> Path:
        """Return the folder that holds `data` and, unless its path is too long, `socket`."""
        return home_of(ROOT_BASE, self.state) if self._is_root else self._folder

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.home / "data"

    @property
    def socket_folder(self) -> Path:
        """Return the folder of the socket; a short one of our own when the state folder's path is long."""
        folder = self.home / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return folder
        name = hashlib.sha256(os.fsencode(os.path.realpath(self.state))).hexdigest()[:12]
        return SHORT_BASE / f"discubot-{os.geteuid()}-{name}"

    @property
    def is_running(self) -> bool:
        """Tell whether the server accepts our password, whichever process started it."""
        try:
            psycopg.connect(self.conninfo(), connect_timeout=2).close()
        except (psycopg.Error, StartupError):
            return False
        return True

    def url(self, driver: str = "psycopg", database: str = NAME) -> str:
        """Return the SQLAlchemy address for a driver (psycopg, psycopg2); it holds the password."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql+{driver}://{NAME}:{self._password()}@/{database}?host={host}"

    def conninfo(self, database: str = NAME) -> str:
        """Return libpq's form of the address; it holds the password."""
        return make_conninfo("", **self._parameters(database))

    def env(self, database: str = NAME) -> dict[str, str]:
        """Return the variables that psql, pg_dump and others of PostgreSQL's programs read."""
        parameters = self._parameters(database)
        parameters["database"] = parameters.pop("dbname")
        return {f"PG{key.upper()}": value for key, value in parameters.items()}

    def binary(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs, such as psql or pg_dump."""
        return choose_install(wheel_package(), self.data) / name

    def prepare(self) -> Path:
        """Take the state folder, end what a killed run has left, and make the database unless it exists.

        Returns the folder of the programs to run it with.
        """
        state_folder(self.state)
        self._lock.acquire()
        try:
            state_folder(self._folder)
            self._require_complete()
            install = choose_install(self._claim_folders(), self.data)
            clear_survivors(self.data, self.socket_folder)
            if not self.data.exists():
                self._create(install)
            return install
        except OSError as error:
            self._release()
            raise StartupError(f"The database of {self.state} cannot be prepared: {error}") from error
        except BaseException:
            self._release()
            raise

    def program(self) -> Program:
        """Prepare everything and return the server as a program for the supervisor."""
        install = self.prepare()
        settings = {"shared_buffers": _buffers(), "unix_socket_directories": str(self.socket_folder)}
        settings |= {**SETTINGS, **self._settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(install / "postgres"), "-D", str(self.data), *options],
            env=BARE_ENV,
            ready=lambda: self.is_running,
            ready_timeout=RECOVERY,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients
            escalation=signal.SIGQUIT,  # "immediate"
            cwd=Path("/"),
            user=self._account.number if self._account else None,
            before_start=lambda: clear_survivors(self.data, self.socket_folder),
        )

    def start(self, timeout: timedelta = RECOVERY) -> None:
        """Start the server and return when it accepts connections. It ends with the calling thread."""
        if self._child is not None and self._child.is_alive:
            return
        child = Child(replace(self.program(), ready_timeout=timeout), self.state / "logs")
        try:
            child.start()
            child.wait_until_ready()
        except BaseException:
            child.stop()
            self._release()
            raise
        self._child = child

    def stop(self, grace: timedelta = timedelta(seconds=10)) -> None:
        """Stop the server that `start` started and give the state folder back."""
        if self._child is not None:
            self._child.stop(grace)
            self._child = None
        self._release()

    def remove(self) -> None:
        """Stop the server and delete its data for good: for throw-away databases."""
        self.stop()
        with StateLock(self.state) if self._lock_is_ours else contextlib.nullcontext():
            clear_survivors(self.data, self.socket_folder)
            for folder in (self.home, self.socket_folder, self._folder):
                shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _release(self) -> None:
        if self._lock_is_ours:
            self._lock.release()

    def _parameters(self, database: str) -> dict[str, str]:
        return {
            "host": str(self.socket_folder),
            "port": str(PORT),
            "user": NAME,
            "password": self._password(),
            "dbname": database,
        }

    def _password(self) -> str:
        try:
            return (self._folder / "password").read_text()
        except OSError as error:
            advice = f"start `discubot up` or choose another folder with {HOME_SETTING}"
            raise StartupError(f"State folder {self.state} has no database for you: {advice}") from error

    def _claim_folders(self) -> Path:
        """Make the folders that we need, or check that they are ours alone; return that of the package."""
        if not self._is_root:
            _own_folder(self.socket_folder, os.geteuid())
            return wheel_package()
        self._account = claim_home(ROOT_BASE, self.home)
        _own_folder(self.socket_folder, self._account.number)
        return public_package(ROOT_BASE)

    def _create(self, install: Path) -> None:
        """Make the database. Its password gets its name last: whoever can read it has a complete database."""
        path = self._folder / "password"
        pending = path.with_suffix(".new")
        pending.unlink(missing_ok=True)
        password = secrets.token_urlsafe(32)
        with open(os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        create_cluster(install, self.data, role=NAME, password=password, account=self._account)
        pending.rename(path)

    def _require_complete(self) -> None:
        """Finish what a killed first start has left; refuse to begin anew beside remains of a database."""
        path = self._folder / "password"
        pending = path.with_suffix(".new")
        if self.data.exists() and pending.exists() and not path.exists():
            pending.rename(path)
        if self.data.exists() and not path.exists():
            raise StartupError(f"{path} is missing: restore it, or delete {self.data} to begin with no data")
        if path.exists() and not self.data.exists():
            raise StartupError(
                f"The database of {self.state} is not in {self.data}: if another user made it, run discubot "
                f"as that user; if the folder was moved, move it back; to begin anew delete {self._folder}"
            )


def _own_folder(folder: Path, number: int) -> None:
    """Make a folder for this user alone, or refuse one that is anybody else's, a link or open to others."""
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700)
        os.chown(folder, number, number if os.geteuid() == 0 else -1)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != number or stat.S_IMODE(found.st_mode) != 0o700:
        raise StartupError(f"{folder} is not a folder of user number {number} with mode 0700: remove it")


def _buffers() -> str:
    """Return a sixteenth of the machine's memory, between 16 and 256 MB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{min(256, max(16, memory // 16 // MEGABYTE))}MB"
