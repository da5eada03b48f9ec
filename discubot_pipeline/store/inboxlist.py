"""Deliveries as people see them: those of all inboxes in one list, without payloads; and run once more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime, Field

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger, Value
from discubot_pipeline.store.deliveries import possible
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.enums import source_type
from discubot_pipeline.store.inbox import CHANNEL
from discubot_pipeline.store.paging import Period, newest_first
from discubot_pipeline.store.records import why_held
from discubot_pipeline.store.tables import inboxes, notes

ENDED = (DeliveryStatus.DONE, DeliveryStatus.IGNORED, DeliveryStatus.FAILED, DeliveryStatus.DEAD)
REFUSALS = {
    DeliveryStatus.PENDING: ("waiting", "it waits for its job already"),
    DeliveryStatus.REQUESTED: ("waiting", "its job was asked for already"),
    DeliveryStatus.RUNNING: ("at_work", "a job works on it: cancel that first, or wait for its end"),
    DeliveryStatus.HELD: ("on_hold", "it is held: release it, with what else its source holds"),
}
PURGED = ("payload_purged", "what it brought was removed, or never kept: retry its discussion, or send it anew")
PAUSED = ("paused", "its source is paused: resume that first")


class DeliveryPlace(NamedTuple):
    """Where a page of deliveries ended."""

    at: AwareDatetime
    id: Annotated[int, Field(ge=0, lt=2**63)]


class JobOfDelivery(Value):
    """The job that works or worked on a delivery, as far as it has come; `expired` when it is no longer kept."""

    id: str
    stage: Stage | None
    outcome: RunOutcome | None
    reason: str | None
    expired: bool


class DeliveryRecord(Value):
    """One delivery, without its payload."""

    id: int
    source: SourceType
    source_id: UUID
    status: DeliveryStatus
    reason: str | None
    error: str | None
    trigger: Trigger
    thread: str | None
    discussion_id: UUID | None
    generation: int
    has_payload: bool = Field(description="Whether it can be run again.")
    received_at: datetime
    finished_at: datetime | None
    replayed_at: datetime | None
    replayed_by: str | None
    job: JobOfDelivery | None

    @property
    def place(self) -> DeliveryPlace:
        """Say where it stands in a list."""
        return DeliveryPlace(self.received_at, self.id)


class Deliveries:
    """All inboxes, for people."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(
        self,
        team_id: UUID,
        period: Period,
        after: DeliveryPlace | None,
        limit: int,
        statuses: Sequence[DeliveryStatus] = (),
        source: SourceType | None = None,
    ) -> list[DeliveryRecord]:
        """List one page of a team's deliveries and one more, the newest first."""

        def of(kind: SourceType) -> sa.Select[Any]:
            t = inboxes[kind].c
            where = [t.team_id == team_id, *period.of(t.received_at)]
            where += [t.status.in_(statuses)] if statuses else []
            return newest_first(shown(kind).where(*where), (t.received_at, t.id), after, limit)

        every = [of(kind).subquery().select() for kind in ([source] if source else SourceType)]
        rows = sa.union_all(*every).order_by(sa.desc("received_at"), sa.desc("id")).limit(limit + 1)
        with single(self._engine) as connection:
            return [read(row) for row in connection.execute(rows)]

    def get(self, id: int, team_id: UUID) -> DeliveryRecord:
        """Give a delivery of a team; `not_found` for another team's."""
        every = [shown(kind).where(t.c.id.in_(possible([id])), t.c.team_id == team_id) for kind, t in inboxes.items()]
        with single(self._engine) as connection:
            row = connection.execute(sa.union_all(*every)).one_or_none()
        if row is None:
            raise Permanent("not_found", f"there is no delivery {id}")
        return read(row)

    def replay(self, id: int, team_id: UUID, actor: str) -> DeliveryRecord:
        """Let a delivery that has ended be run once more, as its next generation, and wake the sensor.

        Raises `waiting`, `at_work`, `on_hold`, `paused` or `payload_purged` when it cannot be.
        """
        with transaction(self._engine) as connection:
            found = self.get(id, team_id)
            if why_held(connection, found.source_id) == "paused":
                raise Permanent(*PAUSED)
            if not connection.execute(again(inboxes[found.source], id, actor)).rowcount:
                raise refusal(self.get(id, team_id))
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, found.source.value)))
            return self.get(id, team_id)


def shown(kind: SourceType) -> sa.Select[Any]:
    """Select what a view of a delivery of one inbox shows."""
    t = inboxes[kind].c
    plain = ("id", "status", "reason", "error", "trigger", "discussion_id", "generation")
    moments = ("received_at", "finished_at", "replayed_at", "replayed_by")
    return sa.select(
        sa.literal(kind, source_type).label("source"),
        *(t[name] for name in (*plain, *moments, "run_id")),
        t.source_config_id.label("source_id"),
        t.thread_id.label("thread"),
        t.payload.is_not(None).label("has_payload"),
        notes.c.run_id.label("kept_run_id"),
        notes.c.stage,
        notes.c.outcome,
        notes.c.reason.label("job_reason"),
    ).select_from(inboxes[kind].outerjoin(notes, notes.c.run_id == t.run_id))


def read(row: Any) -> DeliveryRecord:
    """Turn a row into a value."""
    job = None
    if row.run_id is not None:
        expired = row.kept_run_id is None
        job = JobOfDelivery(id=row.run_id, stage=row.stage, outcome=row.outcome, reason=row.job_reason, expired=expired)
    return DeliveryRecord.model_validate({**row._mapping, "job": job})


def again(table: sa.Table, id: int, actor: str) -> Any:
    """Write the transition of a delivery that has ended back to where it waits."""
    t = table.c
    newer = {
        "status": DeliveryStatus.PENDING,
        "trigger": Trigger.MANUAL,
        "generation": t.generation + 1,
        "expiries": 0,
        "not_before": sa.func.now(),
        "replayed_at": sa.func.now(),
        "replayed_by": actor,
        "updated_by": actor,
    }
    newer |= dict.fromkeys(("reason", "error", "run_key", "leased_until", "finished_at"))
    return sa.update(table).where(t.id == id, t.status.in_(ENDED), t.payload.is_not(None)).values(newer)


def refusal(delivery: DeliveryRecord) -> Permanent:
    """Say why a delivery cannot be run again as it stands."""
    return Permanent(*REFUSALS.get(delivery.status, PURGED))
