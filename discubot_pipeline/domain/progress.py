"""How far a job has come, for people who wait for it. What has been shown once is never taken back."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from discubot_pipeline.domain.job import Value


class StepState(StrEnum):
    """How one stage of a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    IGNORED = "ignored"
    DEFERRED = "deferred"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (StepState.PENDING, StepState.RUNNING, StepState.RETRYING)


class Progress(Value):
    """Where a run stands: `percent` (0 to 100) of all of it, `current` of `total` (in `unit`s) within its stage.

    Stages that are planned share the hundred equally; without a plan the stage at work counts for all of it.
    """

    stage: str | None = None
    percent: int = 0
    current: int = 0
    total: int | None = None
    unit: str | None = None
    message: str | None = None
    steps: dict[str, StepState] = Field(default_factory=dict)
    counted: int = Field(default=0, exclude=True, description="`current` of this attempt; it starts anew, and lags.")
    is_planned: bool = Field(default=False, exclude=True)

    @classmethod
    def planned(cls, stages: Sequence[str]) -> "Progress":
        """Start with stages that are known from the beginning, in their order; none is no plan."""
        return cls(steps=dict.fromkeys(stages, StepState.PENDING), is_planned=bool(stages))

    def enter(self, stage: str, message: str | None = None) -> "Progress":
        """Go into a stage. All before it are done, by this run or the one it goes on with; none is entered again."""
        if stage == self.stage:
            again = self.steps | {stage: StepState.RUNNING}
            return self.model_copy(update={"steps": again, "message": message, "counted": 0})
        if self.steps.get(stage, StepState.PENDING) is not StepState.PENDING:
            return self
        before = list(self.steps)[: self._place(stage)]
        done = {name: StepState.COMPLETED for name in before if self.steps[name] in OPEN}
        entered = Progress(
            stage=stage,
            percent=self.percent,
            message=message,
            steps=self.steps | done | {stage: StepState.RUNNING},
            is_planned=self.is_planned,
        )
        return entered.at(0) if self.is_planned else entered

    def of(self, total: int, unit: str | None = None) -> "Progress":
        """Say how much there is to do in this stage."""
        return self.model_copy(update={"total": total, "unit": unit})

    def advanced(self, by: int = 1, message: str | None = None) -> "Progress":
        """Count what has been done in this stage."""
        counted = self.counted + by
        said = {"counted": counted, "current": max(self.current, counted), "message": message or self.message}
        ahead = self.model_copy(update=said)
        return ahead.at(100 * ahead.current / self.total) if self.total else ahead

    def at(self, percent: float, message: str | None = None) -> "Progress":
        """Say how much of this stage is done, 0 to 100; without a plan, of the job."""
        share = min(max(percent, 0), 100)
        if self.is_planned and self.stage in self.steps:
            share = (100 * self._place(self.stage) + share) / len(self.steps)
        return self.model_copy(update={"percent": max(self.percent, int(share)), "message": message or self.message})

    def leave(self, state: StepState, message: str | None = None) -> "Progress":
        """Say how the stage at work ended."""
        if self.stage is None:
            return self
        left = self.model_copy(update={"steps": self.steps | {self.stage: state}, "message": message or self.message})
        return left.at(100) if self.is_planned and state is StepState.COMPLETED else left

    def _place(self, stage: str) -> int:
        names = list(self.steps)
        return names.index(stage) if stage in names else len(names)
