"""Opens our connection to Postgres, and tells its faults apart. Called by `wiring`."""

import json
import math
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown

from discubot_pipeline.domain.errors import Transient

REST_SECONDS = 1.0


def connect(url: str, pool_size: int = 5) -> sa.Engine:
    """Make a lazy, pooled engine; connections that died are replaced before use.

    Its errors quote no values: they may be the words of a thread.
    """
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        hide_parameters=True,
        json_serializer=storable_json,
        connect_args={"connect_timeout": 5, "application_name": "discubot", **NOTICE_A_DEAD_PEER},
    )
    sa.event.listen(engine, "connect", store_what_can_be_stored)
    ping_after_rest(engine)
    return engine


def ping_after_rest(engine: sa.Engine) -> None:
    """Let a connection show that it lives before it is used, when it has rested or its server has said something.

    A dead one is replaced. What a server says without being asked is mostly that it goes.
    """

    def rest(_: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    def ping(raw: Any, record: sa.pool.ConnectionPoolEntry, _: Any) -> None:
        rested = time.monotonic() - record.info.get("rests_since", math.inf)
        if rested > REST_SECONDS or is_readable(raw.fileno()):
            try:
                engine.dialect.do_ping(raw)
            except engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.DisconnectionError from error

    sa.event.listen(engine, "checkin", rest)
    sa.event.listen(engine, "checkout", ping)


def is_readable(descriptor: int) -> bool:
    """Say whether something can be read from a socket, be it its end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


NOTICE_A_DEAD_PEER = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""libpq's settings: a server that vanished without a word is noticed within some ten seconds."""


class StorableText(StrDumperUnknown):
    """Sends text without what Postgres refuses to store."""

    def dump(self, obj: str) -> Buffer | None:
        """Write one text."""
        return super().dump(storable(obj))


def store_what_can_be_stored(connection: "psycopg.Connection[Any]", _: object) -> None:
    """Let a new connection leave out of texts what Postgres refuses."""
    connection.adapters.register_dumper(str, StorableText)


def storable(text: str) -> str:
    """Leave out NUL characters, and put � for halves of characters: both come with what people paste and apps cut."""
    if "\0" not in text and text.isascii():
        return text
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_json(value: Any) -> str:
    """Write JSON that Postgres can store."""
    text = json.dumps(value)
    return text if "\\u0000" not in text and "\\ud" not in text else _stored(value)


def _stored(value: Any) -> str:
    match value:
        case str():
            return json.dumps(storable(value))
        case dict():
            return "{" + ", ".join(f"{_stored(str(k))}: {_stored(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_stored, value)) + "]"
        case _:
            return json.dumps(value)


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
def single(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one statement, a transaction by itself: nothing need be said to the server before and after it.

    Inside a `transaction` of the same engine it is a part of that one.
    """
    around = _open.get()
    if around is not None and around.engine is engine:
        yield around
        return
    with database_faults(), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


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
