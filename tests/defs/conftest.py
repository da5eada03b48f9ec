"""A Dagster instance, our services over the test database, and a world on paper around them."""

from collections.abc import Iterator

import dagster as dg
import pytest

from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.wiring import Services
from tests.defs.paper import Paper
from tests.defs.workshop import Workshop

RETRIES = {"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance in memory that retries crashed runs, as ours does."""
    with dg.DagsterInstance.ephemeral(settings=RETRIES) as instance:
        yield instance


@pytest.fixture
def paper() -> Paper:
    """Give a world without troubles."""
    return Paper()


@pytest.fixture
def services(settings: Settings, stores: Stores, paper: Paper) -> Services:
    """Give real stores and the world on paper."""
    return Services(settings, stores.engine, stores, paper)  # type: ignore[arg-type]


@pytest.fixture
def workshop(instance: dg.DagsterInstance, services: Services, slack_config: SourceConfig, output: Output) -> Workshop:
    """Give a place to run jobs at, for a team with a source and an output."""
    return Workshop(instance, services, slack_config)
