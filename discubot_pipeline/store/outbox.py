"""The outbox of completion hooks: filled with the end of a job, in its transaction; emptied by leases."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.hook import EVENT_OF, MOST_TRIES, HookDelivery, HookStatus
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.inbox import CHANNEL, LEASING
from discubot_pipeline.store.paging import Place, newest_first
from discubot_pipeline.store.tables import discussions, hook_deliveries, hooks

BELL = "hooks"
"""What the bell says when something waits in the outbox."""

TAKING_TURNS = sa.select(sa.func.pg_advisory_xact_lock(LEASING, sa.func.hashtext(hook_deliveries.name)))
"""Leases are taken one after the other: two at once would not see each other, and both take one hook's."""


def announcing(closed: sa.CTE, outcome: RunOutcome) -> sa.CTE | None:
    """Write the part of a statement that closes a note which puts the end into the outbox, for each hook that wants it.

    `closed` is the note. None for an end that nobody is told of.
    """
    event = EVENT_OF.get(outcome)
    if event is None:
        return None
    of_discussion = sa.select(discussions.c.source_config_id).where(discussions.c.id == closed.c.discussion_id)
    source = sa.func.coalesce(closed.c.source_config_id, of_discussion.scalar_subquery())
    wanted = sa.select(hooks.c.id, closed.c.run_id, sa.literal(event, hook_deliveries.c.event.type)).where(
        hooks.c.team_id == closed.c.team_id,
        hooks.c.active,
        sa.literal(event.value) == sa.any_(hooks.c.events),
        sa.or_(hooks.c.source_config_id.is_(None), hooks.c.source_config_id == source),
    )
    insert = pg.insert(hook_deliveries).from_select(["hook_id", "run_id", "event"], wanted)
    return insert.on_conflict_do_nothing().returning(hook_deliveries.c.id).cte("told")


def ringing(told: sa.CTE) -> sa.ColumnElement[Any]:
    """Ring the bell for what was put into the outbox."""
    return sa.select(sa.func.pg_notify(CHANNEL, BELL)).select_from(told).limit(1).scalar_subquery()


class Outbox:
    """The outbox. A lease is told by its number of tries: whoever lost it notes nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def lease(self, duration: timedelta) -> HookDelivery | None:
        """Take the oldest delivery that is due, of a hook that nobody else tells something at the moment."""
        d, other = hook_deliveries.c, hook_deliveries.alias("other")
        at_work = sa.exists().where(
            other.c.hook_id == d.hook_id,
            other.c.status == HookStatus.PENDING,
            other.c.leased_until > sa.func.now(),
        )
        due = (
            sa.select(d.id)
            .where(*is_due(), ~at_work)
            .order_by(d.not_before, d.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        leased = {"tries": d.tries + 1, "leased_until": sa.func.now() + duration}
        taken = (
            sa.update(hook_deliveries).where(d.id == due.scalar_subquery()).values(leased).returning(hook_deliveries)
        )
        with transaction(self._engine) as connection:
            connection.execute(TAKING_TURNS)
            row = connection.execute(taken).one_or_none()
        return read(row) if row else None

    def sent(self, taken: HookDelivery) -> bool:
        """Note that it was sent; False when the lease was lost."""
        return self._end(taken, status=HookStatus.SENT, sent_at=sa.func.now(), reason=None, error=None)

    def failed(self, taken: HookDelivery, reason: str, error: str) -> bool:
        """Note that it is given up."""
        return self._end(taken, status=HookStatus.FAILED, reason=reason, error=error)

    def postpone(self, taken: HookDelivery, wait: timedelta, reason: str, error: str) -> bool:
        """Note that it is to be tried again."""
        return self._again(taken, wait, reason=reason, error=error)

    def put_back(self, taken: HookDelivery, wait: timedelta) -> bool:
        """Give it back untried."""
        return self._again(taken, wait, tries=taken.tries - 1)

    def disable(self, hook_id: UUID, reason: str) -> None:
        """Tell a hook nothing any more: what waits for it is given up."""
        waits = (hook_deliveries.c.hook_id == hook_id, hook_deliveries.c.status == HookStatus.PENDING)
        with transaction(self._engine) as connection:
            connection.execute(sa.update(hooks).where(hooks.c.id == hook_id).values(active=False, reason=reason))
            given_up = {"status": HookStatus.FAILED, "reason": reason, "leased_until": None}
            connection.execute(sa.update(hook_deliveries).where(*waits).values(given_up))

    def next_due(self) -> timedelta | None:
        """Say how soon something is due; zero or less is now, None never as far as is known."""
        d = hook_deliveries.c
        soonest = sa.func.min(sa.func.greatest(d.not_before, d.leased_until)) - sa.func.clock_timestamp()
        with single(self._engine) as connection:
            return connection.execute(sa.select(soonest).where(d.status == HookStatus.PENDING)).scalar()

    def page(
        self, hook_id: UUID, limit: int, after: Place | None = None, status: HookStatus | None = None
    ) -> list[HookDelivery]:
        """List a hook's deliveries, the newest first, and one more than `limit`."""
        d = hook_deliveries.c
        wanted = sa.select(hook_deliveries).where(d.hook_id == hook_id, *([d.status == status] if status else []))
        with single(self._engine) as connection:
            rows = connection.execute(newest_first(wanted, (d.created_at, d.id), after, limit))
            return [read(row) for row in rows]

    def _again(self, taken: HookDelivery, wait: timedelta, **values: Any) -> bool:
        """Let it be due later, and whoever waits look at the time anew."""
        with single(self._engine) as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, BELL)))
            return self._end(taken, not_before=sa.func.now() + wait, **values)

    def _end(self, taken: HookDelivery, **values: Any) -> bool:
        d = hook_deliveries.c
        mine = (d.id == taken.id, d.status == HookStatus.PENDING, d.tries == taken.tries)
        with single(self._engine) as connection:
            ended = sa.update(hook_deliveries).where(*mine).values(leased_until=None, **values)
            return bool(connection.execute(ended).rowcount)


def is_due() -> tuple[sa.ColumnElement[bool], ...]:
    """Say that a delivery waits, its time has come, and nobody has it."""
    d = hook_deliveries.c
    free = sa.or_(d.leased_until.is_(None), d.leased_until <= sa.func.now())
    return d.status == HookStatus.PENDING, d.not_before <= sa.func.now(), free


def is_last(taken: HookDelivery) -> bool:
    """Say whether a delivery is given up when this try fails."""
    return taken.tries >= MOST_TRIES


def read(row: Any) -> HookDelivery:
    """Turn a row into a value."""
    return HookDelivery(**{name: getattr(row, name) for name in HookDelivery.model_fields})
