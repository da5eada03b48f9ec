"""Step records: what each op was given, what came of it, and how long it took. Op outputs live here too."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.job import Stage, Value
from discubot_pipeline.domain.redaction import NO_SECRETS, Redaction
from discubot_pipeline.store.columns import adding
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.reasonings import is_new, put, wants_explanations
from discubot_pipeline.store.tables import StepStatus, steps

OUTPUT_FOLLOWS = timedelta(seconds=2)
"""An op's output is stored just after its record is closed, and an explanation needs it."""


class StepRecord(Value):
    """One row of the steps table: what an op was given, what came of it, how often it was tried, and what it took."""

    step: str
    stage: Stage | None
    status: StepStatus
    input: Any
    output: Any
    reason: str | None
    error: str | None
    reasoning: str | None
    attempts: int
    prompt_tokens: int
    answer_tokens: int
    cost_usd: float
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None


class Steps:
    """The steps table: one row for each (run, op). What it keeps is redacted; each call is one transaction."""

    def __init__(self, engine: sa.Engine, redaction: Redaction = NO_SECRETS) -> None:
        self._engine = engine
        self._redaction = redaction

    def begin(self, run_id: str, step: str, stage: Stage | None, given: Any) -> None:
        """Open the record of an op, or of its next attempt."""
        row = {"run_id": run_id, "step": step, "stage": stage, "input": self._redaction.value(given)}
        again = {
            "status": StepStatus.RUNNING,
            "attempts": steps.c.attempts + 1,
            "reason": None,
            "error": None,
            "reasoning": None,
            "finished_at": None,
            "updated_at": sa.func.now(),
        }
        insert = pg.insert(steps).values(row)
        self._run(insert.on_conflict_do_update(index_elements=[steps.c.run_id, steps.c.step], set_=again))

    def end(
        self,
        run_id: str,
        step: str,
        status: StepStatus,
        *,
        reason: str | None = None,
        error: str | None = None,
        team_id: UUID | None = None,
        discussion_id: UUID | None = None,
    ) -> None:
        """Close the record of an op; its explanation is asked for where its team wants that of every step."""
        values: dict[str, Any] = {
            "status": status,
            "reason": reason,
            "error": self._redaction.text(error) if error else error,
            "finished_at": sa.func.now(),
        }
        values |= {"team_id": team_id, "discussion_id": discussion_id} if team_id else {}
        with transaction(self._engine) as connection:
            connection.execute(self._of(run_id, step).values(values))
            mine = (steps.c.run_id == run_id, sa.or_(steps.c.step == step, is_new()))
            put(connection, *mine, wants_explanations(), pause=OUTPUT_FOLLOWS)

    def finish(self, run_id: str, step: str, output: Any) -> None:
        """Close the record of a step that did its work, with what came of it, in one transaction."""
        with transaction(self._engine):
            self.store_output(run_id, step, output)
            self.end(run_id, step, StepStatus.COMPLETED)

    def spend(self, run_id: str, step: str, usage: Usage) -> None:
        """Add what a language model took to an op's record, over all its attempts."""
        self._run(self._of(run_id, step).values(adding(steps, usage)))

    def spent(self, team_id: UUID, since: datetime) -> dict[date, Usage]:
        """Sum what language models took for a team since a moment, by day (UTC)."""
        day = sa.cast(sa.func.timezone("UTC", steps.c.started_at), sa.Date).label("day")
        sums = [sa.func.sum(steps.c[name]).label(name) for name in ("prompt_tokens", "answer_tokens", "cost_usd")]
        wanted = sa.select(day, *sums).where(steps.c.team_id == team_id, steps.c.started_at >= since).group_by(day)
        with single(self._engine) as connection:
            rows = connection.execute(wanted.order_by(day)).mappings().all()
        return {row["day"]: Usage.model_validate({**row}) for row in rows}

    def of_run(self, run_id: str) -> list[StepRecord]:
        """List the step records of a run in the order in which they began."""
        wanted = sa.select(steps).where(steps.c.run_id == run_id).order_by(steps.c.started_at, steps.c.created_at)
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(wanted)]

    def store_output(self, run_id: str, step: str, output: Any) -> None:
        """Keep an op's output for the ops after it, in this run or in one that goes on with it."""
        output = self._redaction.value(output)
        row = {"run_id": run_id, "step": step, "output": output}
        insert = pg.insert(steps).values(row)
        kept = insert.on_conflict_do_update(index_elements=[steps.c.run_id, steps.c.step], set_={"output": output})
        self._run(kept)

    def output(self, run_id: str, step: str) -> dict[str, Any] | None:
        """Give an op's stored output; None when there is none."""
        with single(self._engine) as connection:
            wanted = sa.select(steps.c.output).where(steps.c.run_id == run_id, steps.c.step == step)
            found: dict[str, Any] | None = connection.execute(wanted).scalar()
            return found

    def error(self, run_id: str, step: str) -> str | None:
        """Say why an op has failed."""
        with single(self._engine) as connection:
            return connection.execute(
                sa.select(steps.c.error).where(steps.c.run_id == run_id, steps.c.step == step)
            ).scalar()

    def _of(self, run_id: str, step: str) -> Any:
        return sa.update(steps).where(steps.c.run_id == run_id, steps.c.step == step)

    def _run(self, statement: Any) -> None:
        with single(self._engine) as connection:
            connection.execute(statement)


def read(row: Any) -> StepRecord:
    """Turn a row into a value."""
    took = (row.finished_at - row.started_at) // timedelta(milliseconds=1) if row.finished_at else None
    known = {name: getattr(row, name) for name in StepRecord.model_fields if name != "duration_ms"}
    return StepRecord(**known, duration_ms=took)
