"""What most tests need: a real Postgres, empty before each test, a team in it, and the services outside."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import settings as hypothesis
from pydantic import SecretStr
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings, with_driver
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.migrate import migrate
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import SCHEMA, metadata
from discubot_pipeline.store.vault import Vault

hypothesis.register_profile("ours", deadline=None, database=None)
hypothesis.load_profile("ours")

FLOW = "tests/flow/"
EXTERNAL = os.environ.get("DISCUBOT_TEST_DATABASE_URL")
"""A database of another server to run the tests on; by default the embedded one."""
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings of a database that nobody will miss."""
PLAIN: dict[str, Any] = {"trust_env": False, "verify": False}
"""Options of calls on loopback: no proxies, and no certificates, which take 20 ms to load."""
PATIENCE = 200
"""Tries, a tenth of a second apart, until the sandbox must be there."""


class BesideTheSystem(LoadScopeScheduling):
    """Gives all tests of the running system to one process, and those of the other files to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return FLOW if nodeid.startswith(FLOW) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Share the tests out among processes, where `make test` asks for several."""
    return BesideTheSystem(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(FLOW))


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a migrated database, in libpq's form."""
    if EXTERNAL:
        yield from migrated(EXTERNAL)
        return
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=CARELESS)
    try:
        postgres.start()
        yield from migrated(postgres.url())
    finally:
        postgres.remove()


def migrated(url: str) -> Iterator[str]:
    """Bring a database up to date from nothing."""
    engine = connect(with_driver(url, "psycopg"), 1)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(SCHEMA, cascade=True, if_exists=True))
    migrate(engine)
    engine.dispose()
    yield with_driver(url, None)


@pytest.fixture(scope="session")
def shared_engine(database_url: str) -> Iterator[sa.Engine]:
    """Connect once for all tests."""
    engine = connect(with_driver(database_url, "psycopg"), 20)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(shared_engine: sa.Engine) -> sa.Engine:
    """Give a connection to an empty database."""
    with shared_engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))  # a TRUNCATE of so many small tables takes thirty times as long
    return shared_engine


@pytest.fixture
def vault() -> Vault:
    """Give a vault with a key of its own."""
    return Vault(Fernet.generate_key().decode())


@pytest.fixture
def stores(engine: sa.Engine, vault: Vault) -> Stores:
    """Give all stores over an empty database."""
    return open_stores(engine, vault)


@pytest.fixture
def slack_config(stores: Stores) -> SourceConfig:
    """Give a Slack source of the team `acme`."""
    credentials = SlackCredentials(signing_secret=SecretStr("s3cret"), bot_token=SecretStr("xoxb-test"))
    team = stores.configs.add_team("acme", "test", time_zone="Europe/Amsterdam")
    return stores.configs.add_source(team, SourceType.SLACK, "slack", credentials, "test", workspace="T1")


@pytest.fixture
def output(stores: Stores, slack_config: SourceConfig) -> Output:
    """Give the default output of the Slack source."""
    token = NotionCredentials(token=SecretStr("ntn_test"))
    return stores.configs.add_output(slack_config, "tasks", "db-1", token, "test", is_default=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Give settings that point to the test database."""
    return Settings(home=tmp_path, database_url=SecretStr(database_url))


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `url` is its root, and where its control API is."""

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API, as in `control("POST", "/faults", {...})`."""
        response = httpx.request(method, f"{self.url}/sandbox{path}", json=body, timeout=30, **PLAIN)
        assert response.is_success, response.text
        return response.json()

    @contextmanager
    def fault(self, **fault: object) -> Iterator[None]:
        """Arm a fault for the length of a block."""
        fault_id = self.control("POST", "/faults", fault)["id"]
        try:
            yield
        finally:
            self.control("DELETE", f"/faults/{fault_id}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Start the sandbox on a free port and stop it when the tests are over."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "discubot_pipeline.sandbox", "--port", port])
    try:
        running = Sandbox(f"http://127.0.0.1:{port}")
        await_health(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=10)


def await_health(sandbox: Sandbox, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the sandbox answers, or its process has ended."""
    for _ in range(PATIENCE):
        try:
            if httpx.get(f"{sandbox.url}/healthz", **PLAIN).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            raise AssertionError(f"the sandbox ended with {process.wait(timeout=0.1)}")
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the sandbox did not start")
