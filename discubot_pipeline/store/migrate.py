"""Brings the schema `discubot` up to date. Called by `discubot migrate` and at `discubot up`."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from discubot_pipeline.store.tables import SCHEMA

LOCK = 0x64697363


def migrate(engine: sa.Engine) -> None:
    """Make both schemas and run what migrations are missing; concurrent callers wait for each other."""
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
        config = scripts()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def scripts() -> Config:
    """Say where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def revisions(engine: sa.Engine) -> tuple[str | None, str | None]:
    """Give the revision that the database has, and the one that it should have."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
        return context.get_current_revision(), ScriptDirectory.from_config(scripts()).get_current_head()
