"""Hears what Postgres is told: wakes a sensor the moment a row arrives or all stops, and `tracking/feed` for events."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.store.engine import NOTICE_A_DEAD_PEER
from discubot_pipeline.store.inbox import CHANNEL

STOP = "stop"


class Bell:
    """An open ear on the inbox. Made before the inbox is looked at, so that nothing falls between."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def wait(self, source: str, timeout: timedelta) -> bool:
        """Wait until a row of the source arrives (True), or the time is up or everything stops (False)."""
        for notify in self._connection.notifies(timeout=timeout.total_seconds()):
            if notify.payload in (source, STOP):
                return notify.payload == source
        return False


@contextmanager
def listening(url: str) -> Iterator[Bell]:
    """Listen on a connection of its own; `url` must reach Postgres directly, not through a transaction pooler."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5, application_name="discubot-bell") as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield Bell(connection)


def ring_stop(url: str) -> None:
    """Tell everyone who waits that the system stops."""
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, STOP))


class Ear:
    """An open ear on some channels."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def hear(self, seconds: float) -> list[tuple[str, str]]:
        """Wait until something is said, for so long at most; gives channels with what was said on them."""
        try:
            heard = list(self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error as error:
            raise Transient("database_down", "the connection that listens is gone") from error
        return [(notify.channel, notify.payload) for notify in heard]


@contextmanager
def overhearing(url: str, channels: Sequence[str]) -> Iterator[Ear]:
    """Listen to channels on a connection of its own; `url` as for `listening`."""
    options: dict[str, Any] = {"connect_timeout": 5, "application_name": "discubot-feed", **NOTICE_A_DEAD_PEER}
    try:
        connection = psycopg.connect(url, autocommit=True, **options)
        for channel in channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    except psycopg.Error as error:
        raise Transient("database_down", "the database does not answer") from error
    with closing(connection):
        yield Ear(connection)
