"""A real instance of Dagster in the test database, as our processes read it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking.describe import Addresses
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.jobs import JobStore
from tests.tracking.ledger import Ledger

YAML = """
telemetry: {enabled: false}
run_retries: {enabled: true, max_retries: 2}
run_launcher: {module: discubot_pipeline.warm.launcher, class: WarmRunLauncher, config: {socket: nowhere.sock}}
"""
ADDRESSES = Addresses("https://jobs.example/api", "https://dagster.example")


@pytest.fixture(scope="session")
def shared_instance(
    database_url: str, shared_engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """Open Dagster's storage once, in its own schema of the test database."""
    with shared_engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text(YAML)
    settings = Settings.model_validate({"home": home, "database_url": database_url})
    instance = Instance(home, settings.dagster_url)
    yield instance
    instance.close()


@pytest.fixture
def ledger(shared_instance: Instance) -> Iterator[Ledger]:
    """Give an empty record of runs."""
    with shared_instance.reading() as instance:
        instance.wipe()
        yield Ledger(instance)


@pytest.fixture
def jobs(shared_instance: Instance, ledger: Ledger, stores: Stores) -> JobStore:
    """Give the read model over an empty record."""
    return JobStore(shared_instance, stores.dossiers, ADDRESSES)
