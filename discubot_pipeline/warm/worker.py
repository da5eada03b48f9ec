"""A worker: forked from the broker, does one run after another in the same process with the same connections."""

import gc
import json
import logging
import os
import signal
import socket
from typing import Any, NamedTuple

from dagster import DagsterInstance, DagsterRunStatus
from dagster._cli.api import _execute_run_command_body
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
from dagster._utils.interrupts import capture_interrupts

from discubot_pipeline.warm.launcher import BEFORE_IT_BEGAN
from discubot_pipeline.warm.ledger import Entry, Ledger
from discubot_pipeline.warm.process import Identity, identify, private_mb
from discubot_pipeline.warm.wire import send

NO_TIMEOUT = 0
RECYCLE_SECONDS = 3_600
MOST_CONNECTIONS = 10
AT_WORK = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED)

logger = logging.getLogger(__name__)


class Bounds(NamedTuple):
    """When a worker is replaced: after so many runs, or when so much memory (MB) has come to what it had at first."""

    runs: int = 100
    growth_mb: float = 150.0


class Worker:
    """The process at the other end of a channel. It ends when the broker does, after the run that it has begun."""

    def __init__(self, channel: socket.socket, ledger: Ledger, bounds: Bounds) -> None:
        self._channel, self._ledger, self._bounds = channel, ledger, bounds
        self._me = myself()
        self._instances: dict[str, DagsterInstance] = {}
        self._runs, self._first_mb = 0, private_mb()

    def serve(self) -> None:
        """Do what comes through the channel until there is no more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # between runs an interrupt means nobody
        with self._channel.makefile("rb") as orders:
            for line in orders:
                order = json.loads(line)
                self._take(order["run_id"], order["instance"])
                is_used_up = self._is_used_up()
                self._say({"ended": order["run_id"], "is_leaving": is_used_up})
                if is_used_up:
                    return

    def _take(self, run_id: str, ref: str) -> None:
        with capture_interrupts():
            self._ledger.begin(Entry(run_id, self._me, ref))
            self._say({"begun": run_id})
            self._execute(run_id, ref)
        self._ledger.end(run_id)
        self._runs += 1

    def _execute(self, run_id: str, ref: str) -> None:
        try:
            instance = self._instance(ref, run_id)
            _execute_run_command_body(run_id, instance, lambda _: None, False)
            end_cancelled(instance, run_id)
        except Exception:
            logger.exception("run_not_executed run_id=%s", run_id)
            report_death(run_id, ref, "The run could not be executed: see the broker's log.")

    def _instance(self, ref: str, run_id: str) -> DagsterInstance:
        """Give the instance, with connections that work: the database may have been started anew since the last run."""
        kept = self._instances.get(ref)
        if kept and not answers(kept, run_id):
            kept.dispose()
            kept = None
        self._instances[ref] = kept or opened(ref)
        return self._instances[ref]

    def _is_used_up(self) -> bool:
        if self._runs < self._bounds.runs and self._has_grown():
            gc.collect()  # looks at all that lives, so not after each run
        return self._runs >= self._bounds.runs or self._has_grown()

    def _has_grown(self) -> bool:
        return private_mb() - self._first_mb > self._bounds.growth_mb

    def _say(self, message: dict[str, Any]) -> None:
        try:
            send(self._channel, message)
        except OSError:
            logger.warning("broker_away message=%s", message)


def myself() -> Identity:
    """Say who this process is."""
    return identify(os.getpid()) or Identity(os.getpid(), "")


def opened(ref: str) -> DagsterInstance:
    """Open an instance that keeps its connections."""
    instance = DagsterInstance.from_ref(deserialize_value(ref, InstanceRef))
    instance.optimize_for_webserver(NO_TIMEOUT, RECYCLE_SECONDS, MOST_CONNECTIONS)
    return instance


def answers(instance: DagsterInstance, run_id: str) -> bool:
    """Say whether the connections of an instance work."""
    try:
        instance.get_run_by_id(run_id)
        instance.get_records_for_run(run_id, limit=1)
    except Exception:
        return False
    return True


def end_cancelled(instance: DagsterInstance, run_id: str) -> None:
    """End a run that was cancelled before it began: Dagster does nothing, since it takes it for a double at work."""
    run = instance.get_run_by_id(run_id)
    if run and run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, BEFORE_IT_BEGAN)


def report_death(run_id: str, ref: str, how: str) -> None:
    """Tell Dagster that a run's process is gone; one that had ended, or waits in the queue again, is left alone."""
    with DagsterInstance.from_ref(deserialize_value(ref, InstanceRef)) as instance:
        run = instance.get_run_by_id(run_id)
        if run and run.status is DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, how)
        elif run and run.status in AT_WORK:
            instance.report_run_failed(run, how)
