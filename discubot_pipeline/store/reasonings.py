"""The queue of explanations: one row a step, taken by one run at a time, its text kept on the step. Used by `steps`."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.explanation import Explanation, Wanted
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.redaction import Redaction
from discubot_pipeline.store.columns import SYSTEM, adding
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.enums import ReasoningStatus, StepStatus
from discubot_pipeline.store.inbox import CHANNEL
from discubot_pipeline.store.tables import notes, reasonings, source_configs, steps, teams

BELL = "explanations"
"""What the bell says when a step waits for its explanation."""

MOST_ATTEMPTS = 3
FINISHED = (StepStatus.COMPLETED, StepStatus.IGNORED, StepStatus.DEFERRED, StepStatus.FAILED)
WAITING = (ReasoningStatus.PENDING, ReasoningStatus.PROCESSING)
OVER = (ReasoningStatus.COMPLETED, ReasoningStatus.FAILED)
_r = reasonings.c


class Asked(Value):
    """How an explanation stands; `author` is the model that wrote it, or `offline`."""

    step: str
    status: ReasoningStatus
    attempts: int
    author: str | None
    reason: str | None
    error: str | None
    asked_at: datetime
    finished_at: datetime | None


class ExplanationFigures(Value):
    """How explanations fare; a rate is of those that have ended, None while none has."""

    pending: int
    processing: int
    completed: int
    failed: int
    success_rate: float | None
    attempts: float | None
    average_ms: float | None
    p95_ms: float | None
    longest_wait_ms: float | None


class Reasonings:
    """The reasonings table."""

    def __init__(self, engine: sa.Engine, redaction: Redaction) -> None:
        self._engine = engine
        self._redaction = redaction

    def ask(self, run_id: str, actor: str) -> int:
        """Ask for an explanation of each finished step of a run that has none; gives for how many."""
        with transaction(self._engine) as connection:
            return put(connection, steps.c.run_id == run_id, actor=actor)

    def next_due(self) -> timedelta | None:
        """Say how soon an explanation may be written; zero or less is now, None never as far as is known."""
        soonest = sa.func.min(_r.due_at) - sa.func.clock_timestamp()
        with single(self._engine) as connection:
            return connection.execute(sa.select(soonest).where(_r.status.in_(WAITING))).scalar()

    def give_back(self, worker: str) -> int:
        """Let the explanations that a run had begun when it died be taken at once; gives how many."""
        mine = sa.and_(_r.worker == worker, _r.status == ReasoningStatus.PROCESSING)
        with single(self._engine) as connection:
            return connection.execute(sa.update(reasonings).where(mine).values(due_at=sa.func.now())).rowcount

    def take(self, worker: str, lease: timedelta) -> Wanted | None:
        """Take the explanation that has waited longest; nobody else gets it until its lease is over.

        One that was begun too often is given up, so that it cannot kill one run after the other.
        """
        with transaction(self._engine) as connection:
            connection.execute(given_up())
            oldest = sa.select(_r.id).where(is_due()).order_by(_r.due_at).limit(1).with_for_update(skip_locked=True)
            taken = (
                sa.update(reasonings)
                .where(_r.id.in_(oldest))
                .values(
                    status=ReasoningStatus.PROCESSING,
                    attempts=_r.attempts + 1,
                    worker=worker,
                    due_at=sa.func.now() + lease,
                    started_at=sa.func.now(),
                )
                .returning(_r.id)
            )
            id = connection.execute(taken).scalar()
            row = connection.execute(described().where(_r.id == id)).one() if id else None
        return Wanted(**{name: getattr(row, name) for name in Wanted.model_fields}) if row else None

    def complete(self, wanted: Wanted, worker: str, explanation: Explanation) -> bool:
        """Keep an explanation on its step; False when it is no longer this run's to write."""
        values = {"status": ReasoningStatus.COMPLETED, "author": explanation.author, "reason": None, "error": None}
        with transaction(self._engine) as connection:
            if not self._end(connection, wanted, worker, values | adding(reasonings, explanation.usage)):
                return False
            text = {"reasoning": self._redaction.text(explanation.text)}
            connection.execute(of_step(wanted).values(text | adding(steps, explanation.usage)))
        return True

    def fail(self, wanted: Wanted, worker: str, reason: str, error: str, pause: timedelta) -> bool:
        """Note why an explanation could not be written: after a pause it is tried again, while it has tries left."""
        is_over = wanted.attempts >= MOST_ATTEMPTS
        tried = ReasoningStatus.FAILED if is_over else ReasoningStatus.PENDING
        values = {"status": tried, "reason": reason, "error": self._redaction.text(error)}
        with transaction(self._engine) as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, BELL)))
            return self._end(connection, wanted, worker, values | {"due_at": sa.func.now() + pause})

    def of_run(self, run_id: str) -> list[Asked]:
        """List how the explanations of a run's steps stand."""
        with single(self._engine) as connection:
            rows = connection.execute(sa.select(reasonings).where(_r.run_id == run_id).order_by(_r.asked_at, _r.step))
            return [Asked(**{name: getattr(row, name) for name in Asked.model_fields}) for row in rows]

    def figures(self, team_id: UUID | None = None) -> ExplanationFigures:
        """Count explanations by state, and say how long they take; of all teams unless one is named."""
        milliseconds = 1000 * sa.extract("epoch", _r.finished_at - _r.started_at)
        waited = 1000 * sa.extract("epoch", sa.func.now() - _r.asked_at)
        done, over = _r.status == ReasoningStatus.COMPLETED, _r.status.in_(OVER)
        counts = [sa.func.count().filter(_r.status == status).label(status.value) for status in ReasoningStatus]
        figures = sa.select(
            *counts,
            (sa.func.avg(sa.case((done, 1.0), else_=0.0)).filter(over)).label("success_rate"),
            sa.func.avg(_r.attempts).filter(over).label("attempts"),
            sa.func.avg(milliseconds).filter(done).label("average_ms"),
            sa.func.percentile_cont(0.95).within_group(milliseconds).filter(done).label("p95_ms"),
            sa.func.max(waited).filter(_r.status == ReasoningStatus.PENDING).label("longest_wait_ms"),
        )
        with single(self._engine) as connection:
            row = connection.execute(figures.where(_r.team_id == team_id) if team_id else figures).mappings().one()
        return ExplanationFigures.model_validate({**row})

    def _end(self, connection: sa.Connection, wanted: Wanted, worker: str, values: dict[str, Any]) -> bool:
        mine = sa.and_(_r.id == wanted.id, _r.worker == worker, _r.status == ReasoningStatus.PROCESSING)
        ended = sa.update(reasonings).where(mine).values(**values, finished_at=sa.func.now())
        return bool(connection.execute(ended).rowcount)


def put(
    connection: sa.Connection, *which: sa.ColumnElement[bool], actor: str = SYSTEM, pause: timedelta = timedelta()
) -> int:
    """Ask for explanations of the steps that are meant, and ring the bell; gives for how many."""
    asked = len(connection.execute(asking(*which, actor=actor, pause=pause).returning(_r.id)).all())
    if asked:
        connection.execute(sa.select(sa.func.pg_notify(CHANNEL, BELL)))
    return asked


def asking(*which: sa.ColumnElement[bool], actor: str, pause: timedelta) -> pg.Insert:
    """Write what puts finished steps without an explanation into the queue, each once however often it is asked for."""
    team = sa.func.coalesce(steps.c.team_id, notes.c.team_id)
    wanted = (
        sa.select(steps.c.run_id, steps.c.step, team, sa.func.now() + pause, sa.literal(actor))
        .select_from(with_settings())
        .where(*which, steps.c.status.in_(FINISHED), steps.c.finished_at.is_not(None), steps.c.reasoning.is_(None))
    )
    insert = pg.insert(reasonings).from_select(["run_id", "step", "team_id", "due_at", "created_by"], wanted)
    again = {
        "status": ReasoningStatus.PENDING,
        "attempts": 0,
        "asked_at": sa.func.now(),
        "due_at": insert.excluded.due_at,
        "started_at": None,
        "finished_at": None,
        "updated_by": actor,
    }
    return insert.on_conflict_do_update(index_elements=[_r.run_id, _r.step], set_=again, where=_r.status.in_(OVER))


def wants_explanations() -> sa.ColumnElement[bool]:
    """Ask whether a step's source, or else its team, wants every step explained."""
    chosen = [table.c.preferences["explain"].as_boolean() for table in (source_configs, teams)]
    return sa.func.coalesce(*chosen, sa.false())


def is_new() -> sa.ColumnElement[bool]:
    """Ask whether a step was never asked about: the first one of a run ends before its source is known."""
    known = sa.and_(_r.run_id == steps.c.run_id, _r.step == steps.c.step)
    return ~sa.select(_r.id).where(known).exists()


def with_settings() -> sa.Join:
    """Put steps together with the settings that they ran under."""
    noted = steps.outerjoin(notes, notes.c.run_id == steps.c.run_id)
    team = sa.func.coalesce(steps.c.team_id, notes.c.team_id)
    teamed = noted.outerjoin(teams, teams.c.id == team)
    return teamed.outerjoin(source_configs, source_configs.c.id == notes.c.source_config_id)


def is_due() -> sa.ColumnElement[bool]:
    """Ask for what nobody writes: not begun, or begun by somebody whose lease is over."""
    return sa.and_(_r.status.in_(WAITING), _r.due_at <= sa.func.now())


def given_up() -> sa.Update:
    """Write what ends those that nobody could finish."""
    worn = sa.and_(is_due(), _r.status == ReasoningStatus.PROCESSING, _r.attempts >= MOST_ATTEMPTS)
    ended = {"status": ReasoningStatus.FAILED, "reason": "crashed", "finished_at": sa.func.now()}
    return sa.update(reasonings).where(worn).values(ended)


def described() -> sa.Select[Any]:
    """Read all that an explanation is made of."""
    record = (steps.c[name] for name in ("stage", "status", "input", "output", "reason", "error"))
    about = sa.select(_r.id, _r.run_id, _r.step, _r.attempts, *record, notes.c.source_config_id)
    of_step = sa.and_(steps.c.run_id == _r.run_id, steps.c.step == _r.step)
    return about.select_from(reasonings.join(steps, of_step).outerjoin(notes, notes.c.run_id == _r.run_id)).add_columns(
        steps.c.attempts.label("tries")
    )


def of_step(wanted: Wanted) -> sa.Update:
    """Change the step that an explanation is of."""
    return sa.update(steps).where(steps.c.run_id == wanted.run_id, steps.c.step == wanted.step)
