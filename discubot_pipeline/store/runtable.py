"""The tables of what runs leave behind: their steps, why these did what they did, and notes. Used by `tables`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.job import Scope, Trigger
from discubot_pipeline.store.columns import SCHEMA, audit, json_object, metadata, moment, reference, spent, uuid_key
from discubot_pipeline.store.enums import (
    ReasoningStatus,
    StepStatus,
    reasoning_status,
    run_outcome,
    scope,
    stage,
    step_status,
    trigger,
)


def steps_table() -> sa.Table:
    """Make the table of step records."""
    return sa.Table(
        "steps",
        metadata,
        uuid_key(),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("stage", stage),
        reference("team_id", "teams", nullable=True),
        sa.Column("discussion_id", pg.UUID(as_uuid=True)),
        sa.Column("status", step_status, nullable=False, server_default=StepStatus.RUNNING.value),
        sa.Column("input", pg.JSONB),
        sa.Column("output", pg.JSONB),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("reasoning", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
        *spent(),
        moment("started_at", nullable=False, server_default=sa.func.now()),
        moment("finished_at"),
        *audit(),
        sa.UniqueConstraint("run_id", "step"),
        sa.Index(None, "discussion_id"),
    )


def reasonings_table() -> sa.Table:
    """Make the queue of explanations, one row a step."""
    return sa.Table(
        "reasonings",
        metadata,
        uuid_key(),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        reference("team_id", "teams", nullable=True),
        sa.Column("status", reasoning_status, nullable=False, server_default=ReasoningStatus.PENDING.value),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.Text),
        moment("due_at", nullable=False, server_default=sa.func.now()),
        sa.Column("author", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        *spent(),
        moment("asked_at", nullable=False, server_default=sa.func.now()),
        moment("started_at"),
        moment("finished_at"),
        *audit(),
        sa.UniqueConstraint("run_id", "step"),
        sa.ForeignKeyConstraint(
            ["run_id", "step"], [f"{SCHEMA}.steps.run_id", f"{SCHEMA}.steps.step"], ondelete="CASCADE"
        ),
        sa.Index("ix_reasonings_due", "due_at", postgresql_where=sa.text("status IN ('pending', 'processing')")),
        sa.Index(None, "team_id", "status"),
    )


def notes_table() -> sa.Table:
    """Make the table of what Dagster has no place for, one row a run."""
    return sa.Table(
        "notes",
        metadata,
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("root_run_id", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False, server_default="discubot"),
        sa.Column("job_name", sa.Text, nullable=False, server_default="discussion_job"),
        sa.Column("scope", scope, nullable=False, server_default=Scope.TEAM.value),
        reference("team_id", "teams", nullable=True),
        sa.Column("discussion_id", pg.UUID(as_uuid=True)),
        sa.Column("source_config_id", pg.UUID(as_uuid=True)),
        sa.Column("trigger", trigger, nullable=False, server_default=Trigger.WEBHOOK.value),
        sa.Column("stage", stage),
        sa.Column("outcome", run_outcome),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        moment("not_before"),
        json_object("params"),
        json_object("progress"),
        json_object("counters"),
        sa.Column("summary", sa.Text),
        sa.Column("retried_by", sa.Text),
        sa.Column("cancelled_by", sa.Text),
        sa.Column("note_reason", sa.Text),
        sa.Column("pipeline_version", sa.Text, nullable=False),
        moment("closed_at"),
        *audit(),
        sa.Index(None, "discussion_id", "created_at"),
        sa.Index(None, "team_id", "created_at"),
        sa.Index(None, "team_id", "stage", "created_at"),
        sa.Index(None, "root_run_id"),
    )
