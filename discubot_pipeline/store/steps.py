"""Step records: what each op was given, what came of it, and how long it took. Op outputs live here too."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.job import Stage
from discubot_pipeline.store.columns import adding
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.tables import StepStatus, steps


class Steps:
    """The steps table: one row for each (run, op)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, run_id: str, step: str, stage: Stage | None, given: dict[str, Any]) -> None:
        """Open the record of an op, or of its next attempt."""
        row = {"run_id": run_id, "step": step, "stage": stage, "input": given}
        again = {
            "status": StepStatus.RUNNING,
            "attempts": steps.c.attempts + 1,
            "reason": None,
            "error": None,
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
        """Close the record of an op."""
        values: dict[str, Any] = {
            "status": status,
            "reason": reason,
            "error": error,
            "finished_at": sa.func.now(),
        }
        values |= {"team_id": team_id, "discussion_id": discussion_id} if team_id else {}
        self._run(self._of(run_id, step).values(values))

    def spend(self, run_id: str, step: str, usage: Usage) -> None:
        """Add what a language model took to an op's record, over all its attempts."""
        self._run(self._of(run_id, step).values(adding(steps, usage)))

    def spent(self, team_id: UUID, since: datetime) -> dict[date, Usage]:
        """Sum what language models took for a team since a moment, by day (UTC)."""
        day = sa.cast(sa.func.timezone("UTC", steps.c.started_at), sa.Date).label("day")
        sums = [sa.func.sum(steps.c[name]).label(name) for name in ("prompt_tokens", "answer_tokens", "cost_usd")]
        wanted = sa.select(day, *sums).where(steps.c.team_id == team_id, steps.c.started_at >= since).group_by(day)
        with transaction(self._engine) as connection:
            rows = connection.execute(wanted.order_by(day)).mappings().all()
        return {row["day"]: Usage.model_validate({**row}) for row in rows}

    def store_output(self, run_id: str, step: str, output: dict[str, Any]) -> None:
        """Keep an op's output for the ops after it, in this run or in one that goes on with it."""
        row = {"run_id": run_id, "step": step, "output": output}
        insert = pg.insert(steps).values(row)
        kept = insert.on_conflict_do_update(index_elements=[steps.c.run_id, steps.c.step], set_={"output": output})
        self._run(kept)

    def output(self, run_id: str, step: str) -> dict[str, Any] | None:
        """Give an op's stored output; None when there is none."""
        with transaction(self._engine) as connection:
            wanted = sa.select(steps.c.output).where(steps.c.run_id == run_id, steps.c.step == step)
            found: dict[str, Any] | None = connection.execute(wanted).scalar()
            return found

    def error(self, run_id: str, step: str) -> str | None:
        """Say why an op has failed."""
        with transaction(self._engine) as connection:
            return connection.execute(
                sa.select(steps.c.error).where(steps.c.run_id == run_id, steps.c.step == step)
            ).scalar()

    def _of(self, run_id: str, step: str) -> Any:
        return sa.update(steps).where(steps.c.run_id == run_id, steps.c.step == step)

    def _run(self, statement: Any) -> None:
        with transaction(self._engine) as connection:
            connection.execute(statement)
