"""What is still to do, in all inboxes."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store import backlog
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes
from tests.store.conftest import Put
from tests.store.samples import arrival

SLACK = inboxes[SourceType.SLACK]


def change(engine: sa.Engine, id: int, **values: Any) -> None:
    """Change a row of Slack's inbox."""
    with engine.begin() as connection:
        connection.execute(sa.update(SLACK).where(SLACK.c.id == id).values(**values))


def ago(seconds: float) -> sa.ColumnElement[Any]:
    """Give a moment of the past, by the database's clock."""
    return sa.func.now() - timedelta(seconds=seconds)


def test_nothing_waits_in_an_empty_inbox(stores: Stores) -> None:
    """Not even a row of zeros."""
    assert stores.backlog.read() == []


def test_what_is_open_is_counted_by_source_and_state(
    stores: Stores, engine: sa.Engine, put: Put, generic_config: SourceConfig
) -> None:
    """With the age of the oldest, of a replayed one since its replay; what is done is left out."""
    waiting, replayed, done, running = (put(f"k{n}", f"C1:{n}.0") for n in range(4))
    change(engine, waiting, received_at=ago(100))
    change(engine, replayed, received_at=ago(9999), replayed_at=ago(50))
    change(engine, done, status=DeliveryStatus.DONE, received_at=ago(5000))
    change(engine, running, status=DeliveryStatus.RUNNING, received_at=ago(7))
    stores.inboxes[SourceType.GENERIC].store(generic_config, arrival("other"))
    found = {(each.source, each.status): each for each in stores.backlog.read()}
    assert {names: each.count for names, each in found.items()} == {
        (SourceType.SLACK, DeliveryStatus.PENDING): 2,
        (SourceType.SLACK, DeliveryStatus.RUNNING): 1,
        (SourceType.GENERIC, DeliveryStatus.PENDING): 1,
    }
    assert 100 <= found[SourceType.SLACK, DeliveryStatus.PENDING].oldest_seconds < 200
    assert 7 <= found[SourceType.SLACK, DeliveryStatus.RUNNING].oldest_seconds < 100


def test_imports_are_told_apart(stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
    """They may wait for days, and nobody should be woken by that."""
    put("live")
    change(engine, put("old", "C1:9.0"), trigger=Trigger.BACKFILL)
    assert {each.trigger: each.count for each in stores.backlog.read()} == {Trigger.WEBHOOK: 1, Trigger.BACKFILL: 1}


def test_it_is_counted_by_the_indexes_of_what_is_open(stores: Stores, put: Put, engine: sa.Engine) -> None:
    """However many are done: the inbox is not read whole."""
    id = put("k")
    copied = [column.name for column in SLACK.c if column.name not in ("id", "delivery_key", "status")]
    with engine.begin() as connection:
        connection.execute(
            sa.insert(SLACK).from_select(
                ["delivery_key", "status", *copied],
                sa.select(
                    sa.cast(sa.func.generate_series(1, 5000), sa.Text),
                    sa.literal(DeliveryStatus.DONE, SLACK.c.status.type),
                    *(SLACK.c[name] for name in copied),
                ).where(SLACK.c.id == id),
            )
        )
        connection.execute(sa.text("ANALYZE discubot.inbox_slack"))
        for part in backlog.waiting(SourceType.SLACK):
            text = str(part.compile(engine, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(connection.execute(sa.text(f"EXPLAIN {text}")).scalars())
            assert "Seq Scan" not in plan and "ix_inbox_slack_" in plan


def test_the_database_may_not_count_for_ever(
    stores: Stores, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes longer than its time is given up, and the connection is good for the next."""
    monkeypatch.setattr(backlog, "PATIENCE", "50ms")
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE discubot.inbox_slack IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Transient):
            stores.backlog.read()
    assert stores.backlog.read() == []
