"""A real instance of Dagster with the warm launcher, and a broker that the test starts."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.instance.ref import InstanceRef

from discubot_pipeline.settings import Settings
from tests.warm.yard import Yard


@pytest.fixture(scope="session")
def warm_instance(
    database_url: str, shared_engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dg.DagsterInstance]:
    """Open an instance in the test database, whose launcher looks for the broker in a short folder."""
    with shared_engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
    home = tmp_path_factory.mktemp("warm")
    url = Settings.model_validate({"home": home, "database_url": database_url}).dagster_url
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        launcher = {"module": "discubot_pipeline.warm.launcher", "class": "WarmRunLauncher"}
        config = {
            "storage": {"postgres": {"postgres_url": url}},
            "run_launcher": launcher | {"config": {"socket": f"{folder}/warm.sock"}},
            "run_monitoring": {"enabled": True},
            "telemetry": {"enabled": False},
        }
        (home / "dagster.yaml").write_text(yaml.safe_dump(config))
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as instance:
            yield instance


@pytest.fixture
def shut_yard(warm_instance: dg.DagsterInstance) -> Iterator[Yard]:
    """Give a place to have runs done, with no broker yet; whatever was started there is killed afterwards."""
    socket = warm_instance.run_launcher.inst_data.config_dict["socket"]  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(prefix="yard-") as folder:
        yard = Yard(Path(folder), Path(socket), warm_instance)
        yield yard
        yard.clear()


@pytest.fixture
def yard(shut_yard: Yard) -> Yard:
    """Give a place to have runs done, with a broker that keeps one spare worker."""
    shut_yard.open()
    return shut_yard
