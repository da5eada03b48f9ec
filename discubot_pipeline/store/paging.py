"""Lists in pages: in the order of an index, each going on where the one before has ended. Used by all that list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime

from discubot_pipeline.domain.job import Value


class Place(NamedTuple):
    """Where a page of a list by moment ended."""

    at: AwareDatetime
    id: UUID


class Period(Value):
    """From `since` on and before `until`; open where there is none."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, column: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
        """Say that a moment is within the period."""
        since = [] if self.since is None else [column >= self.since]
        return since if self.until is None else [*since, column < self.until]


def newest_first(
    rows: sa.Select[Any], keys: Sequence[sa.ColumnElement[Any]], after: Sequence[Any] | None, limit: int
) -> sa.Select[Any]:
    """Take one page and one row more, from the largest keys down; `after` are the keys of the last row before it."""
    if after is not None:
        rows = rows.where(sa.tuple_(*keys) < values(keys, after))
    return rows.order_by(*(key.desc() for key in keys)).limit(limit + 1)


def oldest_first(
    rows: sa.Select[Any], keys: Sequence[sa.ColumnElement[Any]], after: Sequence[Any] | None, limit: int
) -> sa.Select[Any]:
    """Take one page and one row more, from the smallest keys up."""
    if after is not None:
        rows = rows.where(sa.tuple_(*keys) > values(keys, after))
    return rows.order_by(*keys).limit(limit + 1)


def values(keys: Sequence[sa.ColumnElement[Any]], after: Sequence[Any]) -> sa.Tuple:
    """Write the keys of a row as the database compares them."""
    return sa.tuple_(*(sa.literal(value, key.type) for key, value in zip(keys, after, strict=True)))
