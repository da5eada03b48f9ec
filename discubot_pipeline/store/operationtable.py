"""The tables of operations: their inbox, and the lines that they read and write. Used by `tables`."""

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.store.columns import audit, json_object, metadata, moment, reference, uuid_key
from discubot_pipeline.store.enums import delivery_status, operation_kind


def operations_table() -> sa.Table:
    """Make the inbox of operations."""
    return sa.Table(
        "inbox_operations",
        metadata,
        uuid_key(),
        reference("team_id", "teams"),
        sa.Column("kind", operation_kind, nullable=False),
        sa.Column("status", delivery_status, nullable=False, server_default=DeliveryStatus.PENDING.value),
        json_object("params"),
        sa.Column("items", sa.Integer, nullable=False, server_default="0"),
        json_object("result"),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
        sa.Column("expiries", sa.Integer, nullable=False, server_default="0"),
        moment("leased_until"),
        sa.Column("run_key", sa.Text),
        sa.Column("run_id", sa.Text),
        moment("finished_at"),
        *audit(),
        sa.Index("ix_inbox_operations_open", "status", "created_at", postgresql_where=sa.text("finished_at IS NULL")),
        sa.Index(None, "team_id", "created_at", "id"),
    )


def chunks_table() -> sa.Table:
    """Make the table of the lines that operations read and write."""
    return sa.Table(
        "operation_chunks",
        metadata,
        reference("operation_id", "inbox_operations", primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first_line", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        *audit(),
    )
