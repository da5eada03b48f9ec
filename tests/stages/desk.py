"""A discussion that a run holds, ready for its fourth stage, and analysts that do as they are told."""

from dataclasses import dataclass, field, replace
from typing import Any

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.admin.teams import change
from discubot_pipeline.domain.analysis import Analysis, Brief, Judgement
from discubot_pipeline.domain.changes import TeamChange
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Analyst
from discubot_pipeline.stages.analyze import STEP, analyze
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, steps
from tests.store.samples import rows

RUN = "11111111-1111-4111-8111-111111111111"
SAID = ("The checkout is broken.", "Please fix the Pay button by Friday.")


class Scripted:
    """An analyst that gives, or raises, what it is told to, and remembers its briefs."""

    name = "scripted:model"

    def __init__(self, *answers: Judgement | Exception, fingerprint: str | None = None) -> None:
        self._answers = list(answers)
        self.fingerprint = fingerprint
        self.briefs: list[Brief] = []

    def analyze(self, brief: Brief) -> Judgement:
        self.briefs.append(brief)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class World:
    """The world outside, of which this stage needs analysts only."""

    chosen: Analyst

    def analyst(self, config: SourceConfig) -> Analyst:
        return self.chosen

    def offline(self) -> Analyst:
        return RuleAnalyst()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"this stage has no business with {name}")


@dataclass(frozen=True)
class Desk:
    """A thread on the desk of a run."""

    stores: Stores
    thread: Thread
    job: Job = field(default_factory=lambda: Job(run_id=RUN, root_run_id=RUN))

    def having(self, **parsed: Any) -> "Desk":
        """Give the same desk with other circumstances."""
        configured = self.thread.configured
        known = configured.model_copy(update={"parsed": configured.parsed.model_copy(update=parsed)})
        return replace(self, thread=self.thread.model_copy(update={"configured": known}))

    def run(self, analyst: Analyst, **job: Any) -> Analysis:
        """Let the stage work."""
        return analyze(self.thread, self.job.model_copy(update=job), self.stores, World(analyst))  # type: ignore[arg-type]

    def prefer(self, **chosen: Any) -> None:
        """Change the team's preferences."""
        team = self.stores.configs.team("acme")
        change(self.stores, team, TeamChange(preferences=chosen), team.version, "test")

    @property
    def discussion(self) -> Any:
        """Give the discussion's row."""
        return rows(self.stores.engine, discussions)[0]

    @property
    def step(self) -> Any:
        """Give the step's record."""
        return rows(self.stores.engine, steps, steps.c.step == STEP)[0]
