"""The inbox: one row a delivery, the truth about what is still to do. Each transition is one statement."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, DeliveryStatus, RunToRequest, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.job import Trigger, Value
from discubot_pipeline.store.deliveries import insert, possible, read_delivery, run_of, same
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.leases import leasing, requested_by_team
from discubot_pipeline.store.records import why_held
from discubot_pipeline.store.tables import inboxes

MOST_EXPIRIES = 3
CHANNEL = "discubot_inbox"
LEASING = 0x6C656173


class Stored(Value):
    """What became of an arrival: `is_new` is false for a duplicate, whose first row's id and key are given."""

    id: int
    is_new: bool
    delivery_key: str


class ExpiredLease(Value):
    """A requested run that nobody claimed in time."""

    run_key: str
    expiries: int


class Inbox:
    """The inbox table of one source."""

    def __init__(self, engine: sa.Engine, source: SourceType) -> None:
        self._engine = engine
        self.source = source
        self.table = inboxes[source]

    def store(self, config: SourceConfig, arrival: Arrival, **asked: Any) -> Stored:
        """Commit an arrival and wake the sensor; a duplicate by any of its keys stores nothing.

        `asked` are the columns that say who asked for it, where it was a person.
        """
        begin = single if config.works else transaction
        with begin(self._engine) as connection:
            held = None if config.works else why_held(connection, config.id)
            made = insert(self.table, config, arrival, held, asked).cte("made")
            id = connection.execute(sa.select(made.c.id, sa.func.pg_notify(CHANNEL, self.source.value))).scalar()
        if id is not None:
            return Stored(id=id, is_new=True, delivery_key=arrival.delivery_key)
        with single(self._engine) as connection:
            first = connection.execute(same(self.table, config, arrival)).one()
        return Stored(id=first.id, is_new=False, delivery_key=first.delivery_key)

    def write_running(self, config: SourceConfig, thread_id: str, run_id: str, payload: dict[str, Any]) -> int:
        """Write the row of a launch by a person: it is its run's from the start."""
        row = {
            "team_id": config.team_id,
            "source_config_id": config.id,
            "status": DeliveryStatus.RUNNING,
            "trigger": Trigger.MANUAL,
            "delivery_key": f"run:{run_id}",
            "thread_id": thread_id,
            "discussion_id": discussion_id(config.team_id, self.source, thread_id),
            "payload": payload,
            "run_id": run_id,
        }
        again = pg.insert(self.table).values(row).on_conflict_do_nothing().returning(self.table.c.id)
        same = sa.select(self.table.c.id).where(
            self.table.c.source_config_id == config.id, self.table.c.delivery_key == row["delivery_key"]
        )
        with transaction(self._engine) as connection:
            made = connection.execute(again).scalar()
            return int(made if made is not None else connection.execute(same).scalar_one())

    def lease(self, bound: int, lease: timedelta, reserved: int = 0) -> list[RunToRequest]:
        """Take what is due, folded to one run a discussion; a discussion with a run at work waits for its end.

        The urgent goes first, backfills last, and teams take turns; no team has more than `bound` runs that have not
        begun, and backfills leave `reserved` of these places to what may come.
        """
        with transaction(self._engine) as connection:
            # One lease at a time: beside another that is not committed yet, a discussion would go to both.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LEASING, sa.func.hashtext(self.table.name))))
            rows = connection.execute(leasing(self.table, bound, lease, reserved)).all()
        by_key = groupby(sorted(rows, key=lambda row: (row.run_key, row.id)), key=lambda row: row.run_key)
        runs = (run_of(self.source, key, list(fold)) for key, fold in by_key)
        return sorted(runs, key=lambda run: (-run.weight, run.delivery_ids))

    def due(self, limit: int) -> list[Delivery]:
        """List what waits, without taking it."""
        t = self.table.c
        waiting = sa.select(self.table).where(t.status == DeliveryStatus.PENDING, t.not_before <= sa.func.now())
        with single(self._engine) as connection:
            return [self._read(row) for row in connection.execute(waiting.order_by(t.id).limit(limit))]

    def next_due(self) -> timedelta | None:
        """Say how long until the next waiting delivery is due; None when none waits."""
        t = self.table.c
        soonest = sa.select(sa.func.min(t.not_before) - sa.func.now()).where(
            t.status == DeliveryStatus.PENDING, t.not_before > sa.func.now()
        )
        with single(self._engine) as connection:
            wait: timedelta | None = connection.execute(soonest).scalar()
            return wait

    def requested_runs(self) -> int:
        """Count the runs that were asked for and have not begun, of the team that has the most."""
        most = sa.select(sa.func.max(requested_by_team(self.table).c.runs))
        with single(self._engine) as connection:
            return int(connection.execute(most).scalar() or 0)

    def expired(self) -> list[ExpiredLease]:
        """List the requested runs whose lease has run out."""
        t = self.table.c
        late = (
            sa.select(t.run_key, sa.func.max(t.expiries).label("expiries"))
            .where(t.status == DeliveryStatus.REQUESTED, t.leased_until < sa.func.now())
            .group_by(t.run_key)
        )
        with single(self._engine) as connection:
            return [ExpiredLease(run_key=row.run_key, expiries=row.expiries) for row in connection.execute(late)]

    def renew(self, run_key: str, lease: timedelta) -> None:
        """Give a run that is alive more time to claim its deliveries."""
        self._move(self._requested(run_key), leased_until=sa.func.now() + lease)

    def requeue(self, run_key: str) -> None:
        """Ask for another run; after the third in vain the delivery is dead."""
        t = self.table.c
        dead = t.expiries + 1 >= MOST_EXPIRIES
        self._move(
            self._requested(run_key),
            status=sa.case((dead, sa.literal("dead")), else_=sa.literal("pending")).cast(t.status.type),
            reason=sa.case((dead, sa.literal("never_claimed")), else_=None),
            finished_at=sa.case((dead, sa.func.now()), else_=None),
            generation=t.generation + 1,
            expiries=t.expiries + 1,
            run_key=None,
            leased_until=None,
        )

    def drop(self, run_key: str, reason: str) -> None:
        """Close the deliveries of a run that was cancelled before it began."""
        self._move(self._requested(run_key), status=DeliveryStatus.FAILED, reason=reason, finished_at=sa.func.now())

    def claim(
        self, ids: Sequence[int], run_id: str, run_key: str | None, parent_run_id: str | None = None
    ) -> list[Delivery]:
        """Make deliveries this run's own, if they are free; gives those that are its own now, oldest first.

        A run that a sensor asked for names its `run_key` and gets only what was leased to it; a person's run may take
        again what is closed; one that goes on with another gets what its parent left. Each delivery names the run
        that held it before.
        """
        t = self.table.c
        leased = sa.and_(t.status == DeliveryStatus.REQUESTED, t.run_key == run_key)
        closed = t.status.not_in((DeliveryStatus.RUNNING, DeliveryStatus.HELD))
        free = (leased if run_key else closed) | t.run_id.in_([run_id, parent_run_id or run_id])
        mine = t.id.in_(possible(ids))
        own = (
            sa.update(self.table)
            .where(mine, free, t.payload.is_not(None))
            .values(
                status=DeliveryStatus.RUNNING,
                run_id=run_id,
                leased_until=None,
                finished_at=None,
                reason=None,
                error=None,
            )
            .returning(self.table)
        )
        before = sa.select(t.id, t.run_id).where(mine)
        with transaction(self._engine) as connection:
            earlier = {row.id: row.run_id for row in connection.execute(before.with_for_update())}
            rows = connection.execute(own).all() if earlier else []
        return sorted(
            (self._read(row).model_copy(update={"run_id": earlier[row.id]}) for row in rows),
            key=lambda delivery: delivery.id,
        )

    def inherit(self, from_run_ids: Iterable[str], run_id: str) -> None:
        """Hand the deliveries of earlier runs of a chain to the run that goes on with them."""
        t = self.table.c
        self._move(
            sa.and_(t.run_id.in_(list(from_run_ids)), t.run_id != run_id, t.status != DeliveryStatus.PENDING),
            status=DeliveryStatus.RUNNING,
            run_id=run_id,
            finished_at=None,
            reason=None,
            error=None,
        )

    def settle(self, run_id: str, status: DeliveryStatus, reason: str | None = None, error: str | None = None) -> None:
        """Close what a run still holds."""
        t = self.table.c
        held = sa.and_(t.run_id == run_id, t.status == DeliveryStatus.RUNNING)
        if self._move(held, status=status, reason=reason, error=error, finished_at=sa.func.now()):
            self._ring_for_those_who_waited(run_id)

    def postpone(self, run_id: str, not_before: datetime) -> bool:
        """Put what a run holds back to wait, for a new run of the next generation; False when it held nothing."""
        t = self.table.c
        return self._move(
            sa.and_(t.run_id == run_id, t.status == DeliveryStatus.RUNNING),
            status=DeliveryStatus.PENDING,
            not_before=not_before,
            generation=t.generation + 1,
            run_key=None,
        )

    def runs_at_work(self) -> set[str]:
        """Name the runs that hold deliveries."""
        t = self.table.c
        with single(self._engine) as connection:
            return set(connection.scalars(sa.select(t.run_id).where(t.status == DeliveryStatus.RUNNING).distinct()))

    def of_run(self, run_id: str) -> list[Delivery]:
        """List the deliveries that a run works or worked on and that still have their payload."""
        return self._with_payload(self.table.c.run_id == run_id)

    def of_discussion(self, discussion: UUID) -> list[Delivery]:
        """List the deliveries of a discussion that still have their payload, oldest first."""
        return self._with_payload(self.table.c.discussion_id == discussion)

    def get(self, id: int, team_id: UUID) -> Delivery | None:
        """Give one delivery of a team."""
        row = sa.select(self.table).where(self.table.c.id.in_(possible([id])), self.table.c.team_id == team_id)
        with single(self._engine) as connection:
            found = connection.execute(row).one_or_none()
        return self._read(found) if found else None

    def _with_payload(self, where: sa.ColumnElement[bool]) -> list[Delivery]:
        rows = sa.select(self.table).where(where, self.table.c.payload.is_not(None)).order_by(self.table.c.id)
        with single(self._engine) as connection:
            return [self._read(row) for row in connection.execute(rows)]

    def _requested(self, run_key: str) -> sa.ColumnElement[bool]:
        t = self.table.c
        return sa.and_(t.run_key == run_key, t.status == DeliveryStatus.REQUESTED)

    def _move(self, where: sa.ColumnElement[bool], **values: Any) -> bool:
        with single(self._engine) as connection:
            return bool(connection.execute(sa.update(self.table).where(where).values(**values)).rowcount)

    def _ring_for_those_who_waited(self, run_id: str) -> None:
        t, other = self.table.c, self.table.alias("other")
        mine = sa.exists().where(other.c.run_id == run_id, other.c.discussion_id == t.discussion_id)
        waiting = sa.exists().where(t.status == DeliveryStatus.PENDING, mine)
        with single(self._engine) as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, self.source.value)).where(waiting))

    def _read(self, row: Any) -> Delivery:
        return read_delivery(self.source, row)
