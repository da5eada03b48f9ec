"""Fixtures of the receiver's tests: one server for all, an empty database for each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes
from discubot_pipeline.wiring import Services, build
from tests.adapters.slack_workspace import SECRET
from tests.web.receiver import Receiver


@pytest.fixture(scope="session")
def services(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Build the services of the receiver's process."""
    home = tmp_path_factory.mktemp("home")
    built = build(Settings(home=home, database_url=SecretStr(database_url)), pool_size=10)
    yield built
    built.engine.dispose()


@pytest.fixture(scope="session")
def running(services: Services) -> Iterator[Receiver]:
    """Start the receiver."""
    receiver = Receiver(services)
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(engine: sa.Engine, running: Receiver) -> Receiver:
    """Give the receiver with an empty database."""
    return running


@pytest.fixture
def stores(engine: sa.Engine, services: Services) -> Stores:
    """Give the receiver's own stores over an empty database."""
    return services.stores


@pytest.fixture
def slack_config(stores: Stores) -> SourceConfig:
    """Give a Slack source of the team `acme`."""
    secrets = SlackCredentials(signing_secret=SecretStr(SECRET), bot_token=SecretStr("xoxb-test"))
    team = stores.configs.add_team("acme", "test")
    return stores.configs.add_source(team, SourceType.SLACK, "slack", secrets, "test", workspace="T0ACME")


@pytest.fixture
def generic_config(stores: Stores, slack_config: SourceConfig) -> SourceConfig:
    """Give a generic intake of the same team."""
    secrets = GenericCredentials(signing_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    return stores.configs.add_source(stores.configs.team("acme"), SourceType.GENERIC, "desk", secrets, "test")


@pytest.fixture
def stored(engine: sa.Engine) -> Callable[[], list[Any]]:
    """Give all rows of all inboxes, on demand."""

    def read() -> list[Any]:
        with engine.connect() as connection:
            return [row for table in inboxes.values() for row in connection.execute(sa.select(table))]

    return read
