"""One running system for all tests of this folder: its real processes, on free ports, with a state of its own."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.cli.serve import running
from discubot_pipeline.cli.system import System
from discubot_pipeline.settings import Settings, with_driver
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.tables import SCHEMA, metadata
from discubot_pipeline.wiring import build
from tests.conftest import EXTERNAL
from tests.flow.home import Home
from tests.flow.town import TEAM_RUNS, Town


@pytest.fixture(scope="package")
def town() -> Iterator[Town]:
    """Run the system for as long as the tests of this folder last."""
    home = Path(tempfile.mkdtemp(prefix="discubot-flow-"))
    if EXTERNAL:
        empty(EXTERNAL)
    settings = Settings(
        home=home,
        database_url=SecretStr(EXTERNAL) if EXTERNAL else None,
        web_port=free_port(),
        receiver_port=free_port(),
        sandbox_port=free_port(),
        max_team_runs=TEAM_RUNS,
    )
    system = System(settings, sandbox=True)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DISCUBOT_HOOKS_TO_LOOPBACK", "true")
            with running(system, verbose=False):
                yield from opened(system)
    finally:
        if system.postgres:
            system.postgres.remove()
        shutil.rmtree(home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Give a state folder of its own, and leave nothing of it behind."""
    ports = {f"DISCUBOT_{name}_PORT": str(free_port()) for name in ("WEB", "RECEIVER")}
    home = Home(tmp_path / "state", ports)
    yield home
    for pid in home.processes():
        os.kill(pid, signal.SIGKILL)
    EmbeddedPostgres(home.path).remove()


def opened(system: System) -> Iterator[Town]:
    """Connect to a running system."""
    here = build(system.settings)
    with (
        DagsterWeb(system.settings.web_url) as web,
        Service("The sandbox", system.sandbox_url, {}) as sandbox,
        Service("The receiver", system.settings.receiver_url, {}) as receiver,
    ):
        yield Town(system, here, web, sandbox, receiver, itertools.count(1))
    here.engine.dispose()


def empty(url: str) -> None:
    """Forget what other tests have left in a database: our rows, and all that is Dagster's."""
    engine = connect(with_driver(url, "psycopg"), 1)
    ours = ", ".join(f'{SCHEMA}."{table.name}"' for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema("dagster", cascade=True, if_exists=True))
        if sa.inspect(connection).has_table("teams", schema=SCHEMA):
            connection.execute(sa.text(f"TRUNCATE {ours} CASCADE"))
    engine.dispose()
