"""Commits arrivals to the inboxes: those that come at the same time share a transaction. For the receiver."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.store.deliveries import row_of
from discubot_pipeline.store.engine import single, storable
from discubot_pipeline.store.inbox import CHANNEL, Inbox, Stored

MOST = 100
"""As many arrivals are committed at once: each may be a megabyte."""


class Waiting(NamedTuple):
    """An arrival that is to be committed, and who is told of it."""

    config: SourceConfig
    arrival: Arrival
    told: Future[Stored]


class Intake:
    """Writes with one thread: what comes while it commits is committed next, all at once, by one statement a source."""

    def __init__(self, engine: sa.Engine, inboxes: dict[SourceType, Inbox]) -> None:
        self._engine, self._inboxes = engine, inboxes
        self._writer = ThreadPoolExecutor(1, "intake")
        self._lock = Lock()
        self._waiting: list[Waiting] = []

    def store(self, config: SourceConfig, arrival: Arrival) -> Future[Stored]:
        """Commit an arrival soon; the future ends after the commit, with what `Inbox.store` would have given."""
        told: Future[Stored] = Future()
        with self._lock:
            self._waiting.append(Waiting(config, arrival, told))
            is_first = len(self._waiting) == 1
        if is_first:
            self._writer.submit(self._write)
        return told

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if self._waiting:
                self._writer.submit(self._write)
        by_source: dict[SourceType, list[Waiting]] = defaultdict(list)
        for each in waiting:
            if each.told.set_running_or_notify_cancel():
                by_source[each.config.source].append(each)
        for source, those in by_source.items():
            self._store(self._inboxes[source], those)

    def _store(self, inbox: Inbox, waiting: Sequence[Waiting]) -> None:
        """Commit those of working teams together; where Postgres refuses one, each alone, so that it fails no other."""
        together = [each for each in waiting if each.config.works]
        alone = [each for each in waiting if not each.config.works]
        try:
            made = self._together(inbox, together) if together else {}
        except PipelineError as error:
            for each in waiting:
                each.told.set_exception(error)
            return
        except Exception:
            alone, together, made = list(waiting), [], {}
        for each in together:
            id = made.pop((each.config.id, storable(each.arrival.delivery_key)), None)
            if id is None:  # a duplicate
                alone.append(each)
            else:
                each.told.set_result(Stored(id=id, is_new=True, delivery_key=each.arrival.delivery_key))
        for each in alone:
            tell(inbox, each)

    def _together(self, inbox: Inbox, waiting: Sequence[Waiting]) -> dict[tuple[Any, str], int]:
        rows = [written(row_of(each.config, each.arrival)) for each in waiting]
        with single(self._engine) as connection:
            made = connection.execute(inserting(inbox.table, inbox.source), {"rows": rows}).all()
        return {(row.source_config_id, row.delivery_key): row.id for row in made}


def tell(inbox: Inbox, waiting: Waiting) -> None:
    """Commit one arrival and say what became of it."""
    try:
        waiting.told.set_result(inbox.store(waiting.config, waiting.arrival))
    except Exception as error:
        waiting.told.set_exception(error)


def written(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row as JSON holds it."""
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}


@cache
def inserting(table: sa.Table, source: SourceType) -> sa.Select[Any]:
    """Write the statement that stores a JSON list of arrivals and wakes the sensor; duplicates give no row."""
    names = ("team_id", "source_config_id", "status", "reason", "kind", "delivery_key", "message_key", "gesture_key")
    columns = [table.c[name] for name in (*names, "thread_id", "discussion_id", "payload")]
    given = sa.func.jsonb_to_recordset(sa.bindparam("rows", type_=pg.JSONB))
    rows = given.table_valued(*[sa.column(each.name, each.type) for each in columns]).render_derived(with_types=True)
    is_over = rows.c.status == DeliveryStatus.IGNORED
    select = sa.select(*rows.c, sa.case((is_over, sa.func.now())))
    insert = pg.insert(table).from_select([*(each.name for each in columns), "finished_at"], select)
    told = table.c.id, table.c.source_config_id, table.c.delivery_key
    made = insert.on_conflict_do_nothing().returning(*told).cte("made")
    return sa.select(made, sa.func.pg_notify(CHANNEL, source.value))
