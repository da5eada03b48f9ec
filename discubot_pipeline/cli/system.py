"""Puts the processes of the system together, in their order. Called by `up` and `demo`."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.adapters.slacksocket import app_token
from discubot_pipeline.cli.child import call_briefly
from discubot_pipeline.cli.instance import write_instance
from discubot_pipeline.cli.leftovers import end_leftovers
from discubot_pipeline.cli.ports import StartupError, StateLock, require_free_port, state_folder
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.cli.processes import Event, Program, Supervisor, accepts, answers
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.settings import Launcher, Settings, inherited_environment
from discubot_pipeline.store.bell import ring_stop
from discubot_pipeline.store.engine import connect, is_up
from discubot_pipeline.store.vault import key_file, metrics_token
from discubot_pipeline.wiring import build

LONGEST_SOCKET = 100
CODE_SOCKET = "code.sock"
WARM_SOCKET = "warm.sock"
PRELOADED = ("discubot_pipeline.definitions", "discubot_pipeline.defs.preload")
WARM_GRACE = timedelta(seconds=5)
"""How long the broker of warm runs may take to stop; it waits three seconds for runs that end soon."""
STATUS_SENSOR_EVENTS = 100
CODE_SERVER_THREADS = 32
SANDBOX_CALLS = 1000
DATABASE_PATIENCE = timedelta(seconds=20)


class System:
    """All processes over one state folder. `programs` lists them; `settings` and `env` are what they are told."""

    def __init__(self, settings: Settings, *, sandbox: bool = False, dev: bool = False) -> None:
        self.home = state_folder(settings.home)
        self.lock = StateLock(self.home)
        self.postgres = None if settings.database_url else EmbeddedPostgres(self.home, lock=self.lock)
        self._with_sandbox = sandbox
        self._dev = dev
        self._given = settings

    def prepare(self) -> None:
        """Take the state folder, check the ports and write what the processes read; StartupError says what is wrong."""
        self.lock.acquire()
        end_leftovers(self.home)
        given = self._given
        ports = [(given.web_port, "web UI", "WEB"), (given.receiver_port, "receiver", "RECEIVER")]
        ports += [(given.sandbox_port, "sandbox", "SANDBOX")] if self._with_sandbox else []
        for port, what, name in ports:
            require_free_port(given.host, port, what, f"DISCUBOT_{name}_PORT")
        if self.postgres:
            self.postgres.prepare()
        write_instance(self.home, given)

    @property
    def settings(self) -> Settings:
        """Settings as the processes see them: with the database's address."""
        url = self.postgres.url() if self.postgres else None
        known = self._given.model_dump(exclude_unset=True) | {"home": self.home}
        if self._with_sandbox:
            known |= {
                "slack_url": f"{self.sandbox_url}/slack/api",
                "notion_url": f"{self.sandbox_url}/notion",
                "anthropic_url": f"{self.sandbox_url}/models/anthropic",
                "openai_url": f"{self.sandbox_url}/models/openai/v1",
                "figma_url": f"{self.sandbox_url}/figma",
                "figma_calls_per_minute": SANDBOX_CALLS,
            }
        return Settings.model_validate(known | ({"database_url": url} if url else {}))

    @property
    def sandbox_url(self) -> str:
        """Address of the sandbox."""
        return f"http://{self._given.host}:{self._given.sandbox_port}"

    def exports(self) -> dict[str, str]:
        """List the variables that our processes, and a developer's shell, need."""
        settings = self.settings
        keys = settings.secret_key.get_secret_value() if settings.secret_key else key_file(self.home)
        token = settings.metrics_token.get_secret_value() if settings.metrics_token else metrics_token(self.home)
        exports = {
            "DISCUBOT_HOME": str(self.home),
            "DISCUBOT_DATABASE_URL": settings.database_url.get_secret_value() if settings.database_url else "",
            "DISCUBOT_DAGSTER_URL": settings.dagster_url,
            "DISCUBOT_SECRET_KEY": keys,
            "DISCUBOT_METRICS_TOKEN": token,
            "DISCUBOT_CODE_SOCKET": str(short_path(self.home, CODE_SOCKET)),
            "DISCUBOT_WARM_SOCKET": str(short_path(self.home, WARM_SOCKET)),
            "DISCUBOT_HOST": settings.host,
            "DISCUBOT_WEB_PORT": str(settings.web_port),
            "DISCUBOT_RECEIVER_PORT": str(settings.receiver_port),
            "DISCUBOT_SLACK_URL": settings.slack_url,
            "DISCUBOT_NOTION_URL": settings.notion_url,
            "DISCUBOT_ANTHROPIC_URL": settings.anthropic_url,
            "DISCUBOT_OPENAI_URL": settings.openai_url,
            "DISCUBOT_FIGMA_URL": settings.figma_url,
            "DISCUBOT_FIGMA_CALLS_PER_MINUTE": str(settings.figma_calls_per_minute),
            "DISCUBOT_LAUNCHER": settings.launcher,
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "DAGSTER_RUN_STATUS_SENSOR_PROCESS_LIMIT": str(STATUS_SENSOR_EVENTS),
        }
        if settings.direct_url:
            exports["DISCUBOT_DIRECT_URL"] = settings.direct_url.get_secret_value()
        return exports

    def programs(self) -> list[Program]:
        """List the programs in the order in which they start."""
        env = inherited_environment() | self.exports() | {"PYTHONUNBUFFERED": "1"}
        program = partial(Program, env=env, cwd=self.home)
        socket, workspace = short_path(self.home, CODE_SOCKET), str(self.home / "workspace.yaml")
        settings = self.settings
        at = ["-h", settings.host, "-p", str(settings.web_port)]
        programs = [self.postgres.program()] if self.postgres else []
        programs += [
            program(
                name="code-server",
                command=python("-m", "discubot_pipeline.defs.server", *self._code_server(socket)),
                ready=accepts(socket),
                before_start=partial(self._make_ready, env, socket),
                wake=self._wake_sensors,
            ),
            *([program(**self._warm_runs())] if settings.launcher is Launcher.WARM else []),
            program(
                name="daemon",
                command=python("-m", "discubot_pipeline.defs.daemon", "run", "-w", workspace),
                before_start=partial(call_briefly, self._wake_sensors),  # a dead daemon's ticks must take nothing
                wake=self._wake_sensors,
            ),
            program(
                name="web-ui",
                command=python("-m", "dagster_webserver", "-w", workspace, *at, "--log-level", "warning"),
                ready=has_loaded(settings.web_url),
            ),
            program(
                name="receiver",
                command=python("-m", "discubot_pipeline.web"),
                ready=answers(f"http://{settings.host}:{settings.receiver_port}/readyz"),
                grace=timedelta(seconds=6),
            ),
            program(
                name="socket",
                command=python("-m", "discubot_pipeline.web.socket"),
                needed=partial(needs_socket, settings),
            ),
        ]
        return [*programs, *([self._sandbox(env)] if self._with_sandbox else [])]

    def supervisor(self, on_event: Callable[[Event], None], verbose: bool = False) -> Supervisor:
        """Build the supervisor of all programs."""
        return Supervisor(
            self.programs(),
            state=self.home,
            verbose=verbose,
            on_event=on_event,
            before_stop=self._wake_sensors,
        )

    def _warm_runs(self) -> dict[str, Any]:
        """Describe the broker, which in development imports our code anew for each run."""
        socket = short_path(self.home, WARM_SOCKET)
        code = ["--runs", "1"] if self._dev else [word for name in PRELOADED for word in ("--preload", name)]
        at = ["--socket", str(socket), "--state", str(self.home / "runs")]
        command = python("-m", "discubot_pipeline.warm", *at, *code)
        known = {"name": "warm-runs", "command": command, "ready": accepts(socket)}
        return known | {"grace": WARM_GRACE, "stops_early": True}

    def _code_server(self, socket: Path) -> list[str]:
        common = ["-s", str(socket), "-m", "discubot_pipeline.definitions", "--location-name", "discubot"]
        if self._dev:
            return ["code-server", "start", *common]
        return [
            "api",
            "grpc",
            *common,
            "--max-workers",
            str(CODE_SERVER_THREADS),
            "--use-python-environment-entry-point",
        ]

    def _make_ready(self, env: Mapping[str, str], socket: Path) -> None:
        socket.unlink(missing_ok=True)
        wait_for_database(self.settings)
        migrated = subprocess.run(
            python("-m", "discubot_pipeline.cli.main", "migrate"), env=env, capture_output=True, text=True, check=False
        )
        if migrated.returncode:
            raise StartupError(f"The database could not be migrated: {migrated.stderr.strip()[-2000:]}")

    def _sandbox(self, env: Mapping[str, str]) -> Program:
        settings = self.settings
        links = {"Dagster UI": settings.web_url, "Receiver": f"{settings.receiver_url}/api/docs"}
        shown = [word for name, url in links.items() for word in ("--link", f"{name}={url}")]
        at = ["--host", settings.host, "--port", str(settings.sandbox_port)]
        return Program(
            name="sandbox",
            command=python("-m", "discubot_pipeline.sandbox", *at, *shown),
            env=env,
            ready=answers(f"{self.sandbox_url}/healthz"),
        )

    def _wake_sensors(self) -> None:
        ring_stop(self.settings.listen_url)


def python(*words: str) -> list[str]:
    """Write a command for the Python that we run on."""
    return [sys.executable, *words]


def short_path(home: Path, name: str) -> Path:
    """Name a socket of the state folder; one with a long path has its sockets in a short folder of our own."""
    socket = home / name
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"discubot-code-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid() or folder.stat().st_mode & 0o077:
        raise StartupError(f"{folder} belongs to somebody else: choose a shorter state folder with DISCUBOT_HOME")
    return folder / name


def has_loaded(url: str) -> Callable[[], bool]:
    """Return a readiness probe: the web server answers and has loaded our code."""

    def probe() -> bool:
        try:
            with DagsterWeb(url) as web:
                return web.is_loaded()
        except (PipelineError, ValueError, LookupError):  # while it loads it answers without data
            return False

    return probe


def needs_socket(settings: Settings) -> bool:
    """Tell whether a Slack source has an app-level token."""
    here = build(settings, pool_size=1)
    try:
        return any(app_token(config) for config in here.stores.configs.sources(SourceType.SLACK))
    except PipelineError:
        return False
    finally:
        here.engine.dispose()


def wait_for_database(settings: Settings) -> None:
    """Wait until the database answers; StartupError when it does not."""
    engine = connect(settings.sqlalchemy_url, 1)
    deadline = time.monotonic() + DATABASE_PATIENCE.total_seconds()
    try:
        while not is_up(engine):
            if time.monotonic() > deadline:
                raise StartupError(
                    "The database does not answer: check DISCUBOT_DATABASE_URL and that the server is running"
                )
            time.sleep(0.2)
    finally:
        engine.dispose()
