"""One transaction at a time: all of it or nothing, and a database that is away is a reason to try again."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.store.engine import connect, database_faults, is_up, single, transaction
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import teams


@pytest.fixture
def narrow(database_url: str) -> Iterator[sa.Engine]:
    """Give an engine with one connection and no patience."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    yield engine
    engine.dispose()


def count_teams(stores: Stores) -> int:
    """Count what has been committed."""
    return len(stores.configs.teams())


class TestTransaction:
    """Stores write alone, or together."""

    def test_nested_is_one(self, stores: Stores) -> None:
        """What several stores write inside one transaction is seen by others only when all of it is there."""
        with stores.together() as outer:
            stores.configs.add_team("one", "test")
            with transaction(stores.engine) as inner:
                assert inner is outer
            stores.configs.add_team("two", "test")
            with stores.engine.connect() as stranger:
                assert stranger.execute(sa.select(teams)).all() == []
        assert count_teams(stores) == 2

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Permanent("x", "y")])
    def test_any_error_undoes_all(self, stores: Stores, error: type[BaseException] | BaseException) -> None:
        """What was written before an error is gone, and the error is the caller's."""

        def write_and_fail() -> None:
            with stores.together():
                stores.configs.add_team("one", "test")
                raise error

        with pytest.raises((RuntimeError, KeyboardInterrupt, Permanent)):
            write_and_fail()
        assert count_teams(stores) == 0

    def test_a_refused_statement_undoes_all(self, stores: Stores) -> None:
        """A constraint that an inner write breaks takes the outer writes along."""
        stores.configs.add_team("taken", "test")

        def write_two() -> None:
            with stores.together():
                stores.configs.add_team("one", "test")
                stores.configs.add_team("taken", "test")

        with pytest.raises(Permanent, match="exists"):
            write_two()
        assert count_teams(stores) == 1

    def test_a_single_statement_is_a_part_of_the_transaction_around_it(self, stores: Stores) -> None:
        """Alone it is there at once; inside a transaction it goes with that one."""
        stores.configs.add_team("one", "test")
        rename = sa.update(teams).values(name="two")
        with single(stores.engine) as connection:
            connection.execute(rename)
        assert [team.name for team in stores.configs.teams()] == ["two"]

        def write_and_fail() -> None:
            with stores.together(), single(stores.engine) as connection:
                connection.execute(rename.values(name="three"))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            write_and_fail()
        assert [team.name for team in stores.configs.teams()] == ["two"]

    def test_a_connection_is_as_it_was_after_a_single_statement(self, engine: sa.Engine) -> None:
        """Whoever gets it next works in a transaction again."""
        with single(engine) as connection:
            connection.execute(sa.select(1))
        with engine.connect() as connection:
            times = {connection.exec_driver_sql("SELECT now()").scalar() for _ in range(2)}
        assert len(times) == 1

    def test_engines_do_not_share_transactions(self, stores: Stores, narrow: sa.Engine) -> None:
        """A transaction of another database is another one."""
        with stores.together() as ours, transaction(narrow) as other:
            assert other is not ours
            with transaction(stores.engine) as again:
                assert again is not other

    def test_the_connection_is_always_given_back(self, narrow: sa.Engine) -> None:
        """An engine with one connection works on after success, after an error, and after a lost connection."""
        for _ in range(3):
            with transaction(narrow) as connection:
                connection.execute(sa.text("SELECT 1"))
            with pytest.raises(RuntimeError), transaction(narrow):
                raise RuntimeError
            with pytest.raises(Transient, match="database_down"), transaction(narrow) as connection:
                connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert is_up(narrow)


class TestFaults:
    """A database that does not answer."""

    def test_a_refused_connection_is_transient(self, nowhere: sa.Engine) -> None:
        """A port that nobody listens on is worth another try, and the message quotes no address."""
        with pytest.raises(Transient) as down, transaction(nowhere):
            pass
        assert down.value.reason == "database_down"
        assert "127.0.0.1" not in str(down.value)
        assert not is_up(nowhere)

    def test_an_exhausted_pool_is_transient(self, narrow: sa.Engine) -> None:
        """When all connections are taken the next caller is told to come again, not left to wait."""
        with narrow.connect(), pytest.raises(Transient, match="database_down"), transaction(narrow):
            pass

    def test_a_connection_that_died_is_replaced(self, engine: sa.Engine, narrow: sa.Engine) -> None:
        """After a restart of the database nobody sees an error: a dead connection is noticed before its use."""
        strict = connect(str(narrow.url.render_as_string(hide_password=False)), 1)
        with transaction(strict) as connection:
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with transaction(strict) as connection:
            assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
        strict.dispose()

    def test_a_mistake_of_ours_is_no_outage(self, engine: sa.Engine) -> None:
        """A wrong statement is not called a database that is down: a retry would not help."""
        with pytest.raises(sa.exc.ProgrammingError), transaction(engine) as connection:
            connection.execute(sa.text("SELECT nonsense"))

    def test_what_is_no_fault_of_the_database_passes(self) -> None:
        """Other errors go through unchanged."""
        with pytest.raises(ZeroDivisionError), database_faults():
            raise ZeroDivisionError

    def test_connecting_is_lazy(self) -> None:
        """Making an engine asks nobody anything."""
        connect("postgresql+psycopg://x:y@nowhere.invalid/z").dispose()


class TestText:
    """What people write reaches the database whole, and nothing of it the logs."""

    def test_errors_quote_no_values(self, engine: sa.Engine) -> None:
        """What a statement was given stays out of its error, which ends up in logs and step records."""
        with pytest.raises(sa.exc.DBAPIError) as wrong, transaction(engine) as connection:
            connection.execute(sa.text("SELECT CAST(:words AS int) + nonsense"), {"words": "secret words"})
        assert "secret words" not in repr(wrong.value)
        assert "secret words" not in str(wrong.value)

    @pytest.mark.parametrize(
        ("text", "stored"),
        [("", ""), ("é🎉", "é🎉"), ("a\0b", "ab"), ("\ud83c\udf89", "🎉"), ("a\ud83c", "a�"), ("\\u0000", "\\u0000")],
    )
    def test_text_is_stored_as_far_as_it_can_be(self, engine: sa.Engine, text: str, stored: str) -> None:
        """NULs are left out and half characters replaced, in texts, in lists and in JSON; the rest is untouched."""
        value = {"k": [text, {text: 1.5}, None, True]}
        texts = sa.bindparam("texts", [text, text], sa.ARRAY(sa.Text))
        columns = [sa.bindparam("text", text, sa.Text), texts, sa.bindparam("json", value, JSONB)]
        with transaction(engine) as connection:
            row = connection.execute(sa.select(*columns)).one()
        assert tuple(row) == (stored, [stored, stored], {"k": [stored, {stored: 1.5}, None, True]})
