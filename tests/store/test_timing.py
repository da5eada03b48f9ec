"""Queries are timed where they are made."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.timing import PoolUse, pool_use, watch

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:9/none"


@pytest.fixture
def watched(database_url: str) -> Iterator[tuple[sa.Engine, list[tuple[str, float, bool]]]]:
    """Give an engine of its own, and what was told of its queries."""
    engine = connect(sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(False), 3)
    told: list[tuple[str, float, bool]] = []
    watch(engine, lambda *each: told.append(each))
    yield engine, told
    engine.dispose()


def test_each_query_is_told_with_its_time(watched: tuple[sa.Engine, list[tuple[str, float, bool]]]) -> None:
    """By its verb; words that are none of ours are told as one."""
    engine, told = watched
    with engine.connect() as connection:
        told.clear()  # what is asked of each new connection
        for query in ("SELECT pg_sleep(0.05)", "\n  WITH a AS (SELECT 1) SELECT * FROM a", "SET TIME ZONE 'UTC'"):
            connection.execute(sa.text(query))
    assert [(verb, failed) for verb, _, failed in told] == [("SELECT", False), ("WITH", False), ("OTHER", False)]
    assert 0.05 <= told[0][1] < 5 and told[1][1] < told[0][1]


def test_a_query_that_fails_is_told_once(watched: tuple[sa.Engine, list[tuple[str, float, bool]]]) -> None:
    """And the next one on its connection is timed by itself."""
    engine, told = watched
    with engine.connect() as connection:
        told.clear()
        with pytest.raises(sa.exc.ProgrammingError):
            connection.execute(sa.text("SELECT * FROM nowhere"))
        connection.rollback()
        connection.execute(sa.text("SELECT 1"))
    assert [(verb, failed) for verb, _, failed in told] == [("SELECT", True), ("SELECT", False)]


def test_a_database_that_is_away_is_told() -> None:
    """A connection that cannot be made is no query, but a failure."""
    engine, told = connect(NOBODY, 1), list[str]()
    watch(engine, lambda verb, _, failed: told.append(f"{verb} {failed}"))
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()
    assert told == ["CONNECT True"]


def test_the_pool_says_how_much_of_it_is_in_use(watched: tuple[sa.Engine, list[tuple[str, float, bool]]]) -> None:
    """Of a pool of three, which may have as many again."""
    engine, _ = watched
    assert pool_use(engine) == PoolUse(in_use=0, idle=0, most=6)
    with engine.connect():
        assert pool_use(engine) == PoolUse(in_use=1, idle=0, most=6)
    assert pool_use(engine) == PoolUse(in_use=0, idle=1, most=6)
