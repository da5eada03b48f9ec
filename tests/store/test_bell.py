"""The bell rings when something arrives or can go on, and at no other time."""

from datetime import timedelta

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.store.bell import Bell, listening, ring_stop
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from tests.store.conftest import Put
from tests.store.samples import arrival

SOON, AT_ONCE = timedelta(seconds=5), timedelta(milliseconds=50)


def is_silent(bell: Bell) -> bool:
    """Say that nothing has been heard so far."""
    return not bell.wait("slack", AT_ONCE)


def test_an_arrival_rings(database_url: str, put: Put) -> None:
    """A row that is stored wakes its source's listener, also when it came before the wait began."""
    with listening(database_url) as bell:
        put("Ev1")
        assert bell.wait("slack", SOON)
        assert is_silent(bell), "once"


def test_the_bells_of_other_sources_are_not_heard(database_url: str, put: Put) -> None:
    """A listener of one source sleeps on when another has mail."""
    with listening(database_url) as bell:
        put("Ev1")
        assert not bell.wait("generic", AT_ONCE)


def test_a_duplicate_does_not_ring(database_url: str, inbox: Inbox, put: Put, slack_config: SourceConfig) -> None:
    """Nothing new is nothing to wake for."""
    put("Ev1")
    with listening(database_url) as bell:
        inbox.store(slack_config, arrival("Ev1"))
        assert is_silent(bell)


def test_what_is_rolled_back_never_rang(
    database_url: str, stores: Stores, inbox: Inbox, slack_config: SourceConfig
) -> None:
    """The bell is a part of the transaction that stores the row."""

    def store_and_fail() -> None:
        with stores.together():
            inbox.store(slack_config, arrival())
            raise RuntimeError

    with listening(database_url) as bell:
        with pytest.raises(RuntimeError):
            store_and_fail()
        assert is_silent(bell)


def test_a_finished_run_wakes_for_those_who_waited(database_url: str, inbox: Inbox, put: Put) -> None:
    """When a run ends while a delivery of its discussion waits, the sensor is woken."""
    inbox.claim([put("Ev1")], "run-1", None)
    put("Ev2")
    with listening(database_url) as bell:
        inbox.settle("run-1", DeliveryStatus.DONE)
        assert bell.wait("slack", SOON)


def test_a_finished_run_lets_sleep_when_nobody_waits(database_url: str, inbox: Inbox, put: Put) -> None:
    """Deliveries of other discussions are no reason to ring at a run's end."""
    inbox.claim([put("Ev1", "C1:1")], "run-1", None)
    put("Ev2", "C1:2")
    with listening(database_url) as bell:
        inbox.settle("run-1", DeliveryStatus.DONE)
        assert is_silent(bell)


def test_stopping_ends_the_wait(database_url: str) -> None:
    """Whoever waits is told at once that everything stops, and that nothing arrived."""
    with listening(database_url) as bell:
        ring_stop(database_url)
        assert not bell.wait("slack", timedelta(minutes=2))
