"""Migrations build the very tables that `tables.py` describes, whoever runs them and however often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.store.migrate import migrate
from discubot_pipeline.store.tables import SCHEMA, metadata

CATALOG = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE n.nspname = :schema AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT c.relname, k.conname, k.contype, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = :schema""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = :schema",
    "enums": """
        SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)
        FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = :schema GROUP BY t.typname""",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle
        FROM pg_sequences WHERE schemaname = :schema""",
}
VERSIONS = "alembic_version"
Catalog = dict[str, set[str]]


def catalog(connection: sa.Connection) -> Catalog:
    """Read all that the database knows of our schema, without Alembic's own table."""
    found = {kind: connection.execute(sa.text(query), {"schema": SCHEMA}) for kind, query in CATALOG.items()}
    return {kind: {str(tuple(row)) for row in rows if row[0] != VERSIONS} for kind, rows in found.items()}


@pytest.fixture
def bare(shared_engine: sa.Engine) -> Iterator[sa.Engine]:
    """Give a database without our schema, and bring it back afterwards."""
    drop(shared_engine)
    yield shared_engine
    drop(shared_engine)
    migrate(shared_engine)
    shared_engine.dispose()


def drop(engine: sa.Engine) -> None:
    """Take our schema away, and the connections that remember its types."""
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(SCHEMA, cascade=True, if_exists=True))
    engine.dispose()


def test_migrations_equal_the_tables(engine: sa.Engine) -> None:
    """Columns, types, defaults, constraints, indexes, enums and sequences are the same, one by one."""
    with engine.connect() as connection:
        migrated = catalog(connection)
        connection.execute(sa.schema.DropSchema(SCHEMA, cascade=True))
        connection.execute(sa.schema.CreateSchema(SCHEMA))
        metadata.create_all(connection)
        described = catalog(connection)
        connection.rollback()
    for kind in CATALOG:
        assert migrated[kind] == described[kind], kind
        assert migrated[kind], f"no {kind} were found at all"


def test_migrating_again_changes_nothing(engine: sa.Engine) -> None:
    """A second start finds everything up to date and keeps the rows."""
    team = sa.insert(metadata.tables[f"{SCHEMA}.teams"]).values(name="acme")
    with engine.begin() as connection:
        connection.execute(team)
        before = catalog(connection)
    migrate(engine)
    with engine.begin() as connection:
        assert catalog(connection) == before
        assert connection.execute(sa.text(f"SELECT count(*) FROM {SCHEMA}.teams")).scalar_one() == 1


def test_processes_that_start_together_migrate_once(bare: sa.Engine) -> None:
    """Several migrations of an empty database at once wait for each other, and all succeed."""
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, bare) for _ in range(4)]:
            done.result(60)
    with bare.connect() as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {SCHEMA}.{VERSIONS}")).scalar_one() == 1
        schemas = set(connection.scalars(sa.text("SELECT nspname FROM pg_namespace")))
    assert {SCHEMA, "dagster"} <= schemas


def test_a_migration_that_fails_leaves_nothing(bare: sa.Engine) -> None:
    """All migrations are one transaction: what stands in their way is named, and the next try starts afresh."""
    with bare.begin() as connection:
        connection.execute(sa.schema.CreateSchema(SCHEMA))
        connection.execute(sa.text(f"CREATE TABLE {SCHEMA}.people (id int)"))
    with pytest.raises(sa.exc.ProgrammingError, match="people"):
        migrate(bare)
    with bare.begin() as connection:
        assert sa.inspect(connection).get_table_names(SCHEMA) == ["people"]
        connection.execute(sa.text(f"DROP TABLE {SCHEMA}.people"))
    migrate(bare)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_row_says_when_and_by_whom(engine: sa.Engine, table: sa.Table) -> None:
    """All tables have the four audit columns, filled in for what no person did."""
    query = """SELECT column_name, is_nullable, column_default FROM information_schema.columns
               WHERE table_schema = :schema AND table_name = :table"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"schema": SCHEMA, "table": table.name})
        found: dict[str, Any] = {row[0]: tuple(row[1:]) for row in rows}
    for name in ("created_by", "updated_by"):
        assert found[name] == ("NO", "'system'::text")
    for name in ("created_at", "updated_at"):
        assert found[name] == ("NO", "now()")


def test_the_system_signs_what_no_person_did(engine: sa.Engine) -> None:
    """A row that is written and changed without a name has `system` in both columns, and the time of its change."""
    limits = metadata.tables[f"{SCHEMA}.limits"]
    with engine.begin() as connection:
        connection.execute(sa.insert(limits).values(bucket="b", free_at=sa.func.now()))
    with engine.begin() as connection:
        connection.execute(sa.update(limits).values(free_at=sa.func.now()))
        [row] = connection.execute(sa.select(limits))
    assert (row.created_by, row.updated_by) == ("system", "system")
    assert row.updated_at > row.created_at
