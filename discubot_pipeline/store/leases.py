"""How the next deliveries are chosen: by urgency, team by team, one run a discussion. Called by `inbox.py`."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.job import BACKFILL_WEIGHT, Priority, Trigger
from discubot_pipeline.store.tables import discussions, source_configs, teams

OPEN = (DeliveryStatus.REQUESTED, DeliveryStatus.RUNNING)


def leasing(table: sa.Table, bound: int, lease: timedelta, reserved: int) -> Any:
    """Write the statement that takes what is next; each row comes back with its team's name and its weight."""
    t, lead, due = table.c, table.alias("lead"), due_next(table, bound, reserved)
    key = sa.cast(lead.c.id, sa.Text) + ":" + sa.cast(lead.c.generation, sa.Text)
    return (
        sa.update(table)
        .where(
            t.discussion_id == due.c.discussion_id,
            t.status == DeliveryStatus.PENDING,
            lead.c.id == due.c.lead,
            teams.c.id == t.team_id,
        )
        .values(status=DeliveryStatus.REQUESTED, leased_until=sa.func.now() + lease, run_key=key)
        .returning(table, teams.c.name.label("team_name"), due.c.weight)
    )


def due_next(table: sa.Table, bound: int, reserved: int) -> sa.CTE:
    """Choose discussions: each team's line is sorted by urgency and age, and is `bound` long with what is asked for.

    Backfills stand at its end, and are not let into its last `reserved` places.
    """
    waiting, queued = due_discussions(table), requested_by_team(table)
    urgent_first = (waiting.c.weight.desc(), waiting.c.lead)
    turn = sa.func.row_number().over(partition_by=waiting.c.team_id, order_by=urgent_first)
    line = (
        sa.select(waiting, (turn + sa.func.coalesce(queued.c.runs, 0)).label("place"))
        .outerjoin(queued, queued.c.team_id == waiting.c.team_id)
        .subquery("line")
    )
    room = sa.case((line.c.weight == BACKFILL_WEIGHT, bound - reserved), else_=bound)
    return sa.select(line).where(line.c.place <= room).cte("due")


def due_discussions(table: sa.Table) -> sa.Subquery:
    """Fold what is due by discussion, without those that have a run at work."""
    t, other = table.c, table.alias("other")
    at_work = sa.exists().where(other.c.discussion_id == t.discussion_id, other.c.status.in_(OPEN))
    taken = sa.exists().where(discussions.c.id == t.discussion_id, discussions.c.active_run_id.is_not(None))
    return (
        sa.select(
            t.discussion_id, t.team_id, sa.func.min(t.id).label("lead"), sa.func.max(weight(t.trigger)).label("weight")
        )
        .join(teams, teams.c.id == t.team_id)
        .join(source_configs, source_configs.c.id == t.source_config_id)
        .where(t.status == DeliveryStatus.PENDING, t.not_before <= sa.func.now(), ~at_work, ~taken)
        .group_by(t.discussion_id, t.team_id)
        .subquery("waiting")
    )


def requested_by_team(table: sa.Table) -> sa.Subquery:
    """Count each team's runs that were asked for and have not begun."""
    t = table.c
    count = sa.select(t.team_id, sa.func.count(t.run_key.distinct()).label("runs"))
    return count.where(t.status == DeliveryStatus.REQUESTED).group_by(t.team_id).subquery("queued")


def weight(trigger: sa.ColumnElement[Trigger]) -> sa.ColumnElement[int]:
    """Read how urgent a delivery is off its source's preferences, else its team's; a backfill is less than that."""
    chosen = [table.c.preferences["priority"].astext for table in (source_configs, teams)]
    weights = {each.value: each.weight for each in Priority}
    urgency = sa.case(weights, value=sa.func.coalesce(*chosen), else_=Priority.NORMAL.weight)
    return sa.case((trigger == Trigger.BACKFILL, BACKFILL_WEIGHT), else_=urgency)
