"""The inbox of operations, and the lines that they are given or give. Each transition is one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.operations import CHUNK, Operation, OperationKind, OperationRun, Result
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.inbox import CHANNEL, MOST_EXPIRIES, ExpiredLease
from discubot_pipeline.store.paging import Place, newest_first
from discubot_pipeline.store.records import by
from discubot_pipeline.store.tables import chunks, operations, teams

BELL = "operations"
PENDING, REQUESTED, RUNNING = DeliveryStatus.PENDING, DeliveryStatus.REQUESTED, DeliveryStatus.RUNNING


class Chunk(Value):
    """Some lines of an operation, and the number of the first one."""

    first_line: int
    lines: tuple[str, ...]


class Operations:
    """The inbox of operations."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ask(
        self, team_id: UUID, kind: OperationKind, params: dict[str, Any], actor: str, lines: Sequence[str] = ()
    ) -> Operation:
        """Write down what is asked for, with the lines that it works on, and wake the sensor: all of it or nothing."""
        row = {"team_id": team_id, "kind": kind, "params": params, "items": len(lines), **by(actor)}
        with transaction(self._engine) as connection:
            made = read(connection.execute(sa.insert(operations).values(row).returning(operations)).one())
            for number, start in enumerate(range(0, len(lines), CHUNK)):
                self.write(made.id, number, Chunk(first_line=start + 1, lines=tuple(lines[start : start + CHUNK])))
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, BELL)))
        return made

    def get(self, id: UUID, team_id: UUID) -> Operation:
        """Give an operation of a team; `not_found` for another team's."""
        found = self._select(operations.c.id == id, operations.c.team_id == team_id)
        if not found:
            raise Permanent("not_found", f"there is no operation {id}")
        return found[0]

    def page(self, team_id: UUID, after: Place | None, limit: int) -> list[Operation]:
        """List one page of a team's operations and one more, the newest first."""
        o = operations.c
        wanted = newest_first(sa.select(operations).where(o.team_id == team_id), (o.created_at, o.id), after, limit)
        with single(self._engine) as connection:
            return list(map(read, connection.execute(wanted)))

    def lease(self, bound: int, lease: timedelta) -> list[OperationRun]:
        """Take what waits, the oldest first, as long as fewer than `bound` that were asked for have not begun."""
        o = operations.c
        asked = sa.select(sa.func.count()).where(o.status == REQUESTED).scalar_subquery()
        due = sa.select(o.id).where(o.status == PENDING).order_by(o.created_at, o.id)
        taken = due.limit(sa.func.greatest(bound - asked, 0)).with_for_update(skip_locked=True)
        key = sa.cast(o.id, sa.Text) + ":" + sa.cast(o.generation, sa.Text)
        wanted = (
            sa.update(operations)
            .where(o.id.in_(taken), teams.c.id == o.team_id)
            .values(status=REQUESTED, leased_until=sa.func.now() + lease, run_key=key)
            .returning(operations, teams.c.name.label("team_name"))
        )
        with single(self._engine) as connection:
            rows = sorted(connection.execute(wanted), key=lambda row: (row.created_at, row.id))
        return [OperationRun(operation=read(row), run_key=row.run_key, team_name=row.team_name) for row in rows]

    def expired(self) -> list[ExpiredLease]:
        """List the requested runs whose lease has run out."""
        late = (operations.c.status == REQUESTED) & (operations.c.leased_until < sa.func.now())
        wanted = sa.select(operations.c.run_key, operations.c.expiries).where(late)
        with single(self._engine) as connection:
            return [ExpiredLease(run_key=row.run_key, expiries=row.expiries) for row in connection.execute(wanted)]

    def renew(self, run_key: str, lease: timedelta) -> None:
        """Give a run that is alive more time to begin."""
        self._move(requested(run_key), leased_until=sa.func.now() + lease)

    def requeue(self, run_key: str) -> None:
        """Ask for another run; after the third in vain the operation is dead."""
        o = operations.c
        dead = o.expiries + 1 >= MOST_EXPIRIES
        self._move(
            requested(run_key),
            status=sa.case((dead, sa.literal("dead")), else_=sa.literal("pending")).cast(o.status.type),
            reason=sa.case((dead, sa.literal("never_claimed")), else_=None),
            finished_at=sa.case((dead, sa.func.now()), else_=None),
            generation=o.generation + 1,
            expiries=o.expiries + 1,
            run_key=None,
            leased_until=None,
        )

    def drop(self, run_key: str, reason: str) -> None:
        """Close the operation of a run that was cancelled before it began."""
        self._move(requested(run_key), status=DeliveryStatus.FAILED, reason=reason, finished_at=sa.func.now())

    def holder(self, id: UUID) -> str | None:
        """Name the run that has, or last had, an operation."""
        with single(self._engine) as connection:
            return connection.execute(sa.select(operations.c.run_id).where(operations.c.id == id)).scalar()

    def claim(self, id: UUID, run_id: str, run_key: str | None, follows: Sequence[str] = ()) -> Operation | None:
        """Make an operation this run's own, if it is free: leased to it, its own already, or of a run that it follows.

        A person's run, which has no key, may take one that waits or has failed.
        """
        o = operations.c
        ended = (PENDING, DeliveryStatus.FAILED, DeliveryStatus.DEAD)
        free = (o.status == REQUESTED) & (o.run_key == run_key) if run_key else o.status.in_(ended)
        own = o.run_id.in_([run_id, *follows]) & (o.status != DeliveryStatus.DONE)
        fresh = dict.fromkeys(("leased_until", "finished_at", "reason", "error"))
        claimed = sa.update(operations).where(o.id == id, free | own).values(status=RUNNING, run_id=run_id, **fresh)
        with single(self._engine) as connection:
            row = connection.execute(claimed.returning(operations)).one_or_none()
        return read(row) if row else None

    def keep(self, id: UUID, run_id: str, result: Result) -> None:
        """Write how far a run has come. Raises Ignored("busy") when it has lost its hold, which undoes what it did."""
        if not self._move(held(id, run_id), result=result.model_dump(mode="json")):
            raise Ignored("busy", "another run has taken this operation over")

    def finish(
        self, id: UUID, run_id: str, status: DeliveryStatus, reason: str | None = None, error: str | None = None
    ) -> None:
        """End a run's hold on an operation; what an import was given is no longer needed when it is done."""
        o = operations.c
        imported = sa.select(o.id).where(o.id == id, o.kind == OperationKind.IMPORT, o.status == DeliveryStatus.DONE)
        with single(self._engine) as connection:
            self._move(held(id, run_id), status=status, reason=reason, error=error, finished_at=sa.func.now())
            connection.execute(sa.delete(chunks).where(chunks.c.operation_id.in_(imported)))

    def running(self) -> list[Operation]:
        """List the operations that a run holds."""
        return self._select(operations.c.status == RUNNING)

    def write(self, id: UUID, number: int, chunk: Chunk) -> None:
        """Store some lines."""
        row = {"operation_id": id, "number": number, "first_line": chunk.first_line, "body": "\n".join(chunk.lines)}
        with single(self._engine) as connection:
            connection.execute(sa.insert(chunks).values(row))

    def chunk(self, id: UUID, number: int) -> Chunk | None:
        """Give some lines."""
        c = chunks.c
        with single(self._engine) as connection:
            row = connection.execute(sa.select(chunks).where(c.operation_id == id, c.number == number)).one_or_none()
        return Chunk(first_line=row.first_line, lines=tuple(row.body.split("\n"))) if row else None

    def purge(self, age: timedelta, dry_run: bool = False) -> int:
        """Delete operations that ended longer ago than `age`, with their lines; gives how many."""
        is_old = operations.c.finished_at < sa.func.now() - age
        with transaction(self._engine) as connection:
            if dry_run:
                count = sa.select(sa.func.count()).select_from(operations).where(is_old)
                return int(connection.execute(count).scalar_one())
            return connection.execute(sa.delete(operations).where(is_old)).rowcount

    def _select(self, *where: sa.ColumnElement[bool]) -> list[Operation]:
        with single(self._engine) as connection:
            return list(map(read, connection.execute(sa.select(operations).where(*where))))

    def _move(self, where: sa.ColumnElement[bool], **values: Any) -> bool:
        with single(self._engine) as connection:
            return bool(connection.execute(sa.update(operations).where(where).values(**values)).rowcount)


def requested(run_key: str) -> sa.ColumnElement[bool]:
    """Say that an operation waits for the run of a key."""
    return (operations.c.run_key == run_key) & (operations.c.status == REQUESTED)


def held(id: UUID, run_id: str) -> sa.ColumnElement[bool]:
    """Say that an operation is a run's own."""
    return (operations.c.id == id) & (operations.c.run_id == run_id) & (operations.c.status == RUNNING)


def read(row: Any) -> Operation:
    """Turn a row into a value."""
    return Operation(**{name: getattr(row, name) for name in Operation.model_fields})
