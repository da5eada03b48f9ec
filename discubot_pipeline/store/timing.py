"""How long a process's queries take, and how much of its pool is in use. Used by `/metrics`."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from discubot_pipeline.domain.job import Value

VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
BEGAN = "discubot_began"
Seen = Callable[[str, float, bool], None]
"""Told of each query: its verb, how many seconds it took, and whether it failed."""


class PoolUse(Value):
    """Connections of a pool: in use, open but idle, and how many there may be."""

    in_use: int
    idle: int
    most: int


def watch(engine: sa.Engine, seen: Seen) -> None:
    """Tell of each query of an engine from now on."""

    def before(_: sa.Connection, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
        setattr(context, BEGAN, time.monotonic())

    def after(_: sa.Connection, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
        seen(verb_of(statement), time.monotonic() - getattr(context, BEGAN), False)

    def failed(error: sa.ExceptionContext) -> None:
        began = getattr(error.execution_context, BEGAN, None)
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
