"""No start overtakes a cancellation: before a run is launched, while it starts, and after."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import grpc
import pytest
from dagster._core.launcher import DefaultRunLauncher, LaunchRunContext
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.__generated__ import dagster_api_pb2 as api_pb2
from dagster._grpc.__generated__ import dagster_api_pb2_grpc as api
from dagster._grpc.types import CancelExecutionRequest, CancelExecutionResult
from dagster._serdes import deserialize_value, serialize_value

from discubot_pipeline.defs.launcher import CarefulRunLauncher
from tests.tracking.ledger import RETRIES, Ledger

OURS = {"run_launcher": {"module": CarefulRunLauncher.__module__, "class": CarefulRunLauncher.__name__}}


class CodeServer(api.DagsterApiServicer):
    """A code server that stops the runs which it has started."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.stopped: list[str] = []

    def CancelExecution(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Stop a run, if it is there."""
        cancel = deserialize_value(request.serialized_cancel_execution_request, CancelExecutionRequest)
        is_here = cancel.run_id in self.started
        self.stopped += [cancel.run_id] if is_here else []
        result = CancelExecutionResult(success=is_here, message=None, serializable_error_info=None)
        return api_pb2.CancelExecutionReply(serialized_cancel_execution_result=serialize_value(result))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give an instance with our launcher."""
    with dg.instance_for_test(overrides=RETRIES | OURS) as instance:
        yield Ledger(instance)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeServer]:
    """Give a code server that Dagster's launcher starts runs at."""
    code, socket = CodeServer(), str(tmp_path / "code.sock")
    server = grpc.server(ThreadPoolExecutor(1))
    api.add_DagsterApiServicer_to_server(code, server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()

    def start(self: DefaultRunLauncher, context: LaunchRunContext) -> None:
        run_id = context.dagster_run.run_id
        if context.workspace:
            context.workspace(run_id)  # type: ignore[operator]
        where = f'{{"host": "localhost", "socket": "{socket}"}}'
        self._instance.add_run_tags(run_id, {GRPC_INFO_TAG: where})
        code.started.append(run_id)

    monkeypatch.setattr(DefaultRunLauncher, "launch_run", start)
    yield code
    server.stop(None).wait()


def launch(ledger: Ledger, run_id: str, meanwhile: Any = None) -> dg.DagsterRunStatus:
    """Launch a run as the daemon does once it has taken it from the queue; gives how the run stands then."""
    ledger.instance.run_launcher.launch_run(LaunchRunContext(ledger.get(run_id), meanwhile))
    return ledger.get(run_id).status


def test_a_wanted_run_is_started(ledger: Ledger, code: CodeServer) -> None:
    """And stopped when somebody cancels it later."""
    run_id = ledger.run("STARTING")
    assert launch(ledger, run_id) is dg.DagsterRunStatus.STARTING
    assert (code.started, code.stopped) == ([run_id], [])
    assert ledger.instance.run_launcher.terminate(run_id)
    assert code.stopped == [run_id]


@pytest.mark.parametrize("status", ["CANCELING", "CANCELED"])
def test_a_run_that_was_cancelled_before_is_never_started(ledger: Ledger, code: CodeServer, status: str) -> None:
    """The queue had it in its hands already."""
    run_id = ledger.run(status)
    assert launch(ledger, run_id) is dg.DagsterRunStatus.CANCELED
    assert code.started == []


def test_a_run_that_is_cancelled_while_it_starts_is_stopped(ledger: Ledger, code: CodeServer) -> None:
    """There is no process to tell at first: the launcher tells it as soon as there is one."""
    run_id = ledger.run("STARTING")

    def cancel(run_id: str) -> None:
        assert ledger.instance.run_launcher.terminate(run_id)
        assert code.stopped == []

    assert launch(ledger, run_id, cancel) is dg.DagsterRunStatus.CANCELING
    assert (code.started, code.stopped) == ([run_id], [run_id])


def test_what_has_ended_cannot_be_cancelled(ledger: Ledger, code: CodeServer) -> None:
    """Its end stands."""
    run_id = ledger.run("SUCCESS")
    assert not ledger.instance.run_launcher.terminate(run_id)
    assert ledger.get(run_id).status is dg.DagsterRunStatus.SUCCESS
