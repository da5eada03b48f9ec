"""The code server ends what died with the one before it, where runs are its own children."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import grpc
import pytest
from dagster._grpc.__generated__ import dagster_api_pb2 as api_pb2
from dagster._grpc.__generated__ import dagster_api_pb2_grpc as api

from discubot_pipeline.defs.server import clear_up
from tests.defs.conftest import RETRIES
from tests.tracking.ledger import Ledger

OTHER = {"run_launcher": {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}}
STOCK = {"run_launcher": {"module": "dagster._core.launcher", "class": "DefaultRunLauncher"}}


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Give the instance that DAGSTER_HOME names, with the launcher that a test asks for."""
    with dg.instance_for_test(overrides=RETRIES | request.param, set_dagster_home=True) as instance:
        yield Ledger(instance)


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[str]:
    """Give the socket of a code server that comes up a little later."""
    path = str(tmp_path / "code.sock")
    server = grpc.server(ThreadPoolExecutor(1))
    api.add_DagsterApiServicer_to_server(Ping(), server)
    server.add_insecure_port(f"unix:{path}")
    later = threading.Timer(0.3, server.start)
    later.start()
    yield path
    later.join()
    server.stop(None).wait()


class Ping(api.DagsterApiServicer):
    """A code server that does nothing but answer."""

    def Ping(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Answer."""
        return api_pb2.PingReply(echo=request.echo)


@pytest.mark.parametrize("ledger", [STOCK], indirect=True)
def test_runs_of_a_dead_code_server_are_ended_once_the_new_one_is_up(ledger: Ledger, socket: str) -> None:
    """Dagster retries them then; a run that starts meanwhile is none of them."""
    run_id = ledger.run("STARTED")
    thread = clear_up(socket)
    younger = ledger.run("STARTED")
    assert ledger.get(run_id).status is dg.DagsterRunStatus.STARTED
    thread.join(10)
    run = ledger.get(run_id)
    assert (run.status, run.tags["dagster/will_retry"]) == (dg.DagsterRunStatus.FAILURE, "true")
    assert ledger.get(younger).status is dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize("ledger", [OTHER], indirect=True)
def test_runs_of_another_launcher_are_left_alone(ledger: Ledger, socket: str) -> None:
    """They live elsewhere, and their launcher knows how they are."""
    run_id = ledger.run("STARTED")
    clear_up(socket).join(10)
    assert ledger.get(run_id).status is dg.DagsterRunStatus.STARTED
