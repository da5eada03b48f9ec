"""Opens our connection to Postgres, and tells its faults apart. Called by `wiring`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import sqlalchemy as sa

from discubot_pipeline.domain.errors import Transient


def connect(url: str, pool_size: int = 5) -> sa.Engine:
    """Make a lazy, pooled engine; connections that died are replaced before use."""
    return sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=5,
        connect_args={"connect_timeout": 5, "application_name": "discubot"},
    )


_open: ContextVar[sa.Connection | None] = ContextVar("open", default=None)


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Work in one transaction: committed at the end, rolled back on any error, its connection always given back.

    Inside another `transaction` of the same engine it is a part of that one, so several stores can write as one.
    """
    around = _open.get()
    if around is not None and around.engine is engine:
        yield around
        return
    with database_faults(), engine.begin() as connection:
        token = _open.set(connection)
        try:
            yield connection
        finally:
            _open.reset(token)


@contextmanager
def database_faults() -> Iterator[None]:
    """Turn a lost, refused or exhausted connection into Transient("database_down")."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise Transient("database_down", "the database does not answer") from error


def is_up(engine: sa.Engine) -> bool:
    """Ask the database for a sign of life."""
    try:
        with database_faults(), engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except Transient:
        return False
    return True
