"""A past for a running system: what its teams would have left behind, copied from their first threads."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from sqlalchemy.dialects import postgresql as pg

from bench.teams import TEAMS
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.tables import discussions, inboxes, messages, notes, steps, tasks

CHUNK = 2_000
"""As many copies of each row are made by one statement, so that what belongs to one run lies together."""
dagster = sa.MetaData(schema="dagster")
runs, run_tags, events = (
    table.to_metadata(dagster, schema="dagster") for table in (RunsTable, RunTagsTable, SqlEventLogStorageTable)
)
number: sa.ColumnElement[int] = sa.column("number", sa.BigInteger)
OWN_TAGS = ("dagster/run_key", "discubot/thread", "discubot/discussion")
"""Tags whose value no two runs have."""


@dataclass(frozen=True)
class Past:
    """How much there was of what, and how long ago the youngest of it ended; each copy is a second older."""

    deliveries: int
    discussions: int
    runs: int
    age: timedelta

    def scaled(self, scale: float) -> "Past":
        """Give the same at another size."""
        sizes = [max(int(count * scale), 1) for count in (self.deliveries, self.discussions, self.runs)]
        return Past(sizes[0], sizes[1], sizes[2], self.age)


@dataclass(frozen=True)
class Template:
    """A thread that was worked on, and the run that did it."""

    discussion: UUID
    run_id: str

    def copies(self, past: Past) -> Iterator[tuple[int, sa.Table, sa.ColumnElement[bool], dict[str, Any]]]:
        """Say what is copied how often: the count, the table, its rows, and the columns that differ."""
        inbox, run, thread = inboxes[SourceType.SLACK], run_of(number), thread_of(number)
        owner = thread_of(number % past.discussions)
        keys = ("delivery_key", "message_key", "gesture_key", "thread_id", "run_key")
        arrived = {"discussion_id": owner, "run_id": run, "payload": sa.null()} | numbered(inbox, *keys)
        yield past.deliveries, inbox, inbox.c.discussion_id == self.discussion, arrived
        of_it = {"discussion_id": thread, "run_id": run}
        yield (
            past.discussions,
            discussions,
            discussions.c.id == self.discussion,
            {"id": thread, "run_id": run} | numbered(discussions, "source_thread_id"),
        )
        yield past.discussions, messages, messages.c.discussion_id == self.discussion, of_it
        made = of_it | numbered(tasks, "key", "notion_page_id")
        yield past.discussions, tasks, tasks.c.discussion_id == self.discussion, made
        yield past.runs, notes, notes.c.run_id == self.run_id, of_it | {"root_run_id": run}
        yield past.runs, steps, steps.c.run_id == self.run_id, of_it
        told = {"run_id": run, "run_body": self._renamed(runs.c.run_body)}
        yield past.runs, runs, runs.c.run_id == self.run_id, told
        value = sa.case((run_tags.c.key.in_(OWN_TAGS), run_tags.c.value + "-" + text(number)), else_=run_tags.c.value)
        yield past.runs, run_tags, run_tags.c.run_id == self.run_id, {"run_id": run, "value": value}
        happened = {"run_id": run, "event": self._renamed(events.c.event)}
        yield past.runs, events, events.c.run_id == self.run_id, happened

    def _renamed(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        return sa.func.replace(column, self.run_id, run_of(number))


def remember(engine: sa.Engine, past: Past, threads: int = TEAMS) -> float:
    """Copy the first threads that ended, and give the planner its statistics; gives how many seconds that took."""
    began = time.monotonic()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        first = sa.select(discussions.c.id, discussions.c.run_id).order_by(discussions.c.created_at)
        templates = [Template(row.id, row.run_id) for row in connection.execute(first.limit(threads))]
        for place_of_it, template in enumerate(templates, 1):
            for count, table, which, changed in template.copies(past):
                for start in range(place_of_it, count + 1, CHUNK):
                    last = min(start + CHUNK - 1, count)
                    connection.execute(copying(table, which, (start, last, len(templates)), past.age, changed))
        connection.exec_driver_sql("VACUUM (ANALYZE)")
    return time.monotonic() - began


def copying(
    table: sa.Table,
    which: sa.ColumnElement[bool],
    numbers: tuple[int, int, int],
    age: timedelta,
    changed: dict[str, Any],
) -> sa.Insert:
    """Write the statement that copies rows once for each number of a series, from the first, to the last, by a step."""
    ago = sa.cast(age, pg.INTERVAL) + number * sa.cast(timedelta(seconds=1), pg.INTERVAL)
    rows = {column.name: older(column, ago) for column in table.c if column.name != "id"}
    rows |= {name: value for name, value in changed.items() if name in table.c}
    series = sa.func.generate_series(*numbers).table_valued("number").render_derived(name="series")
    select = sa.select(*[value.label(name) for name, value in rows.items()]).join_from(series, table, sa.true())
    return sa.insert(table).from_select(list(rows), select.where(which).order_by(number))


def older(column: sa.Column[Any], ago: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Give a column's value as it is, or that much earlier."""
    if isinstance(column.type, sa.DateTime):
        return column - ago
    return column - sa.extract("epoch", ago) if isinstance(column.type, sa.Float) and "time" in column.name else column


def numbered(table: sa.Table, *names: str) -> dict[str, sa.ColumnElement[str]]:
    """Give texts of which no two rows have the same."""
    return {name: table.c[name] + "-" + text(number) for name in names}


def run_of(number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """Give the id of the run of a number."""
    return text(sa.cast(sa.func.md5("run" + text(number)), pg.UUID))


def thread_of(number: sa.ColumnElement[int]) -> sa.ColumnElement[UUID]:
    """Give the id of the discussion of a number."""
    return sa.cast(sa.func.md5("thread" + text(number)), pg.UUID)


def text(value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Write a value as text."""
    return sa.cast(value, sa.Text)
