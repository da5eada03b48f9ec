"""Connections to Dagster's own tables: one pool for all storages of a process, and what a schema has is asked once.

Dagster opens a connection for each statement, so as not to keep one for each of its instances, and asks again and again
which columns and tables there are.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from dagster._serdes import ConfigurableClassData
from dagster_postgres.utils import pg_url_from_config, set_pg_statement_timeout

from discubot_pipeline.store.engine import NOTICE_A_DEAD_PEER, ping_after_rest

KEPT, MOST = 5, 30
RECYCLE_SECONDS = 3_600
UNLIMITED = 0
_seen: set[tuple[str, ...]] = set()

if TYPE_CHECKING:
    from dagster_postgres.run_storage import PostgresRunStorage as Storage
else:
    Storage = object


def pool(url: str, statement_ms: int = UNLIMITED) -> sa.Engine:
    """Give this process's connections to a database; a statement may take so many milliseconds."""
    return _pool(url, statement_ms, os.getpid())


@cache
def _pool(url: str, statement_ms: int, _process: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT,
        max_overflow=MOST - KEPT,
        pool_recycle=RECYCLE_SECONDS,
        pool_use_lifo=True,
        connect_args={"connect_timeout": 5, **NOTICE_A_DEAD_PEER},
    )
    ping_after_rest(engine)
    sa.event.listen(engine, "connect", lambda raw, _: set_pg_statement_timeout(raw, statement_ms))
    return engine


def once(fact: tuple[str, ...], ask: Callable[[], bool]) -> bool:
    """Ask whether something is so until it is; nobody takes it back."""
    if fact not in _seen and ask():
        _seen.add(fact)
    return fact in _seen


class Pooled(Storage):
    """What the three storages have in common, written in front of Dagster's own class."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        tables = (postgres_url, type(self).__name__)
        super().__init__(postgres_url, should_autocreate_tables=tables not in _seen, inst_data=inst_data)
        _seen.add(tables)
        self._engine = pool(postgres_url)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Build it from its part of `dagster.yaml`."""
        return cls(pg_url_from_config(config_value), inst_data)

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Bound the time of a statement, in milliseconds; the connections are kept anyway."""
        self._engine = pool(self.postgres_url, statement_timeout)

    def _once(self, fact: str, ask: Callable[[], bool]) -> bool:
        return once((self.postgres_url, type(self).__name__, fact), ask)
