"""Dagster's side: the run launcher that hands runs to the broker. `dagster.yaml` names it and the broker's socket.

It is used in the daemon, which launches, and in the web server, which cancels.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster import DagsterRun, DagsterRunStatus, StringSource
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from discubot_pipeline.warm.wire import BrokerAwayError, ask

LAUNCHED = ".dagster/warm"
"""The tag of a run that was handed to the broker: hidden in the UI. It is written before, since Dagster writes a run's
tags as a whole: once the worker writes as well one of the two could be lost."""
BEFORE_IT_BEGAN = "It was cancelled before it began."


class WarmRunLauncher(RunLauncher, ConfigurableClass):
    """Starts runs in workers that are there already. Config: `socket`, the path of the broker's socket."""

    def __init__(self, socket: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._socket = Path(socket)
        self._inst_data = inst_data

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """Give what Dagster built this from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Name the settings in `dagster.yaml`."""
        return {"socket": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Build it from its part of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Hand a run to a worker, unless somebody has cancelled it; where the broker is away, Dagster tries again."""
        run = context.dagster_run
        match self._status(run.run_id):
            case DagsterRunStatus.STARTING:
                self._start(run)
            case DagsterRunStatus.CANCELING:
                self._instance.report_run_canceled(run, BEFORE_IT_BEGAN)

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run; one that is about to start has no process yet, but `launch_run` will see to it."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._ask(do="find", run_id=run_id)  # before it is marked: without a broker nothing would come of it
        self._instance.report_run_canceling(run)
        return bool(self._ask(do="interrupt", run_id=run_id)["found"]) or run.status is DagsterRunStatus.STARTING

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Say that Dagster's monitor may ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Say whether a run has a process; an error when the broker is away, so that nobody is given up by mistake.

        A run of another launcher, or of `dagster job execute`, is left alone.
        """
        found = self._ask(do="find", run_id=run.run_id)
        if found["is_alive"]:
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=found["worker"])
        now = self._instance.get_run_by_id(run.run_id)
        if now is None or now.is_finished or LAUNCHED not in now.tags:
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        return CheckRunHealthResult(WorkerStatus.FAILED, "The run's process is gone.", run_worker_id=found["worker"])

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Say what the broker knows of a run."""
        try:
            return f"The broker says: {self._ask(do='find', run_id=run.run_id)}"
        except DagsterUserCodeUnreachableError as error:
            return str(error)

    def _start(self, run: DagsterRun) -> None:
        instance = serialize_value(self._instance.get_ref())
        self._instance.add_run_tags(run.run_id, {LAUNCHED: "true"})
        self._ask(do="launch", run_id=run.run_id, instance=instance)
        if self._status(run.run_id) is DagsterRunStatus.CANCELING:
            self._ask(do="interrupt", run_id=run.run_id)

    def _status(self, run_id: str) -> DagsterRunStatus | None:
        run = self._instance.get_run_by_id(run_id)
        return run.status if run else None

    def _ask(self, **question: Any) -> dict[str, Any]:
        try:
            return ask(self._socket, **question)
        except BrokerAwayError as error:
            raise DagsterUserCodeUnreachableError(str(error)) from error
