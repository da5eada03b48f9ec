"""What the inbox is made of: an arrival as a row, rows as values. For `inbox`."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, DeliveryStatus, RunToRequest, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.job import foremost

LARGEST_ID = 2**63 - 1


def insert(table: sa.Table, config: SourceConfig, arrival: Arrival, held: str | None, asked: dict[str, Any]) -> Any:
    """Write an arrival as a row, pending, held or ignored, with who asked for it; a duplicate gives no id."""
    row = row_of(config, arrival) | asked
    if arrival.reason:
        row |= {"payload": sa.null(), "finished_at": sa.func.now()}
    elif held:
        row |= {"status": DeliveryStatus.HELD, "reason": held}
    return pg.insert(table).values(row).on_conflict_do_nothing().returning(table.c.id)


def row_of(config: SourceConfig, arrival: Arrival) -> dict[str, Any]:
    """Give the columns of an arrival: it is pending, or ignored for a reason."""
    thread = arrival.thread_id if arrival.reason is None else None
    return {
        "team_id": config.team_id,
        "source_config_id": config.id,
        "status": DeliveryStatus.IGNORED if arrival.reason else DeliveryStatus.PENDING,
        "reason": arrival.reason,
        "kind": arrival.kind,
        "delivery_key": arrival.delivery_key,
        "message_key": arrival.message_key,
        "gesture_key": arrival.gesture_key,
        "thread_id": thread,
        "discussion_id": discussion_id(config.team_id, config.source, thread) if thread else None,
        "payload": None if arrival.reason else arrival.payload,
    }


def same(table: sa.Table, config: SourceConfig, arrival: Arrival) -> Any:
    """Find the first row that any of an arrival's keys names."""
    t = table.c
    keys = arrival.model_dump(include={"delivery_key", "message_key", "gesture_key"}, exclude_none=True)
    equal = sa.or_(*[t[name] == key for name, key in keys.items()])
    return sa.select(t.id, t.delivery_key).where(t.source_config_id == config.id, equal).order_by(t.id).limit(1)


def run_of(source: SourceType, run_key: str, fold: list[Any]) -> RunToRequest:
    """Turn the rows that are leased together into the run to ask for."""
    lead = fold[0]
    return RunToRequest(
        run_key=run_key,
        delivery_ids=tuple(row.id for row in fold),
        team_id=lead.team_id,
        team_name=lead.team_name,
        source=source,
        kind=lead.kind,
        thread_id=lead.thread_id,
        discussion_id=lead.discussion_id,
        trigger=foremost([row.trigger for row in fold]),
        weight=lead.weight,
    )


def read_delivery(source: SourceType, row: Any) -> Delivery:
    """Turn a row into a value."""
    return Delivery(
        id=row.id,
        source=source,
        kind=row.kind,
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
