"""The tables of completion hooks: the targets, and the outbox of what they are to be told. Used by `tables`."""

import sqlalchemy as sa

from discubot_pipeline.domain.hook import HookStatus
from discubot_pipeline.store.columns import audit, metadata, moment, reference, texts, uuid_key
from discubot_pipeline.store.enums import hook_event, hook_kind, hook_status


def hooks_table() -> sa.Table:
    """Make the table of hooks."""
    return sa.Table(
        "hooks",
        metadata,
        uuid_key(),
        reference("team_id", "teams"),
        reference("source_config_id", "source_configs", nullable=True),
        reference("sender_id", "source_configs", nullable=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", hook_kind, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("channel", sa.Text),
        texts("events"),
        sa.Column("has_text", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("reason", sa.Text),
        sa.Column("credentials", sa.LargeBinary, nullable=False),
        *audit(),
        sa.UniqueConstraint("team_id", "name"),
        sa.CheckConstraint("(kind = 'webhook') = (url IS NOT NULL)", name="url"),
        sa.CheckConstraint("(kind = 'slack') = (channel IS NOT NULL AND sender_id IS NOT NULL)", name="channel"),
        sa.Index(None, "source_config_id"),
        sa.Index(None, "sender_id"),
    )


def outbox_table() -> sa.Table:
    """Make the outbox."""
    return sa.Table(
        "hook_deliveries",
        metadata,
        uuid_key(),
        reference("hook_id", "hooks"),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("event", hook_event, nullable=False),
        sa.Column("status", hook_status, nullable=False, server_default=HookStatus.PENDING.value),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        moment("not_before", nullable=False, server_default=sa.func.now()),
        moment("leased_until"),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        moment("sent_at"),
        *audit(),
        sa.UniqueConstraint("hook_id", "run_id"),
        sa.Index("ix_hook_deliveries_pending", "not_before", "id", postgresql_where=sa.text("status = 'pending'")),
        sa.Index(None, "hook_id", "created_at", "id"),
        sa.Index(None, "run_id"),
    )
