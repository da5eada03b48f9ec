"""Records steps of whatever runs, ours or not, so that it can be looked up and explained. Made by `wiring`."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from pydantic_core import to_jsonable_python

from discubot_pipeline import __version__
from discubot_pipeline.domain.errors import reason_of
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.store.executions import Executions
from discubot_pipeline.store.steps import Steps
from discubot_pipeline.store.tables import StepStatus


@dataclass
class Step:
    """A step that is at work; what it has brought is put into `output`, as anything that JSON can hold."""

    name: str
    output: Any = None


class Recorder:
    """One execution: `with recorder.step("name", input=…) as step: step.output = …`.

    Each step is written when it begins and when it ends, each time in one transaction, so that it is known how far a
    process came that died. What a step raises is recorded with its stack, and raised. A step of a name that is there
    already is another attempt of it. With the id of a Dagster run, the steps are recorded as that run's.
    """

    def __init__(
        self,
        executions: Executions,
        steps: Steps,
        project: str,
        metadata: dict[str, Any] | None = None,
        team: str | None = None,
        run_id: str | None = None,
    ) -> None:
        self.id = run_id or str(uuid4())
        self._executions, self._steps = executions, steps
        self._is_own = run_id is None
        if self._is_own:
            executions.open(self.id, project, plain(metadata or {}), team, __version__)

    @contextmanager
    def step(self, name: str, input: Any = None) -> Iterator[Step]:
        """Record what is done in the block as one step."""
        step = Step(name)
        self._steps.begin(self.id, name, None, plain(input))
        try:
            yield step
        except BaseException as error:
            stack = "".join(traceback.format_exception(error))
            self._steps.end(self.id, name, StepStatus.FAILED, reason=reason_of(error), error=stack)
            raise
        self._steps.finish(self.id, name, plain(step.output))

    def close(self, outcome: RunOutcome, error: str | None = None) -> None:
        """Say how the execution ended; a `with` around it does so by itself. That of a Dagster run is Dagster's."""
        if self._is_own:
            self._executions.close(self.id, outcome, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.close(RunOutcome.FAILED if error else RunOutcome.COMPLETED, repr(error) if error else None)


def plain(value: Any) -> Any:
    """Give what JSON can hold; what it cannot is written as text."""
    return to_jsonable_python(value, fallback=repr, serialize_unknown=True)
