"""Wakes a sensor the moment a row arrives: LISTEN on the inbox's channel. Stopping rings it too."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg

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
