"""Deliveries find their threads: one message in several inboxes, several threads in one delivery."""

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Delivery, DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.ports import Mention
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes
from tests.store.samples import arrival, rows

FIGMA, MAILGUN = SourceType.FIGMA, SourceType.MAILGUN
FOUND = Mention(thread_id="K:1", message_id="2", message_key="K:2")
OTHER = Mention(thread_id="K:7", message_id="7", message_key="K:7")


@pytest.fixture
def mails(stores: Stores) -> SourceConfig:
    """Give a source of mails."""
    secrets = MailgunCredentials(signing_key=SecretStr("x"))
    return stores.configs.add_source(stores.configs.add_team("acme", "test"), MAILGUN, "mail", secrets, "test")


@pytest.fixture
def figma(stores: Stores, mails: SourceConfig) -> SourceConfig:
    """Give the team's Figma source."""
    secrets = FigmaCredentials(token=SecretStr("x"), passcode=SecretStr("x"))
    return stores.configs.add_source(stores.configs.team("acme"), FIGMA, "figma", secrets, "test")


def claimed(stores: Stores, config: SourceConfig, key: str, run_id: str = "run-1") -> Delivery:
    """Store a mail and let a run claim it."""
    id = stores.inboxes[MAILGUN].store(config, arrival(key, f"mail:{key}")).id
    [delivery] = stores.inboxes[MAILGUN].claim([id], run_id, None)
    return delivery


def test_a_delivery_is_put_to_its_thread(stores: Stores, mails: SourceConfig, engine: sa.Engine) -> None:
    """Thread, discussion and message are noted, and what has been found stays in the payload."""
    delivery = claimed(stores, mails, "one")
    assert stores.sorting.assign(delivery, FOUND, "run-1")
    [row] = rows(engine, inboxes[MAILGUN])
    assert (row.thread_id, row.message_key) == ("K:1", "K:2")
    assert row.discussion_id == discussion_id(mails.team_id, FIGMA, "K:1")
    assert row.payload == {"text": "asked in one", "resolved": {"thread_id": "K:1", "message_id": "2"}}
    assert stores.sorting.assign(delivery, FOUND, "run-1"), "the same again is fine"


def test_only_the_run_that_holds_it_may(stores: Stores, mails: SourceConfig, engine: sa.Engine) -> None:
    """A run that has lost its delivery changes nothing."""
    stores.sorting.assign(claimed(stores, mails, "one"), FOUND, "run-2")
    assert rows(engine, inboxes[MAILGUN])[0].thread_id == "mail:one"


def test_two_deliveries_about_one_message_are_known(stores: Stores, mails: SourceConfig, engine: sa.Engine) -> None:
    """The second is told; the transaction around goes on."""
    assert stores.sorting.assign(claimed(stores, mails, "one"), FOUND, "run-1")
    second = claimed(stores, mails, "two", "run-2")
    with stores.together():
        assert not stores.sorting.assign(second, FOUND, "run-2")
        stores.settle("run-2", DeliveryStatus.IGNORED, "duplicate")
    assert [(row.message_key, row.status) for row in rows(engine, inboxes[MAILGUN])] == [
        ("K:2", "running"),
        (None, "ignored"),
    ]


def test_a_further_thread_gets_a_row_of_its_own(
    stores: Stores, mails: SourceConfig, engine: sa.Engine, database_url: str
) -> None:
    """It waits for a run like any other, once, and the sensor is woken."""
    delivery = claimed(stores, mails, "one")
    with listening(database_url) as bell:
        stores.sorting.split(delivery, OTHER)
        bell.wait(MAILGUN, delivery.received_at - delivery.received_at)
    stores.sorting.split(delivery, OTHER)
    [_, row] = rows(engine, inboxes[MAILGUN])
    assert (row.status, row.thread_id, row.delivery_key, row.run_id) == ("pending", "K:7", "one#K:7", None)
    assert row.payload["resolved"] == {"thread_id": "K:7", "message_id": "7"}
    assert row.received_at == delivery.received_at
    assert row.discussion_id == discussion_id(mails.team_id, FIGMA, "K:7")


def test_a_message_is_known_in_every_inbox_of_the_team(
    stores: Stores, mails: SourceConfig, figma: SourceConfig
) -> None:
    """By its key and its state, and to nobody else."""
    stores.inboxes[FIGMA].store(figma, arrival("K:2", "K:1", message_key="K:2"))
    pending, done = [DeliveryStatus.PENDING], [DeliveryStatus.DONE]
    stranger = stores.configs.add_team("strangers", "test").id
    assert stores.sorting.has_come("K:2", mails.team_id, [FIGMA], pending)
    assert not stores.sorting.has_come("K:2", mails.team_id, [FIGMA], done)
    assert not stores.sorting.has_come("K:2", mails.team_id, [MAILGUN], pending)
    assert not stores.sorting.has_come("K:3", mails.team_id, [FIGMA], pending)
    assert not stores.sorting.has_come("K:2", stranger, [FIGMA], pending)


def test_a_thread_has_one_discussion_whichever_way_it_came(mails: SourceConfig) -> None:
    """Mailgun is a way into Figma."""
    assert discussion_id(mails.team_id, MAILGUN, "K:1") == discussion_id(mails.team_id, FIGMA, "K:1")
