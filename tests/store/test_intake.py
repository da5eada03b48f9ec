"""What arrives at the same time is committed together, and each arrival fares as if it had come alone."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.store import intake
from discubot_pipeline.store.inbox import Inbox, Stored
from discubot_pipeline.store.intake import Intake
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes, source_configs
from tests.store.samples import SLACK, arrival, change, rows
from tests.waiting import until

OF_THE_ROW = (
    "id",
    "delivery_key",
    "message_key",
    "created_at",
    "updated_at",
    "received_at",
    "not_before",
    "finished_at",
)


@contextmanager
def writing(stores: Stores, engine: sa.Engine, config: SourceConfig) -> Iterator[None]:
    """Let a first arrival be under way inside the block: what comes there is committed after it."""
    with engine.begin() as connection:
        connection.execute(sa.text(f"LOCK TABLE {inboxes[SLACK]} IN SHARE MODE"))
        first = stores.intake.store(config, arrival("first", "C1:0"))
        until(first.running)
        yield


def together(stores: Stores, engine: sa.Engine, config: SourceConfig, *arrivals: Arrival) -> list[Future[Stored]]:
    """Let arrivals be committed together; gives their futures, which have ended."""
    with writing(stores, engine, config):
        told = [stores.intake.store(config, each) for each in arrivals]
    wait(told, 10)
    return told


@pytest.mark.parametrize(("most", "transactions"), [(100, 1), (2, 3)])
def test_what_waits_is_committed_together(
    stores: Stores,
    engine: sa.Engine,
    slack_config: SourceConfig,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    transactions: int,
) -> None:
    """Five that come while one is written have one transaction, or as many as it takes for so many each."""
    monkeypatch.setattr(intake, "MOST", most)
    told = together(stores, engine, slack_config, *[arrival(f"Ev{n}", f"C1:{n}") for n in range(5)])
    assert all(each.result().is_new for each in told)
    with engine.connect() as connection:
        t = inboxes[SLACK].c
        select = sa.select(sa.literal_column("xmin::text")).where(t.delivery_key != "first").select_from(inboxes[SLACK])
        assert len(set(connection.execute(select).scalars())) == transactions


def test_the_same_thing_twice_is_one_row(stores: Stores, engine: sa.Engine, slack_config: SourceConfig) -> None:
    """Also of two that are committed together, whichever of their keys is equal."""
    first, same_key, same_message = together(
        stores,
        engine,
        slack_config,
        arrival("Ev1", message_key="C1:1"),
        arrival("Ev1"),
        arrival("Ev2", message_key="C1:1"),
    )
    made = first.result()
    assert [(each.result().id, each.result().is_new) for each in (same_key, same_message)] == [(made.id, False)] * 2
    assert same_message.result().delivery_key == "Ev1"
    assert len(rows(engine, inboxes[SLACK])) == 2


@pytest.mark.parametrize(
    "more",
    [{}, {"reason": "edited"}, {"payload": {"text": "a\0b \ud83d c"}}, {"gesture_key": "click-1"}, {"kind": "page"}],
    ids=["asked", "ignored", "what cannot be stored", "a gesture", "a page"],
)
def test_a_row_is_as_if_it_had_come_alone(
    stores: Stores, inbox: Inbox, engine: sa.Engine, slack_config: SourceConfig, more: dict[str, Any]
) -> None:
    """Both ways write the same columns."""
    theirs = stores.configs.add_source(
        stores.configs.team("acme"), SLACK, "second", slack_config.credentials, "test", workspace="T2"
    )
    stores.intake.store(slack_config, arrival("Ev1", **more)).result(10)
    inbox.store(theirs, arrival("Ev1", **more))
    pair = [
        {name: value for name, value in row._mapping.items() if name not in OF_THE_ROW}
        for row in rows(engine, inbox.table)
    ]
    assert {row.pop("source_config_id") for row in pair} == {slack_config.id, theirs.id}
    assert pair[0] == pair[1]
    assert len({row.finished_at is None for row in rows(engine, inbox.table)}) == 1


def test_one_that_is_refused_fails_no_other(stores: Stores, engine: sa.Engine, slack_config: SourceConfig) -> None:
    """A row without a thread is against the table's rules."""
    good, bad, after = together(
        stores, engine, slack_config, arrival("Ev1", "C1:1"), Arrival(delivery_key="Ev2"), arrival("Ev3", "C1:3")
    )
    assert (good.result().is_new, after.result().is_new) == (True, True)
    with pytest.raises(sa.exc.IntegrityError):
        bad.result()


def test_what_comes_for_a_paused_source_is_held(stores: Stores, engine: sa.Engine, slack_config: SourceConfig) -> None:
    """Beside one that works."""
    change(engine, source_configs, source_configs.c.id == slack_config.id, active=False)
    paused = stores.configs.source(slack_config.id)
    told = stores.intake.store(paused, arrival())
    assert told.result(10).is_new
    assert [row.status for row in rows(engine, inboxes[SLACK])] == ["held"]


def test_a_database_that_is_away_is_said_to_all(nowhere: sa.Engine, slack_config: SourceConfig) -> None:
    """Each sender is to come again."""
    away = Intake(nowhere, {SLACK: Inbox(nowhere, SLACK)})
    for told in [away.store(slack_config, arrival(f"Ev{number}")) for number in range(3)]:
        with pytest.raises(Transient):
            told.result(10)


def test_who_gives_up_waiting_is_left_out(stores: Stores, engine: sa.Engine, slack_config: SourceConfig) -> None:
    """A sender that has hung up before its row was written comes again."""
    with writing(stores, engine, slack_config):
        assert stores.intake.store(slack_config, arrival("Ev1")).cancel()
        last = stores.intake.store(slack_config, arrival("Ev2"))
    assert last.result(10).is_new
    assert [row.delivery_key for row in rows(engine, inboxes[SLACK])] == ["first", "Ev2"]


def test_many_at_once_are_all_stored(stores: Stores, engine: sa.Engine, slack_config: SourceConfig) -> None:
    """Fifty threads, two hundred arrivals, half of them twice."""
    with ThreadPoolExecutor(50) as crowd:
        store = lambda n: stores.intake.store(slack_config, arrival(f"Ev{n}", f"C1:{n}")).result(30)  # noqa: E731
        told = list(crowd.map(store, [*range(100), *range(100)]))
    assert sum(each.is_new for each in told) == 100
    assert len({each.id for each in told}) == 100 == len(rows(engine, inboxes[SLACK]))
