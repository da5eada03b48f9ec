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
from discubot_pipeline.domain.job import Trigger, Value, foremost
from discubot_pipeline.store.columns import SYSTEM
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.records import why_held
from discubot_pipeline.store.tables import discussions, inboxes, teams

OPEN = (DeliveryStatus.REQUESTED, DeliveryStatus.RUNNING)
MOST_EXPIRIES = 3
CHANNEL = "discubot_inbox"
LEASING = 0x6C656173
LARGEST_ID = 2**63 - 1


class Stored(Value):
    """What became of an arrival: `is_new` is false for a duplicate, whose first row's id is given."""

    id: int
    is_new: bool


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

    def store(
        self, config: SourceConfig, arrival: Arrival, trigger: Trigger = Trigger.WEBHOOK, by: str = SYSTEM
    ) -> Stored:
        """Commit an arrival and wake the sensor; a duplicate by any of its keys stores nothing."""
        with transaction(self._engine) as connection:
            held = None if config.works else why_held(connection, config.id)
            made = connection.execute(self._insert(config, arrival, held, trigger, by)).scalar()
            if made is None:
                return Stored(id=connection.execute(self._same(config, arrival)).scalar_one(), is_new=False)
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, self.source.value)))
            return Stored(id=made, is_new=True)

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

    def lease(self, room: int, lease: timedelta, reserved: int = 0) -> list[RunToRequest]:
        """Take what is due, folded to one run a discussion; a discussion with a run at work waits for its end.

        Backfills come after all others, and leave `reserved` places of the room to those that may come.
        """
        with transaction(self._engine) as connection:
            # One lease at a time: beside another that is not committed yet, a discussion would go to both.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LEASING, sa.func.hashtext(self.table.name))))
            rows = connection.execute(self._lease(room, lease, reserved)).all()
        by_key = groupby(sorted(rows, key=lambda row: (row.run_key, row.id)), key=lambda row: row.run_key)
        runs = (self._run_of(key, list(fold)) for key, fold in by_key)
        return sorted(runs, key=lambda run: (run.trigger is Trigger.BACKFILL, run.delivery_ids))

    def due(self, limit: int) -> list[Delivery]:
        """List what waits, without taking it."""
        t = self.table.c
        waiting = sa.select(self.table).where(t.status == DeliveryStatus.PENDING, t.not_before <= sa.func.now())
        with transaction(self._engine) as connection:
            return [self._read(row) for row in connection.execute(waiting.order_by(t.id).limit(limit))]

    def next_due(self) -> timedelta | None:
        """Say how long until the next waiting delivery is due; None when none waits."""
        t = self.table.c
        soonest = sa.select(sa.func.min(t.not_before) - sa.func.now()).where(
            t.status == DeliveryStatus.PENDING, t.not_before > sa.func.now()
        )
        with transaction(self._engine) as connection:
            wait: timedelta | None = connection.execute(soonest).scalar()
            return wait

    def requested_runs(self) -> int:
        """Count the runs that were asked for and have not begun."""
        t = self.table.c
        count = sa.select(sa.func.count(t.run_key.distinct())).where(t.status == DeliveryStatus.REQUESTED)
        with transaction(self._engine) as connection:
            return int(connection.execute(count).scalar_one())

    def expired(self) -> list[ExpiredLease]:
        """List the requested runs whose lease has run out."""
        t = self.table.c
        late = (
            sa.select(t.run_key, sa.func.max(t.expiries).label("expiries"))
            .where(t.status == DeliveryStatus.REQUESTED, t.leased_until < sa.func.now())
            .group_by(t.run_key)
        )
        with transaction(self._engine) as connection:
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
            rows = connection.execute(own).all()
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
        self._move(held, status=status, reason=reason, error=error, finished_at=sa.func.now())
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
        with transaction(self._engine) as connection:
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
        with transaction(self._engine) as connection:
            found = connection.execute(row).one_or_none()
        return self._read(found) if found else None

    def _with_payload(self, where: sa.ColumnElement[bool]) -> list[Delivery]:
        rows = sa.select(self.table).where(where, self.table.c.payload.is_not(None)).order_by(self.table.c.id)
        with transaction(self._engine) as connection:
            return [self._read(row) for row in connection.execute(rows)]

    def _insert(self, config: SourceConfig, arrival: Arrival, held: str | None, trigger: Trigger, by: str) -> Any:
        thread = arrival.thread_id if arrival.reason is None else None
        accepted = DeliveryStatus.HELD if held else DeliveryStatus.PENDING
        row = {
            "team_id": config.team_id,
            "source_config_id": config.id,
            "status": DeliveryStatus.IGNORED if arrival.reason else accepted,
            "reason": arrival.reason or held,
            "trigger": trigger,
            "delivery_key": arrival.delivery_key,
            "message_key": arrival.message_key,
            "gesture_key": arrival.gesture_key,
            "thread_id": thread,
            "discussion_id": discussion_id(config.team_id, self.source, thread) if thread else None,
            "payload": sa.null() if arrival.reason else arrival.payload,
            "finished_at": sa.func.now() if arrival.reason else None,
            "created_by": by,
        }
        return pg.insert(self.table).values(row).on_conflict_do_nothing().returning(self.table.c.id)

    def _same(self, config: SourceConfig, arrival: Arrival) -> Any:
        t = self.table.c
        keys = arrival.model_dump(include={"delivery_key", "message_key", "gesture_key"}, exclude_none=True)
        equal = sa.or_(*[t[name] == key for name, key in keys.items()])
        same = sa.select(t.id).where(t.source_config_id == config.id, equal)
        return same.order_by(t.id).limit(1)

    def _lease(self, room: int, lease: timedelta, reserved: int) -> Any:
        t, other = self.table.c, self.table.alias("other")
        at_work = sa.exists().where(other.c.discussion_id == t.discussion_id, other.c.status.in_(OPEN))
        taken = sa.exists().where(discussions.c.id == t.discussion_id, discussions.c.active_run_id.is_not(None))
        first, is_backfill = sa.func.min(t.id), sa.func.bool_and(t.trigger == Trigger.BACKFILL)
        queue = (
            sa.select(
                t.discussion_id,
                first.label("lead"),
                is_backfill.label("is_backfill"),
                sa.func.row_number().over(order_by=(is_backfill, first)).label("place"),
            )
            .where(t.status == DeliveryStatus.PENDING, t.not_before <= sa.func.now(), ~at_work, ~taken)
            .group_by(t.discussion_id)
            .subquery("queue")
        )
        has_room = queue.c.place <= sa.case((queue.c.is_backfill, room - reserved), else_=room)
        due = sa.select(queue.c.discussion_id, queue.c.lead).where(has_room).cte("due")
        lead = self.table.alias("lead")
        key = sa.cast(lead.c.id, sa.Text) + ":" + sa.cast(lead.c.generation, sa.Text)
        return (
            sa.update(self.table)
            .where(
                t.discussion_id == due.c.discussion_id,
                t.status == DeliveryStatus.PENDING,
                lead.c.id == due.c.lead,
                teams.c.id == t.team_id,
            )
            .values(status=DeliveryStatus.REQUESTED, leased_until=sa.func.now() + lease, run_key=key)
            .returning(self.table, teams.c.name.label("team_name"))
        )

    def _run_of(self, run_key: str, fold: list[Any]) -> RunToRequest:
        lead = fold[0]
        return RunToRequest(
            run_key=run_key,
            delivery_ids=tuple(row.id for row in fold),
            team_id=lead.team_id,
            team_name=lead.team_name,
            source=self.source,
            thread_id=lead.thread_id,
            discussion_id=lead.discussion_id,
            trigger=foremost([row.trigger for row in fold]),
        )

    def _requested(self, run_key: str) -> sa.ColumnElement[bool]:
        t = self.table.c
        return sa.and_(t.run_key == run_key, t.status == DeliveryStatus.REQUESTED)

    def _move(self, where: sa.ColumnElement[bool], **values: Any) -> bool:
        with transaction(self._engine) as connection:
            return bool(connection.execute(sa.update(self.table).where(where).values(**values)).rowcount)

    def _ring_for_those_who_waited(self, run_id: str) -> None:
        t, other = self.table.c, self.table.alias("other")
        mine = sa.exists().where(other.c.run_id == run_id, other.c.discussion_id == t.discussion_id)
        waiting = sa.exists().where(t.status == DeliveryStatus.PENDING, mine)
        with transaction(self._engine) as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, self.source.value)).where(waiting))

    def _read(self, row: Any) -> Delivery:
        return Delivery(
            id=row.id,
            source=self.source,
            team_id=row.team_id,
            source_config_id=row.source_config_id,
            status=row.status,
            reason=row.reason,
            thread_id=row.thread_id,
            discussion_id=row.discussion_id,
            trigger=row.trigger,
            payload=row.payload,
            generation=row.generation,
            run_id=row.run_id,
            received_at=row.received_at,
        )


def possible(ids: Iterable[int]) -> list[int]:
    """Leave out numbers that no row can have, and that the database would refuse to look for."""
    return [id for id in ids if 0 < id <= LARGEST_ID]
