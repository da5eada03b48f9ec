"""The form that all inbox tables have, one table a source. Used by `tables`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.delivery import DeliveryKind, DeliveryStatus, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.columns import SCHEMA, audit, metadata, moment, reference
from discubot_pipeline.store.enums import delivery_kind, delivery_status, trigger

delivery_id = sa.Sequence("delivery_id_seq", metadata=metadata, schema=SCHEMA)


def inbox_table(source: SourceType) -> sa.Table:
    """Make the inbox table of one source. All draw their ids from one sequence, so an id names one row anywhere."""
    name = f"inbox_{source}"
    open_states = sa.text("status IN ('requested', 'running')")
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.BigInteger, delivery_id, primary_key=True, server_default=delivery_id.next_value()),
        reference("team_id", "teams"),
        reference("source_config_id", "source_configs"),
        sa.Column("status", delivery_status, nullable=False, server_default=DeliveryStatus.PENDING.value),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("kind", delivery_kind, nullable=False, server_default=DeliveryKind.MENTION.value),
        sa.Column("trigger", trigger, nullable=False, server_default=Trigger.WEBHOOK.value),
        sa.Column("delivery_key", sa.Text, nullable=False),
        sa.Column("message_key", sa.Text),
        sa.Column("gesture_key", sa.Text),
        sa.Column("thread_id", sa.Text),
        sa.Column("discussion_id", pg.UUID(as_uuid=True)),
        sa.Column("payload", pg.JSONB),
        sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
        sa.Column("expiries", sa.Integer, nullable=False, server_default="0"),
        moment("not_before", nullable=False, server_default=sa.func.now()),
        moment("leased_until"),
        sa.Column("run_key", sa.Text),
        sa.Column("run_id", sa.Text),
        moment("received_at", nullable=False, server_default=sa.func.now()),
        moment("finished_at"),
        sa.Column("replayed_by", sa.Text),
        moment("replayed_at"),
        *audit(),
        sa.UniqueConstraint("source_config_id", "delivery_key"),
        sa.UniqueConstraint("source_config_id", "message_key"),
        sa.UniqueConstraint("source_config_id", "gesture_key"),
        sa.CheckConstraint("status = 'ignored' OR thread_id IS NOT NULL", name="thread"),
        sa.CheckConstraint("(thread_id IS NULL) = (discussion_id IS NULL)", name="discussion"),
        sa.Index(f"ix_{name}_pending", "not_before", "id", postgresql_where=sa.text("status = 'pending'")),
        sa.Index(f"ix_{name}_open", "discussion_id", postgresql_where=open_states),
        sa.Index(f"ix_{name}_leases", "leased_until", postgresql_where=sa.text("status = 'requested'")),
        sa.Index(f"ix_{name}_run_id", "run_id", postgresql_where=sa.text("run_id IS NOT NULL")),
        sa.Index(f"ix_{name}_backfill", "created_by", postgresql_where=sa.text("trigger = 'backfill'")),
        sa.Index(f"ix_{name}_payloads", "finished_at", postgresql_where=sa.text("payload IS NOT NULL")),
        sa.Index(None, "team_id", "received_at", "id"),
        sa.Index(None, "team_id", "status", "received_at", "id"),
        sa.Index(None, "discussion_id"),
    )
