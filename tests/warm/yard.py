"""An instance with the warm launcher, a real broker beside it, and runs that can be held back."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterEventType, DagsterRun, DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from discubot_pipeline.warm.ledger import Ledger
from discubot_pipeline.warm.wire import BrokerAwayError, ask
from tests.waiting import until

JOBS = "tests.warm.jobs"
ROOT = Path(__file__).parents[2]
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database()"""


class Yard:
    """All that a test needs to have runs done."""

    def __init__(self, folder: Path, socket: Path, instance: dg.DagsterInstance) -> None:
        self.folder, self.socket, self.instance = folder, socket, instance
        self.state = folder / "runs"
        self.ledger = Ledger(self.state)
        self.broker: subprocess.Popen[bytes] | None = None

    def open(self, *options: str) -> None:
        """Start a broker and wait until it answers."""
        at = ["--socket", str(self.socket), "--state", str(self.state), "--preload", JOBS]
        command = [sys.executable, "-m", "discubot_pipeline.warm", *at, *options]
        self.broker = subprocess.Popen(command, cwd=ROOT)
        until(lambda: self.told() is not None)

    def close(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the broker."""
        assert self.broker is not None
        self.broker.send_signal(number)
        return self.broker.wait(timeout=30)

    def told(self) -> dict[str, Any] | None:
        """Give what the broker says of itself; None while it is away."""
        try:
            return ask(self.socket, do="status")
        except BrokerAwayError:
            return None

    def workers(self) -> set[int]:
        """Give the processes that runs work in, or will."""
        told = self.told()
        assert told
        return set(told["workers"])

    def cut_connections(self) -> None:
        """End all other sessions of the database."""
        with self.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql(CUT)

    def make(self, job: str = "chore", wait: bool = False) -> str:
        """Make a run that is about to start; gives its id."""
        found = ReconstructableRepository.for_module(JOBS, "repo").get_reconstructable_job(job)
        config = {"ops": {"work": {"config": {"folder": str(self.folder), "wait": wait}}}} if job == "chore" else {}
        run = self.instance.create_run_for_job(
            found.get_definition(),
            run_config=config,
            job_code_origin=found.get_python_origin(),
            remote_job_origin=ORIGIN,
        )
        self.instance.report_dagster_event(
            DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, run.job_name), run.run_id
        )
        return run.run_id

    def launch(self, job: str = "chore", wait: bool = False) -> str:
        """Have a run started; gives its id."""
        run_id = self.make(job, wait)
        self.instance.run_launcher.launch_run(LaunchRunContext(self.get(run_id), workspace=None))
        return run_id

    def at_work(self, run_id: str) -> int:
        """Wait until a run is in the middle of its op; gives its process."""
        path = self.folder / f"{run_id}.pid"
        until(lambda: path.exists() and path.read_text())
        return int(path.read_text())

    def release(self, run_id: str) -> None:
        """Let a run that waits go on."""
        (self.folder / f"{run_id}.go").touch()

    def get(self, run_id: str) -> DagsterRun:
        """Give a run."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def ended(self, run_id: str) -> DagsterRunStatus:
        """Wait until a run has ended and its worker is done with it; gives how it ended."""
        until(lambda: self.get(run_id).is_finished and self.ledger.find(run_id) is None)
        return self.get(run_id).status

    def clear(self) -> None:
        """Leave no process behind."""
        if self.broker and self.broker.poll() is None:
            self.close()
        for entry in self.ledger.entries():
            if entry.worker.is_alive:
                os.kill(entry.worker.pid, signal.SIGKILL)


ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=JOBS)), "repo"), "chore"
)
