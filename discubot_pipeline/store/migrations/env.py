"""Alembic's entry: runs migrations on the connection that `store/migrate` hands over."""

from alembic import context

from discubot_pipeline.store.tables import SCHEMA, metadata


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Look at our own schema only."""
    return kind != "schema" or name == SCHEMA


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=ours,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
