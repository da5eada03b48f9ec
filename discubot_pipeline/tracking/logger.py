"""The job logger: what a job tells the people who wait for it. Dagster hands it to ops as the resource `job`."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec

from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterInvariantViolationError,
    DagsterRun,
    MetadataValue,
    OpExecutionContext,
)
from dagster._core.events import EngineEventData  # the one kind of event that may carry what a line is about

from discubot_pipeline.domain.meters import tally
from discubot_pipeline.domain.progress import Progress, StepState
from discubot_pipeline.store.notes import Notes
from discubot_pipeline.tracking.batch import Batch, Later, in_background

logger = logging.getLogger(__name__)
P = ParamSpec("P")
DEBUG = "discubot/debug"
PLAIN = ("info", "warning", "error")
KIND, STAGE, CONTEXT = "kind", "stage", "context"
"""Metadata of the engine event that a line with context is: which kind of line, in which stage, with what."""


def best_effort(method: Callable[Concatenate["JobLogger", P], None]) -> Callable[Concatenate["JobLogger", P], None]:
    """Let a method log its failure instead of failing the work that it tells of."""

    @wraps(method)
    def tell(self: "JobLogger", /, *args: P.args, **named: P.kwargs) -> None:
        try:
            method(self, *args, **named)
        except Exception as error:
            logger.warning("tracking_failed", extra={"call": method.__name__, "error": type(error).__name__})

    return tell


class JobLogger:
    """Stage, progress, outcome and log of one run. Whatever goes wrong here is logged, and never fails the work.

    Progress and counters are written to the run's note, at most once in 250 ms and once at the end. Lines go to
    Dagster's event log as they come: with context, or as milestones, they are engine events with metadata. No
    method may be called inside a `together` of stores that writes the note.
    """

    def __init__(
        self,
        run: DagsterRun,
        instance: DagsterInstance,
        notes: Notes,
        stages: Sequence[str] = (),
        later: Later = in_background,
    ) -> None:
        self._run, self._instance, self._notes = run, instance, notes
        self._changing = Lock()
        self._progress = Progress.planned(stages)
        self._counts: dict[str | None, Counter[str]] = {}
        self._stage_began: float | None = None
        self._summary: str | None = None
        self._batch = Batch(self._write, later)

    @property
    def progress(self) -> Progress:
        """Show how far the job has come."""
        return self._progress

    @best_effort
    def set_stage(self, name: str, message: str | None = None) -> None:
        """Go into a stage, or try it once more: what it counted at its first try is forgotten.

        The first one is written at once: whoever has to close the run tells by it that the run had begun.
        """
        is_first, self._stage_began = self._progress.stage is None, time.monotonic()
        if name == self._progress.stage:
            self._counts.pop(name, None)
        self._show(lambda progress: progress.enter(name, message))
        if is_first:
            self._batch.flush()

    @best_effort
    def set_total(self, total: int, unit: str | None = None) -> None:
        """Say how much there is to do in this stage, as in `set_total(12, "pages")`."""
        self._show(lambda progress: progress.of(total, unit))

    @best_effort
    def increment(self, by: int = 1, message: str | None = None) -> None:
        """Say that some of it is done."""
        self._show(lambda progress: progress.advanced(by, message))

    @best_effort
    def set_progress(self, percent: float, message: str | None = None) -> None:
        """Say how many percent of this stage are done, where nothing can be counted."""
        self._show(lambda progress: progress.at(percent, message))

    @best_effort
    def end_stage(self, state: StepState, message: str | None = None) -> None:
        """Say how the stage ended; when it stops the job, everything is written at once."""
        self._measure(state)
        self._show(lambda progress: progress.leave(state, message))
        if state is not StepState.COMPLETED:
            self._batch.flush()

    @contextmanager
    def stage(self, name: str, message: str | None = None) -> Iterator[None]:
        """Work in a stage: it ends completed, or failed or cancelled with what is raised."""
        self.set_stage(name, message)
        try:
            yield
        except Exception:
            self.end_stage(StepState.FAILED)
            raise
        except BaseException:
            self.end_stage(StepState.CANCELLED)
            raise
        self.end_stage(StepState.COMPLETED)

    @best_effort
    def debug(self, message: str, /, **context: Any) -> None:
        """Log what only somebody who looks for a fault wants to know; kept for runs tagged `discubot/debug`."""
        if self._run.tags.get(DEBUG, "false") != "false":
            self._log(logging.DEBUG, "debug", message, context)

    @best_effort
    def info(self, message: str, /, **context: Any) -> None:
        """Log what happens."""
        self._log(logging.INFO, "info", message, context)

    @best_effort
    def milestone(self, message: str, /, **context: Any) -> None:
        """Log what people wait for, in their words."""
        self._log(logging.INFO, "milestone", message, context)

    @best_effort
    def warning(self, message: str, /, **context: Any) -> None:
        """Log what went wrong without stopping the job."""
        self._log(logging.WARNING, "warning", message, context)

    @best_effort
    def error(self, message: str, /, **context: Any) -> None:
        """Log what went wrong for good."""
        self._log(logging.ERROR, "error", message, context)

    @best_effort
    def add_outcome(self, /, **counts: int) -> None:
        """Add to what the job has brought about, as in `add_outcome(created=1)`."""
        with self._changing:
            self._counts.setdefault(self._progress.stage, Counter()).update(counts)
        self._batch.touch()

    @best_effort
    def save_outcome(self) -> None:
        """Write everything now; at the end of a run that happens by itself."""
        self._batch.flush()

    @best_effort
    def summary(self, text: str, /, **context: Any) -> None:
        """Say in one sentence what came of the job; it is kept beside the counters, and logged."""
        self._summary = text
        self._show(lambda progress: progress.at(0, text))
        self._log(logging.INFO, "summary", text, context)

    def _measure(self, state: StepState) -> None:
        """Count a try of a stage, once, by how it ended."""
        began, self._stage_began = self._stage_began, None
        if began is not None and self._progress.stage:
            tally.stage(time.monotonic() - began, self._run.job_name, self._progress.stage, state)

    def _show(self, change: Callable[[Progress], Progress]) -> None:
        with self._changing:
            self._progress = change(self._progress)
        self._batch.touch()

    def _write(self) -> None:
        counts: Counter[str] = Counter()
        with self._changing:
            progress = self._progress
            for each in self._counts.values():
                counts.update(each)
        self._notes.track(self._run.run_id, progress, counts, self._summary)

    def _log(self, level: int, kind: str, message: str, context: dict[str, Any]) -> None:
        op = current_op()
        if op and not context and kind in PLAIN:
            op.log.log(level, message)
            return
        metadata: dict[str, Any] = {KIND: kind}
        if self._progress.stage:
            metadata[STAGE] = self._progress.stage
        if context:
            metadata[CONTEXT] = MetadataValue.json(json.loads(json.dumps(context, default=str)))
        event = DagsterEvent(
            DagsterEventType.ENGINE_EVENT.value,
            self._run.job_name,
            step_key=str(op.op_handle) if op else None,
            event_specific_data=EngineEventData(metadata),
            message=message,
        )
        self._instance.report_dagster_event(event, self._run.run_id, level)


def current_op() -> OpExecutionContext | None:
    """Give the op that is at work on this thread."""
    try:
        return OpExecutionContext.get()
    except DagsterInvariantViolationError:
        return None
