"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

trigger = postgresql.ENUM(
    "webhook", "manual", "schedule", "retry", "backfill", name="trigger", schema="discubot", create_type=False
)
stage = postgresql.ENUM(
    "ingestion",
    "config_loading",
    "thread_building",
    "ai_analysis",
    "task_creation",
    "notification",
    name="stage",
    schema="discubot",
    create_type=False,
)
run_outcome = postgresql.ENUM(
    "completed",
    "partial",
    "deferred",
    "ignored",
    "failed",
    "cancelled",
    name="run_outcome",
    schema="discubot",
    create_type=False,
)
source_type = postgresql.ENUM("slack", "generic", name="source_type", schema="discubot", create_type=False)
step_status = postgresql.ENUM(
    "running",
    "completed",
    "retrying",
    "ignored",
    "deferred",
    "failed",
    name="step_status",
    schema="discubot",
    create_type=False,
)
role = postgresql.ENUM("member", "admin", name="role", schema="discubot", create_type=False)
discussion_status = postgresql.ENUM(
    "processing",
    "completed",
    "partial",
    "failed",
    "cancelled",
    name="discussion_status",
    schema="discubot",
    create_type=False,
)
sentiment = postgresql.ENUM("positive", "neutral", "negative", name="sentiment", schema="discubot", create_type=False)
delivery_status = postgresql.ENUM(
    "pending",
    "requested",
    "running",
    "done",
    "ignored",
    "failed",
    "dead",
    "held",
    name="delivery_status",
    schema="discubot",
    create_type=False,
)
task_state = postgresql.ENUM("creating", "created", "failed", name="task_state", schema="discubot", create_type=False)
priority = postgresql.ENUM("low", "medium", "high", "urgent", name="priority", schema="discubot", create_type=False)
task_type = postgresql.ENUM(
    "bug", "feature", "question", "improvement", name="task_type", schema="discubot", create_type=False
)

ENUMS = (
    trigger,
    stage,
    run_outcome,
    source_type,
    step_status,
    role,
    discussion_status,
    sentiment,
    delivery_status,
    task_state,
    priority,
    task_type,
)


def upgrade() -> None:
    for kind in ENUMS:
        kind.create(op.get_bind())
    op.execute(sa.schema.CreateSequence(sa.Sequence("delivery_id_seq", schema="discubot")))
    op.create_table(
        "limits",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("free_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_limits")),
        schema="discubot",
    )
    op.create_table(
        "teams",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "preferences", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_teams_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
        schema="discubot",
    )
    op.create_table(
        "notes",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("root_run_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=True),
        sa.Column("discussion_id", sa.UUID(), nullable=True),
        sa.Column("source_config_id", sa.UUID(), nullable=True),
        sa.Column("trigger", trigger, server_default="webhook", nullable=False),
        sa.Column("stage", stage, nullable=True),
        sa.Column("outcome", run_outcome, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("counters", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("retried_by", sa.Text(), nullable=True),
        sa.Column("pipeline_version", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["discubot.teams.id"], name=op.f("fk_notes_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_notes")),
        schema="discubot",
    )
    op.create_index(
        op.f("ix_notes_discussion_id_created_at"),
        "notes",
        ["discussion_id", "created_at"],
        unique=False,
        schema="discubot",
    )
    op.create_index(op.f("ix_notes_root_run_id"), "notes", ["root_run_id"], unique=False, schema="discubot")
    op.create_index(
        op.f("ix_notes_team_id_created_at"), "notes", ["team_id", "created_at"], unique=False, schema="discubot"
    )
    op.create_table(
        "source_configs",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source", source_type, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=True),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column(
            "preferences", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_source_configs_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_configs")),
        sa.UniqueConstraint("hook", name=op.f("uq_source_configs_hook")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_source_configs_team_id_name")),
        schema="discubot",
    )
    op.create_index(op.f("ix_source_configs_source"), "source_configs", ["source"], unique=False, schema="discubot")
    op.create_table(
        "steps",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("stage", stage, nullable=True),
        sa.Column("team_id", sa.UUID(), nullable=True),
        sa.Column("discussion_id", sa.UUID(), nullable=True),
        sa.Column("status", step_status, server_default="running", nullable=False),
        sa.Column("input", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("output", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), server_default="0", nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["discubot.teams.id"], name=op.f("fk_steps_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("run_id", "step", name=op.f("uq_steps_run_id_step")),
        schema="discubot",
    )
    op.create_index(op.f("ix_steps_discussion_id"), "steps", ["discussion_id"], unique=False, schema="discubot")
    op.create_table(
        "tokens",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", role, server_default="member", nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["discubot.teams.id"], name=op.f("fk_tokens_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_tokens_team_id_name")),
        schema="discubot",
    )
    op.create_table(
        "discussions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source_config_id", sa.UUID(), nullable=True),
        sa.Column("source_type", source_type, nullable=False),
        sa.Column("source_thread_id", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("author_handle", sa.Text(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("participants", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("status", discussion_status, server_default="processing", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failed_stage", stage, nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("active_run_id", sa.Text(), nullable=True),
        sa.Column("ai_summary", sa.Text(), nullable=True),
        sa.Column("ai_key_points", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ai_action_items", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sentiment", sentiment, nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("analyst", sa.Text(), nullable=True),
        sa.Column("is_multi_task", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("total_messages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("processing_ms", sa.Integer(), nullable=True),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["source_config_id"],
            ["discubot.source_configs.id"],
            name=op.f("fk_discussions_source_config_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_discussions_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discussions")),
        sa.UniqueConstraint(
            "team_id",
            "source_type",
            "source_thread_id",
            name=op.f("uq_discussions_team_id_source_type_source_thread_id"),
        ),
        schema="discubot",
    )
    op.create_index(
        "ix_discussions_active",
        "discussions",
        ["active_run_id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("active_run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_discussions_source_config_id"), "discussions", ["source_config_id"], unique=False, schema="discubot"
    )
    op.create_index(
        op.f("ix_discussions_team_id_status_created_at"),
        "discussions",
        ["team_id", "status", "created_at"],
        unique=False,
        schema="discubot",
    )
    op.create_table(
        "inbox_generic",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('discubot.delivery_id_seq')"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source_config_id", sa.UUID(), nullable=False),
        sa.Column("status", delivery_status, server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("trigger", trigger, server_default="webhook", nullable=False),
        sa.Column("delivery_key", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=True),
        sa.Column("gesture_key", sa.Text(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("discussion_id", sa.UUID(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expiries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("run_key", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.CheckConstraint("status = 'ignored' OR thread_id IS NOT NULL", name=op.f("ck_inbox_generic_thread")),
        sa.CheckConstraint("(thread_id IS NULL) = (discussion_id IS NULL)", name=op.f("ck_inbox_generic_discussion")),
        sa.ForeignKeyConstraint(
            ["source_config_id"],
            ["discubot.source_configs.id"],
            name=op.f("fk_inbox_generic_source_config_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_inbox_generic_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_generic")),
        sa.UniqueConstraint(
            "source_config_id", "delivery_key", name=op.f("uq_inbox_generic_source_config_id_delivery_key")
        ),
        sa.UniqueConstraint(
            "source_config_id", "gesture_key", name=op.f("uq_inbox_generic_source_config_id_gesture_key")
        ),
        sa.UniqueConstraint(
            "source_config_id", "message_key", name=op.f("uq_inbox_generic_source_config_id_message_key")
        ),
        schema="discubot",
    )
    op.create_index(
        op.f("ix_inbox_generic_discussion_id"), "inbox_generic", ["discussion_id"], unique=False, schema="discubot"
    )
    op.create_index(
        "ix_inbox_generic_leases",
        "inbox_generic",
        ["leased_until"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "ix_inbox_generic_open",
        "inbox_generic",
        ["discussion_id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status IN ('requested', 'running')"),
    )
    op.create_index(
        "ix_inbox_generic_payloads",
        "inbox_generic",
        ["finished_at"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    op.create_index(
        "ix_inbox_generic_pending",
        "inbox_generic",
        ["not_before", "id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_inbox_generic_run_id",
        "inbox_generic",
        ["run_id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_inbox_generic_team_id_received_at"),
        "inbox_generic",
        ["team_id", "received_at"],
        unique=False,
        schema="discubot",
    )
    op.create_table(
        "inbox_slack",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('discubot.delivery_id_seq')"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source_config_id", sa.UUID(), nullable=False),
        sa.Column("status", delivery_status, server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("trigger", trigger, server_default="webhook", nullable=False),
        sa.Column("delivery_key", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=True),
        sa.Column("gesture_key", sa.Text(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("discussion_id", sa.UUID(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expiries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("run_key", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.CheckConstraint("status = 'ignored' OR thread_id IS NOT NULL", name=op.f("ck_inbox_slack_thread")),
        sa.CheckConstraint("(thread_id IS NULL) = (discussion_id IS NULL)", name=op.f("ck_inbox_slack_discussion")),
        sa.ForeignKeyConstraint(
            ["source_config_id"],
            ["discubot.source_configs.id"],
            name=op.f("fk_inbox_slack_source_config_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_inbox_slack_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_slack")),
        sa.UniqueConstraint(
            "source_config_id", "delivery_key", name=op.f("uq_inbox_slack_source_config_id_delivery_key")
        ),
        sa.UniqueConstraint(
            "source_config_id", "gesture_key", name=op.f("uq_inbox_slack_source_config_id_gesture_key")
        ),
        sa.UniqueConstraint(
            "source_config_id", "message_key", name=op.f("uq_inbox_slack_source_config_id_message_key")
        ),
        schema="discubot",
    )
    op.create_index(
        op.f("ix_inbox_slack_discussion_id"), "inbox_slack", ["discussion_id"], unique=False, schema="discubot"
    )
    op.create_index(
        "ix_inbox_slack_leases",
        "inbox_slack",
        ["leased_until"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "ix_inbox_slack_open",
        "inbox_slack",
        ["discussion_id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status IN ('requested', 'running')"),
    )
    op.create_index(
        "ix_inbox_slack_payloads",
        "inbox_slack",
        ["finished_at"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    op.create_index(
        "ix_inbox_slack_pending",
        "inbox_slack",
        ["not_before", "id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_inbox_slack_run_id",
        "inbox_slack",
        ["run_id"],
        unique=False,
        schema="discubot",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_inbox_slack_team_id_received_at"),
        "inbox_slack",
        ["team_id", "received_at"],
        unique=False,
        schema="discubot",
    )
    op.create_table(
        "outputs",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source_config_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("database_id", sa.Text(), nullable=False),
        sa.Column("data_source_id", sa.Text(), nullable=True),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column("domains", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["source_config_id"],
            ["discubot.source_configs.id"],
            name=op.f("fk_outputs_source_config_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_outputs_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outputs")),
        sa.UniqueConstraint("source_config_id", "name", name=op.f("uq_outputs_source_config_id_name")),
        schema="discubot",
    )
    op.create_index(op.f("ix_outputs_team_id"), "outputs", ["team_id"], unique=False, schema="discubot")
    op.create_index(
        "uq_outputs_default",
        "outputs",
        ["source_config_id"],
        unique=True,
        schema="discubot",
        postgresql_where=sa.text("is_default AND active"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("source_config_id", sa.UUID(), nullable=False),
        sa.Column("source_user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("is_bot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("fetched_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["source_config_id"],
            ["discubot.source_configs.id"],
            name=op.f("fk_people_source_config_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["discubot.teams.id"], name=op.f("fk_people_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint(
            "source_config_id", "source_user_id", name=op.f("uq_people_source_config_id_source_user_id")
        ),
        schema="discubot",
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("discussion_id", sa.UUID(), nullable=False),
        sa.Column("source_message_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_handle", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column(
            "attachments", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["discussion_id"], ["discubot.discussions.id"], name=op.f("fk_messages_discussion_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_messages_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "discussion_id", "source_message_id", name=op.f("uq_messages_discussion_id_source_message_id")
        ),
        schema="discubot",
    )
    op.create_index(
        op.f("ix_messages_discussion_id_position"),
        "messages",
        ["discussion_id", "position"],
        unique=False,
        schema="discubot",
    )
    op.create_table(
        "replies",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("discussion_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.ForeignKeyConstraint(
            ["discussion_id"], ["discubot.discussions.id"], name=op.f("fk_replies_discussion_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["discubot.teams.id"], name=op.f("fk_replies_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_replies")),
        schema="discubot",
    )
    op.create_index(op.f("ix_replies_discussion_id"), "replies", ["discussion_id"], unique=False, schema="discubot")
    op.create_table(
        "tasks",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=False),
        sa.Column("discussion_id", sa.UUID(), nullable=False),
        sa.Column("output_id", sa.UUID(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", task_state, server_default="creating", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("notion_page_id", sa.Text(), nullable=True),
        sa.Column("notion_page_url", sa.Text(), nullable=True),
        sa.Column("page_created_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("skipped", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("priority", priority, nullable=True),
        sa.Column("type", task_type, nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("action_items", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("is_multi_task_child", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("task_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="system", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="system", nullable=False),
        sa.CheckConstraint("state <> 'created' OR notion_page_id IS NOT NULL", name=op.f("ck_tasks_created_page")),
        sa.ForeignKeyConstraint(
            ["discussion_id"], ["discubot.discussions.id"], name=op.f("fk_tasks_discussion_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["output_id"], ["discubot.outputs.id"], name=op.f("fk_tasks_output_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["discubot.teams.id"], name=op.f("fk_tasks_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("key", name=op.f("uq_tasks_key")),
        sa.UniqueConstraint("notion_page_id", name=op.f("uq_tasks_notion_page_id")),
        schema="discubot",
    )
    op.create_index(
        op.f("ix_tasks_discussion_id_task_index"),
        "tasks",
        ["discussion_id", "task_index"],
        unique=False,
        schema="discubot",
    )
    op.create_index(op.f("ix_tasks_run_id"), "tasks", ["run_id"], unique=False, schema="discubot")
    op.create_index(
        op.f("ix_tasks_team_id_created_at"), "tasks", ["team_id", "created_at"], unique=False, schema="discubot"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_tasks_team_id_created_at"), table_name="tasks", schema="discubot")
    op.drop_index(op.f("ix_tasks_run_id"), table_name="tasks", schema="discubot")
    op.drop_index(op.f("ix_tasks_discussion_id_task_index"), table_name="tasks", schema="discubot")
    op.drop_table("tasks", schema="discubot")
    op.drop_index(op.f("ix_replies_discussion_id"), table_name="replies", schema="discubot")
    op.drop_table("replies", schema="discubot")
    op.drop_index(op.f("ix_messages_discussion_id_position"), table_name="messages", schema="discubot")
    op.drop_table("messages", schema="discubot")
    op.drop_table("people", schema="discubot")
    op.drop_index(
        "uq_outputs_default", table_name="outputs", schema="discubot", postgresql_where=sa.text("is_default AND active")
    )
    op.drop_index(op.f("ix_outputs_team_id"), table_name="outputs", schema="discubot")
    op.drop_table("outputs", schema="discubot")
    op.drop_index(op.f("ix_inbox_slack_team_id_received_at"), table_name="inbox_slack", schema="discubot")
    op.drop_index(
        "ix_inbox_slack_run_id",
        table_name="inbox_slack",
        schema="discubot",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_inbox_slack_pending",
        table_name="inbox_slack",
        schema="discubot",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_inbox_slack_payloads",
        table_name="inbox_slack",
        schema="discubot",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    op.drop_index(
        "ix_inbox_slack_open",
        table_name="inbox_slack",
        schema="discubot",
        postgresql_where=sa.text("status IN ('requested', 'running')"),
    )
    op.drop_index(
        "ix_inbox_slack_leases",
        table_name="inbox_slack",
        schema="discubot",
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.drop_index(op.f("ix_inbox_slack_discussion_id"), table_name="inbox_slack", schema="discubot")
    op.drop_table("inbox_slack", schema="discubot")
    op.drop_index(op.f("ix_inbox_generic_team_id_received_at"), table_name="inbox_generic", schema="discubot")
    op.drop_index(
        "ix_inbox_generic_run_id",
        table_name="inbox_generic",
        schema="discubot",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_inbox_generic_pending",
        table_name="inbox_generic",
        schema="discubot",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_inbox_generic_payloads",
        table_name="inbox_generic",
        schema="discubot",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    op.drop_index(
        "ix_inbox_generic_open",
        table_name="inbox_generic",
        schema="discubot",
        postgresql_where=sa.text("status IN ('requested', 'running')"),
    )
    op.drop_index(
        "ix_inbox_generic_leases",
        table_name="inbox_generic",
        schema="discubot",
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.drop_index(op.f("ix_inbox_generic_discussion_id"), table_name="inbox_generic", schema="discubot")
    op.drop_table("inbox_generic", schema="discubot")
    op.drop_index(op.f("ix_discussions_team_id_status_created_at"), table_name="discussions", schema="discubot")
    op.drop_index(op.f("ix_discussions_source_config_id"), table_name="discussions", schema="discubot")
    op.drop_index(
        "ix_discussions_active",
        table_name="discussions",
        schema="discubot",
        postgresql_where=sa.text("active_run_id IS NOT NULL"),
    )
    op.drop_table("discussions", schema="discubot")
    op.drop_table("tokens", schema="discubot")
    op.drop_index(op.f("ix_steps_discussion_id"), table_name="steps", schema="discubot")
    op.drop_table("steps", schema="discubot")
    op.drop_index(op.f("ix_source_configs_source"), table_name="source_configs", schema="discubot")
    op.drop_table("source_configs", schema="discubot")
    op.drop_index(op.f("ix_notes_team_id_created_at"), table_name="notes", schema="discubot")
    op.drop_index(op.f("ix_notes_root_run_id"), table_name="notes", schema="discubot")
    op.drop_index(op.f("ix_notes_discussion_id_created_at"), table_name="notes", schema="discubot")
    op.drop_table("notes", schema="discubot")
    op.drop_table("teams", schema="discubot")
    op.drop_table("limits", schema="discubot")
    op.execute(sa.schema.DropSequence(sa.Sequence("delivery_id_seq", schema="discubot")))
    for kind in ENUMS:
        kind.drop(op.get_bind())
