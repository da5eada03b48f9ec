"""The code server ends what died with the one before it, where runs are its own children."""

from collections.abc import Iterator

import dagster as dg
import pytest

from discubot_pipeline.defs.server import clear
from tests.defs.conftest import RETRIES
from tests.tracking.ledger import Ledger

OTHER = {"run_launcher": {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}}
STOCK = {"run_launcher": {"module": "dagster._core.launcher", "class": "DefaultRunLauncher"}}


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Give the instance that DAGSTER_HOME names, with the launcher that a test asks for."""
    with dg.instance_for_test(overrides=RETRIES | request.param, set_dagster_home=True) as instance:
        yield Ledger(instance)


@pytest.mark.parametrize("ledger", [STOCK], indirect=True)
def test_runs_of_a_dead_code_server_are_ended(ledger: Ledger) -> None:
    """Dagster will retry them."""
    run_id = ledger.run("STARTED")
    clear()
    run = ledger.get(run_id)
    assert (run.status, run.tags["dagster/will_retry"]) == (dg.DagsterRunStatus.FAILURE, "true")


@pytest.mark.parametrize("ledger", [OTHER], indirect=True)
def test_runs_of_another_launcher_are_left_alone(ledger: Ledger) -> None:
    """They live elsewhere, and their launcher knows how they are."""
    run_id = ledger.run("STARTED")
    clear()
    assert ledger.get(run_id).status is dg.DagsterRunStatus.STARTED
