"""One limiter for all processes: a row a bucket, spaced by the generic cell rate algorithm in one statement."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.domain.job import LONGEST_WAIT, Value
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import limits


class Rate(Value):
    """At most `per_minute` calls in any minute, of which `burst` may come at once."""

    per_minute: int
    burst: int

    @property
    def spacing(self) -> timedelta:
        """Time between two calls once the burst is used up."""
        return timedelta(minutes=1) / max(1, self.per_minute - self.burst)


class Limits:
    """The limits table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def reserve(self, bucket: str, rate: Rate) -> timedelta:
        """Take the next free place of a bucket and say how long to wait for it.

        Raises Transient("rate_limited") and takes none when that is longer than an op may wait.
        """
        now = sa.func.now()
        tolerance = rate.spacing * (rate.burst - 1)
        after = sa.func.greatest(limits.c.free_at, now) + rate.spacing
        insert = pg.insert(limits).values(bucket=bucket, free_at=now + rate.spacing)
        taken = insert.on_conflict_do_update(
            index_elements=[limits.c.bucket],
            set_={"free_at": after},
            where=after - now <= LONGEST_WAIT + tolerance + rate.spacing,
        ).returning(limits.c.free_at - now)
        with single(self._engine) as connection:
            ahead: timedelta | None = connection.execute(taken).scalar()
        if ahead is None:
            raise Transient("rate_limited", "all calls of the next seconds are taken", LONGEST_WAIT * 2)
        return max(ahead - rate.spacing - tolerance, timedelta())
