"""What most tests need: a real Postgres, empty before each test, and a team with a Slack source in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings, with_driver
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.migrate import migrate
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import SCHEMA, metadata
from discubot_pipeline.store.vault import Vault

EXTERNAL = os.environ.get("DISCUBOT_TEST_DATABASE_URL")
"""A database of another server to run the tests on; by default the embedded one."""


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a migrated database, in libpq's form."""
    if EXTERNAL:
        yield from migrated(EXTERNAL)
        return
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
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
    tables = ", ".join(f'{SCHEMA}."{table.name}"' for table in metadata.sorted_tables)
    with shared_engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {tables} CASCADE"))
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
