"""How long a process's queries take, and how much of its pool is in use. Used by `/metrics`."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from discubot_pipeline.domain.job import Value

VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
BEGAN = "query_began"
Seen = Callable[[str, float, bool], None]
"""Told of each query: its verb, how many seconds it took, and whether it failed."""


class PoolUse(Value):
    """Connections of a pool: in use, open but idle, and how many there may be."""

    in_use: int
    idle: int
    most: int


def watch(engine: sa.Engine, seen: Seen) -> None:
    """Tell of each query of an engine from now on."""

    def before(connection: sa.Connection, *_: Any) -> None:
        connection.info[BEGAN] = time.monotonic()

    def after(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        seen(verb_of(statement), time.monotonic() - connection.info.pop(BEGAN), False)

    def failed(error: sa.ExceptionContext) -> None:
        began = error.connection.info.pop(BEGAN, None) if error.connection and error.statement else None
        if began is not None and error.statement:
            seen(verb_of(error.statement), time.monotonic() - began, True)
        elif error.connection is None:
            seen("CONNECT", 0.0, True)

    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "after_cursor_execute", after)
    sa.event.listen(engine, "handle_error", failed)


def verb_of(statement: str) -> str:
    """Name what a statement does, by one of a few words."""
    verb = statement.lstrip().partition(" ")[0].partition("\n")[0].upper()
    return verb if verb in VERBS else "OTHER"


def pool_use(engine: sa.Engine) -> PoolUse:
    """Look at an engine's pool."""
    pool = engine.pool
    if not isinstance(pool, sa.QueuePool):
        raise TypeError("our engines have a QueuePool")
    return PoolUse(in_use=pool.checkedout(), idle=pool.checkedin(), most=pool.size() * 2)
