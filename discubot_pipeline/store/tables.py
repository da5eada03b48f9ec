"""All tables of the schema `discubot`, in their order. Migrations are proven equal to them by a test."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus, MessageRole
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store import enums
from discubot_pipeline.store.columns import SCHEMA as SCHEMA
from discubot_pipeline.store.columns import audit, json_object, moment, reference, spent, texts, uuid_key
from discubot_pipeline.store.columns import metadata as metadata
from discubot_pipeline.store.enums import Role as Role
from discubot_pipeline.store.enums import StepStatus as StepStatus
from discubot_pipeline.store.hooktable import hooks_table, outbox_table
from discubot_pipeline.store.inboxtable import inbox_table
from discubot_pipeline.store.operationtable import chunks_table, operations_table
from discubot_pipeline.store.runtable import notes_table, reasonings_table, steps_table

teams = sa.Table(
    "teams",
    metadata,
    uuid_key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    json_object("preferences"),
    sa.Column("model_credentials", sa.LargeBinary),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    *audit(),
    sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="name"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", enums.role, nullable=False, server_default=Role.MEMBER.value),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
    *audit(),
    sa.UniqueConstraint("team_id", "name"),
)

source_configs = sa.Table(
    "source_configs",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    sa.Column("source", enums.source_type, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hook", sa.Text, nullable=False, unique=True),
    sa.Column("workspace", sa.Text),
    sa.Column("credentials", sa.LargeBinary, nullable=False),
    sa.Column("model_credentials", sa.LargeBinary),
    json_object("preferences"),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    *audit(),
    sa.UniqueConstraint("team_id", "name"),
    sa.Index(None, "source"),
)

outputs = sa.Table(
    "outputs",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    reference("source_config_id", "source_configs"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("database_id", sa.Text, nullable=False),
    sa.Column("data_source_id", sa.Text),
    sa.Column("credentials", sa.LargeBinary, nullable=False),
    texts("domains"),
    json_object("field_map"),
    json_object("value_map"),
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    *audit(),
    sa.UniqueConstraint("source_config_id", "name"),
    sa.Index(None, "team_id"),
    sa.Index("uq_outputs_default", "source_config_id", unique=True, postgresql_where=sa.text("is_default AND active")),
)

inboxes = {source: inbox_table(source) for source in SourceType}

discussions = sa.Table(
    "discussions",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    reference("team_id", "teams"),
    reference("source_config_id", "source_configs", nullable=True, ondelete="SET NULL"),
    sa.Column("source_type", enums.source_type, nullable=False),
    sa.Column("source_thread_id", sa.Text, nullable=False),
    sa.Column("source_url", sa.Text),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("is_renamed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("content", sa.Text, nullable=False, server_default=""),
    sa.Column("author_id", sa.Text),
    sa.Column("author_handle", sa.Text),
    sa.Column("author_name", sa.Text),
    texts("participants"),
    sa.Column("status", enums.discussion_status, nullable=False, server_default=DiscussionStatus.PROCESSING.value),
    sa.Column("reason", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("failed_stage", enums.stage),
    sa.Column("run_id", sa.Text),
    sa.Column("active_run_id", sa.Text),
    sa.Column("ai_summary", sa.Text),
    texts("ai_key_points"),
    texts("ai_action_items"),
    sa.Column("sentiment", enums.sentiment),
    sa.Column("confidence", sa.Float),
    sa.Column("analyst", sa.Text),
    *spent(),
    sa.Column("is_multi_task", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("total_messages", sa.Integer, nullable=False, server_default="0"),
    moment("started_at"),
    sa.Column("processing_ms", sa.Integer),
    moment("completed_at"),
    moment("retry_until"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    *audit(),
    sa.UniqueConstraint("team_id", "source_type", "source_thread_id"),
    sa.Index(None, "team_id", "created_at", "id"),
    sa.Index(None, "team_id", "status", "created_at", "id"),
    sa.Index(None, "team_id", "source_type", "created_at", "id"),
    sa.Index("ix_discussions_active", "active_run_id", postgresql_where=sa.text("active_run_id IS NOT NULL")),
    sa.Index(None, "source_config_id"),
)

messages = sa.Table(
    "messages",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    reference("discussion_id", "discussions"),
    sa.Column("source_message_id", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("is_added", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("role", enums.message_role, nullable=False, server_default=MessageRole.USER.value),
    sa.Column("persona", sa.Text),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("author_name", sa.Text, nullable=False),
    sa.Column("author_handle", sa.Text),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("attachments", pg.JSONB, nullable=False, server_default=sa.text("'[]'")),
    moment("sent_at", nullable=False),
    *audit(),
    sa.UniqueConstraint("discussion_id", "source_message_id"),
    sa.Index(None, "discussion_id", "position", "id"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    reference("discussion_id", "discussions"),
    reference("output_id", "outputs", nullable=True, ondelete="SET NULL"),
    sa.Column("run_id", sa.Text),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("state", enums.task_state, nullable=False, server_default=TaskState.CREATING.value),
    sa.Column("reason", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("notion_page_id", sa.Text, unique=True),
    sa.Column("notion_page_url", sa.Text),
    moment("page_created_at"),
    texts("skipped"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text),
    sa.Column("priority", enums.priority),
    sa.Column("type", enums.task_type),
    sa.Column("assignee", sa.Text),
    sa.Column("due_date", sa.Date),
    texts("tags"),
    sa.Column("domain", sa.Text),
    texts("action_items"),
    sa.Column("summary", sa.Text, nullable=False, server_default=""),
    sa.Column("source_url", sa.Text),
    sa.Column("is_multi_task_child", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("task_index", sa.Integer, nullable=False, server_default="0"),
    moment("completed_at"),
    sa.Column("completions", sa.Integer, nullable=False, server_default="0"),
    *audit(),
    sa.CheckConstraint("state <> 'created' OR notion_page_id IS NOT NULL", name="created_page"),
    sa.Index(None, "discussion_id", "task_index"),
    sa.Index(None, "team_id", "created_at", "id"),
    sa.Index(None, "team_id", "state", "created_at", "id"),
    sa.Index(None, "run_id"),
)

steps = steps_table()
reasonings = reasonings_table()
notes = notes_table()
operations = operations_table()
chunks = chunks_table()

analyses = sa.Table(
    "analyses",
    metadata,
    reference("team_id", "teams"),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("analyst", sa.Text, nullable=False),
    sa.Column("findings", pg.JSONB, nullable=False),
    *audit(),
    sa.PrimaryKeyConstraint("team_id", "key"),
    sa.Index(None, "created_at"),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    reference("team_id", "teams"),
    reference("discussion_id", "discussions"),
    sa.Column("run_id", sa.Text, nullable=False),
    moment("posted_at"),
    *audit(),
    sa.Index(None, "discussion_id"),
)

people = sa.Table(
    "people",
    metadata,
    uuid_key(),
    reference("team_id", "teams"),
    reference("source_config_id", "source_configs"),
    sa.Column("source_user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("handle", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("is_bot", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("notion_user_id", sa.Text),
    sa.Column("match", enums.person_match),
    sa.Column("confidence", sa.Float),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    moment("fetched_at", nullable=False, server_default=sa.func.now()),
    *audit(),
    sa.UniqueConstraint("source_config_id", "source_user_id"),
    sa.CheckConstraint("(notion_user_id IS NULL) = (match IS NULL)", name="match"),
    sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    sa.Index(None, "team_id", "name"),
)

schemas = sa.Table(
    "schemas",
    metadata,
    reference("output_id", "outputs", primary_key=True),
    sa.Column("output_version", sa.Integer, nullable=False),
    sa.Column("target", pg.JSONB, nullable=False),
    moment("fetched_at", nullable=False, server_default=sa.func.now()),
    *audit(),
)

statistics = sa.Table(
    "statistics",
    metadata,
    reference("team_id", "teams"),
    sa.Column("day", sa.Date, nullable=False),
    *[sa.Column(name, sa.Integer, nullable=False) for name in ("deliveries", "discussions", "tasks", "failures")],
    *[sa.Column(name, sa.BigInteger) for name in ("p50_ms", "p95_ms", "p99_ms")],
    *spent(),
    moment("computed_at", nullable=False),
    *audit(),
    sa.PrimaryKeyConstraint("team_id", "day"),
)

limits = sa.Table(
    "limits",
    metadata,
    sa.Column("bucket", sa.Text, primary_key=True),
    moment("free_at", nullable=False),
    *audit(),
)

meters = sa.Table(
    "meters",
    metadata,
    sa.Column("meter", sa.Text, nullable=False),
    sa.Column("labels", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("total", sa.Float, nullable=False),
    *audit(),
    sa.PrimaryKeyConstraint("meter", "labels"),
)
hooks = hooks_table()
hook_deliveries = outbox_table()
