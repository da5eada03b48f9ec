"""One limiter for all processes: never more calls a minute than allowed, and none that waits too long."""

from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.domain.job import LONGEST_WAIT
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.limits import Limits, Rate
from discubot_pipeline.store.tables import limits
from tests.store.samples import change, rows

RATE = Rate(per_minute=180, burst=20)
MINUTE = timedelta(minutes=1)


def slots(engine: sa.Engine, count: int, rate: Rate = RATE) -> list[datetime]:
    """Reserve up to so many calls; gives the moments at which they are made, by the database's clock."""
    taken = []
    for _ in range(count):
        with transaction(engine) as connection:
            now = connection.execute(sa.select(sa.func.now())).scalar_one()
            try:
                taken.append(now + Limits(engine).reserve("b", rate))
            except Transient:
                return taken
    return taken


def pass_time(engine: sa.Engine, by: timedelta) -> None:
    """Let time go by for the limiter."""
    change(engine, limits, free_at=limits.c.free_at - by)


def most_in_a_minute(calls: list[datetime]) -> int:
    """Count the calls of the fullest minute."""
    calls = sorted(calls)
    return max(bisect_right(calls, first + MINUTE - timedelta(microseconds=1)) - i for i, first in enumerate(calls))


def test_a_burst_passes_at_once(engine: sa.Engine) -> None:
    """The first calls of a quiet bucket do not wait; the next one does, for one spacing at most."""
    waits = [Limits(engine).reserve("b", RATE) for _ in range(RATE.burst + 1)]
    assert waits[:-1] == [timedelta()] * RATE.burst
    assert timedelta() < waits[-1] <= RATE.spacing


def test_buckets_do_not_wait_for_each_other(engine: sa.Engine) -> None:
    """A busy credential does not slow another one down."""
    slots(engine, RATE.burst + 5)
    assert Limits(engine).reserve("other", RATE) == timedelta()


def test_threads_never_exceed_the_rate_in_any_minute(engine: sa.Engine) -> None:
    """Eight threads take all they get, for minutes on end: no minute has more calls than allowed, few have less."""
    calls: list[datetime] = []
    for step in range(16):
        passed = timedelta(seconds=10) * step
        with ThreadPoolExecutor(8) as pool:
            taken = [pool.submit(slots, engine, 100) for _ in range(8)]
            calls += [moment + passed for one in taken for moment in one.result(30)]
        pass_time(engine, timedelta(seconds=10))
    assert RATE.per_minute * 9 // 10 < most_in_a_minute(calls) <= RATE.per_minute
    assert len(calls) > 2.5 * 160, "nor is the limiter too strict"


def test_what_would_wait_too_long_is_not_reserved(engine: sa.Engine) -> None:
    """When the next seconds are taken the caller is sent away, and does not push others back."""
    taken = slots(engine, 1000)
    assert len(taken) < 100
    [before] = rows(engine, limits)
    with pytest.raises(Transient) as refused:
        Limits(engine).reserve("b", RATE)
    assert refused.value.reason == "rate_limited"
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > LONGEST_WAIT
    assert rows(engine, limits) == [before]


def test_no_wait_is_longer_than_an_op_may_wait(engine: sa.Engine) -> None:
    """The last place that is given away can be waited for."""
    waits: list[timedelta] = []

    def take_all() -> None:
        while True:
            waits.append(Limits(engine).reserve("b", RATE))

    with pytest.raises(Transient, match="rate_limited"):
        take_all()
    assert LONGEST_WAIT - 2 * RATE.spacing < waits[-1] <= LONGEST_WAIT
    assert waits == sorted(waits)


def test_after_a_pause_the_burst_is_back(engine: sa.Engine) -> None:
    """A bucket that nobody used for a while lets a whole burst through, not more."""
    slots(engine, 1000)
    pass_time(engine, timedelta(hours=5))
    waits = [Limits(engine).reserve("b", RATE) for _ in range(RATE.burst + 1)]
    assert [wait == timedelta() for wait in waits] == [True] * RATE.burst + [False]
