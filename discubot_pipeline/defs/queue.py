"""Dagster's run queue with one change: it is looked at when a run comes, and soon again while runs wait for their turn.

Dagster's own daemon looks at it once in a whole number of seconds. Limits, priorities and cancellation are Dagster's.
"""

import time
from threading import Event
from typing import Any

from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._daemon import controller
from dagster._daemon.daemon import DaemonIterator
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

CAME = Event()
"""Set in this process when one of its threads puts a run into the queue."""
CROWDED_SECONDS = 0.1
QUIET_SECONDS = 1.0
WAITING = RunsFilter(statuses=[DagsterRunStatus.QUEUED])


class PromptRunCoordinator(QueuedRunCoordinator):
    """Dagster's coordinator, which tells the queue's daemon of new runs when it is in the same process."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Put a run into the queue."""
        run = super().submit_run(context)
        CAME.set()
        return run


class PromptQueueDaemon(QueuedRunCoordinatorDaemon):
    """The part of the daemon that takes runs out of the queue: waits for the next one before it looks."""

    def __init__(self, interval_seconds: float) -> None:
        super().__init__(interval_seconds=0)  # waits by itself
        self._is_crowded = False

    def run_iteration(
        self, workspace_process_context: IWorkspaceProcessContext[Any], fixed_iteration_time: float | None = None
    ) -> DaemonIterator:
        """Wait until a run comes, or may have come by other ways, and take out of the queue what may begin."""
        CAME.wait(CROWDED_SECONDS if self._is_crowded else QUIET_SECONDS)
        if self._is_crowded:
            time.sleep(CROWDED_SECONDS)  # many come at once: one look for them all
        CAME.clear()
        yield from super().run_iteration(workspace_process_context, fixed_iteration_time)
        self._is_crowded = bool(workspace_process_context.instance.get_run_ids(WAITING, limit=1))


def take_over() -> None:
    """Let Dagster's daemon use this queue; raises when it no longer makes the one that it replaces."""
    if getattr(controller, "QueuedRunCoordinatorDaemon", None) is not QueuedRunCoordinatorDaemon:
        raise RuntimeError("this Dagster makes another queue daemon: see docs/decisions/0033-prompt-queue.md")
    vars(controller)["QueuedRunCoordinatorDaemon"] = PromptQueueDaemon
