"""Figures by team and day (UTC), kept in a table so that they are cheap to read and outlive what they were made of."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.tables import discussions, inboxes, notes, statistics, steps, tasks, teams

TTL = timedelta(minutes=1)
"""How old the figures of a day may be, while they may still change."""
SETTLES_AFTER = timedelta(days=3)
"""How long after its beginning a day is looked at again; later it takes `recompute`."""
SPENT = ("prompt_tokens", "answer_tokens", "cost_usd")
PERCENTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
TOTALS = ("deliveries", "discussions", "tasks", "failures", *SPENT)


class Figures(Value):
    """What came in, what became of it, and what language models took for it."""

    deliveries: int = Field(description="Deliveries received.")
    discussions: int = Field(description="Discussions begun.")
    tasks: int = Field(description="Tasks made.")
    failures: int = Field(description="Deliveries received that ended as failed or dead.")
    prompt_tokens: int
    answer_tokens: int
    cost_usd: float = Field(description="Of the jobs begun.")


class Day(Figures):
    """The figures of one day; latencies are from received to done, in milliseconds, null where nothing was done."""

    day: date
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    computed_at: datetime


class Statistics:
    """The statistics table."""

    def __init__(self, engine: sa.Engine, ttl: timedelta = TTL) -> None:
        self._engine = engine
        self._ttl = ttl

    def of(self, team_id: UUID, first: date, last: date) -> list[Day]:
        """Give the days of a team from the first to the last, none of them older than it may be."""
        with transaction(self._engine) as connection:
            if stale := list(connection.scalars(self._stale(team_id, first, last))):
                connection.execute(fill(stale[0], stale[-1], team_id))
            return [
                Day.model_validate(row, from_attributes=True) for row in connection.execute(of(team_id, first, last))
            ]

    def recompute(self, first: date, last: date, team_id: UUID | None = None) -> int:
        """Compute the days of a team, or of all teams, anew; gives how many rows that were."""
        with single(self._engine) as connection:
            return connection.execute(
                fill(first, last, team_id), execution_options={"preserve_rowcount": True}
            ).rowcount

    def _stale(self, team_id: UUID, first: date, last: date) -> sa.Select[Any]:
        day, s = days(first, last), statistics.c
        settled = midnight(day.c.day) + SETTLES_AFTER
        fresh = s.computed_at >= sa.func.least(sa.func.now() - self._ttl, settled)
        there = sa.exists().where(s.team_id == team_id, s.day == day.c.day, fresh)
        return sa.select(day.c.day).where(~there).order_by(day.c.day)


def of(team_id: UUID, first: date, last: date) -> sa.Select[Any]:
    """Select the days of a team."""
    s = statistics.c
    return sa.select(statistics).where(s.team_id == team_id, s.day.between(first, last)).order_by(s.day)


def fill(first: date, last: date, team_id: UUID | None = None) -> Any:
    """Write the figures of some days over what is there, in one statement; rows come in one order, so none deadlock.

    What was spent stays spent, also when the step records that say so are gone.
    """
    day = days(first, last)
    parts = [part(first, last, team_id) for part in (received, begun, made, spent)]
    rows: Any = teams.join(day, sa.true())
    for part in parts:
        rows = rows.outerjoin(part, (part.c.team_id == teams.c.id) & (part.c.day == day.c.day))
    found = {column.name: column for part in parts for column in part.c}
    figures = [*(sa.func.coalesce(found[name], 0) for name in TOTALS), *(found[name] for name in PERCENTILES)]
    selected = sa.select(teams.c.id, day.c.day, sa.func.now(), *figures).select_from(rows)
    selected = selected.where(*of_team(teams.c.id, team_id)).order_by(teams.c.id, day.c.day)
    names = ["team_id", "day", "computed_at", *TOTALS, *PERCENTILES]
    insert = pg.insert(statistics).from_select(names, selected)
    newer: dict[str, Any] = {name: insert.excluded[name] for name in names[2:]} | {"updated_at": sa.func.now()}
    newer |= {name: sa.func.greatest(statistics.c[name], insert.excluded[name]) for name in SPENT}
    return insert.on_conflict_do_update(index_elements=[statistics.c.team_id, statistics.c.day], set_=newer)


def received(first: date, last: date, team_id: UUID | None) -> sa.Subquery:
    """Count deliveries by the day they came, and measure how long the done ones took."""

    def of_inbox(t: sa.Table) -> sa.Select[Any]:
        took = t.c.finished_at - sa.func.coalesce(t.c.replayed_at, t.c.received_at)
        done = sa.case((t.c.status == DeliveryStatus.DONE, sa.func.extract("epoch", took) * 1000))
        own = sa.select(t.c.team_id, day_of(t.c.received_at), t.c.status, done.label("ms"))
        return own.where(*of_team(t.c.team_id, team_id), *within(t.c.received_at, first, last))

    every = sa.union_all(*map(of_inbox, inboxes.values())).subquery()
    lost = every.c.status.in_([DeliveryStatus.FAILED, DeliveryStatus.DEAD])
    ranks = [
        sa.cast(sa.func.percentile_cont(share).within_group(every.c.ms), sa.BigInteger).label(name)
        for name, share in PERCENTILES.items()
    ]
    counts = (sa.func.count().label("deliveries"), sa.func.count().filter(lost).label("failures"))
    return sa.select(every.c.team_id, every.c.day, *counts, *ranks).group_by(every.c.team_id, every.c.day).subquery()


def begun(first: date, last: date, team_id: UUID | None) -> sa.Subquery:
    """Count discussions by the day they were begun."""
    return by_day(discussions, discussions.c.created_at, first, last, team_id, sa.func.count().label("discussions"))


def made(first: date, last: date, team_id: UUID | None) -> sa.Subquery:
    """Count the tasks that have their page by the day they were begun."""
    whole = sa.func.count().filter(tasks.c.state == TaskState.CREATED).label("tasks")
    return by_day(tasks, tasks.c.created_at, first, last, team_id, whole)


def spent(first: date, last: date, team_id: UUID | None) -> sa.Subquery:
    """Sum what language models took by the day its job began."""
    sums = [sa.func.sum(steps.c[name]).label(name) for name in SPENT]
    both = notes.join(steps, steps.c.run_id == notes.c.run_id)
    return by_day(notes, notes.c.created_at, first, last, team_id, *sums, rows=both)


def by_day(
    table: sa.Table,
    moment: sa.Column[Any],
    first: date,
    last: date,
    team_id: UUID | None,
    *figures: sa.ColumnElement[Any],
    rows: sa.FromClause | None = None,
) -> sa.Subquery:
    """Put figures together by team and day."""
    selected = sa.select(table.c.team_id, day_of(moment), *figures).select_from(table if rows is None else rows)
    wanted = selected.where(*of_team(table.c.team_id, team_id), *within(moment, first, last))
    return wanted.group_by(table.c.team_id, sa.literal_column("2")).subquery()


def days(first: date, last: date) -> sa.CTE:
    """List days, up to today."""
    today = sa.func.timezone("UTC", sa.func.now())
    end = sa.func.least(sa.cast(last, sa.TIMESTAMP), today)
    each = sa.func.generate_series(sa.cast(first, sa.TIMESTAMP), end, sa.cast("1 day", sa.Interval))
    return sa.select(sa.cast(each.column_valued("each"), sa.Date).label("day")).cte("days")


def within(moment: sa.Column[Any], first: date, last: date) -> list[sa.ColumnElement[bool]]:
    """Say that a moment is on one of the days."""
    return [moment >= midnight(sa.literal(first)), moment < midnight(sa.literal(last)) + timedelta(days=1)]


def midnight(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Say when a day begins."""
    return sa.func.timezone("UTC", sa.cast(day, sa.TIMESTAMP))


def day_of(moment: sa.Column[Any]) -> sa.Label[Any]:
    """Say which day a moment is on."""
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date).label("day")


def of_team(column: sa.Column[Any], team_id: UUID | None) -> list[sa.ColumnElement[bool]]:
    """Say that a row is of the team, where one is named."""
    return [column == team_id] if team_id else []
