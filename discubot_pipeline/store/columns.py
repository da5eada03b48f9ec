"""The parts that tables are made of: enums, moments, keys, and the audit columns of every row. Used by `tables`."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

SCHEMA = "discubot"
SYSTEM = "system"

metadata = sa.MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def enum_of(kind: type[StrEnum], name: str) -> pg.ENUM:
    """Make a database enum of a StrEnum, with its values as labels."""
    return pg.ENUM(kind, name=name, schema=SCHEMA, metadata=metadata, values_callable=lambda e: [m.value for m in e])


def moment(name: str, **options: Any) -> sa.Column[Any]:
    """Make a column of a point in time."""
    return sa.Column(name, sa.TIMESTAMP(timezone=True), **options)


def uuid_key() -> sa.Column[Any]:
    """Make a primary key of a random UUID."""
    return sa.Column("id", pg.UUID(as_uuid=True), primary_key=True, server_default=sa.text("gen_random_uuid()"))


def audit() -> list[sa.Column[Any]]:
    """Make the four columns that every row has: when and by whom it was made and last changed."""
    return [
        moment("created_at", nullable=False, server_default=sa.func.now()),
        moment("updated_at", nullable=False, server_default=sa.func.now(), onupdate=sa.func.now()),
        sa.Column("created_by", sa.Text, nullable=False, server_default=SYSTEM),
        sa.Column("updated_by", sa.Text, nullable=False, server_default=SYSTEM, onupdate=SYSTEM),
    ]


def reference(name: str, target: str, *, nullable: bool = False, ondelete: str = "CASCADE") -> sa.Column[Any]:
    """Make a foreign key column to another table's id."""
    key = sa.ForeignKey(f"{SCHEMA}.{target}.id", ondelete=ondelete)
    return sa.Column(name, pg.UUID(as_uuid=True), key, nullable=nullable)


def texts(name: str) -> sa.Column[Any]:
    """Make a column of a list of texts, empty by default."""
    return sa.Column(name, pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))


def json_object(name: str) -> sa.Column[Any]:
    """Make a column of a JSON object, empty by default."""
    return sa.Column(name, pg.JSONB, nullable=False, server_default=sa.text("'{}'"))
