"""What arrived, from the command line: listed, and run once more."""

import getpass
from datetime import timedelta

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.store.stores import Stores
from tests.cli.commands import Shell
from tests.store.samples import SLACK, arrival


@pytest.fixture
def done(stores: Stores, slack_config: SourceConfig) -> int:
    """Give the id of a delivery that was worked on to its end."""
    inbox = stores.inboxes[SLACK]
    id = inbox.store(slack_config, arrival()).id
    [run] = inbox.lease(10, timedelta(minutes=1))
    inbox.claim([id], "run-1", run.run_key)
    inbox.settle("run-1", DeliveryStatus.DONE)
    return id


def test_a_delivery_is_run_once_more(shell: Shell, stores: Stores, done: int) -> None:
    """It waits again, by the person at the keyboard; a second time it says that it does."""
    found = shell.json("inbox", "replay", str(done))
    assert (found["status"], found["trigger"], found["generation"]) == ("pending", "manual", 1)
    assert found["replayed_by"] == f"cli:{getpass.getuser()}"
    assert [each.id for each in stores.inboxes[SLACK].due(10)] == [done]
    assert shell.refused("inbox", "replay", str(done)) == "it waits for its job already"
    assert shell.refused("inbox", "replay", str(done + 1)) == f"there is no delivery {done + 1}"


def test_deliveries_are_listed(shell: Shell, stores: Stores, slack_config: SourceConfig, done: int) -> None:
    """The newest first; filtered by status, source and time."""
    waiting = stores.inboxes[SLACK].store(slack_config, arrival("Ev2", "t2")).id

    def listed(*words: str) -> list[int]:
        return [each["id"] for each in shell.json("inbox", "list", *words)]

    assert listed() == [waiting, done]
    assert listed("--limit", "1") == [waiting]
    assert listed("--status", "done") == [done]
    assert listed("--status", "done", "--status", "pending") == [waiting, done]
    assert listed("--source", "generic") == listed("--until", "2026-01-01") == []
    assert listed("--since", "2026-01-01T00:00:00") == [waiting, done]
    assert "t2" in shell("inbox", "list").output


def test_another_teams_deliveries_are_not_there(shell: Shell, stores: Stores, done: int) -> None:
    """Whoever names a team sees only its own."""
    stores.configs.add_team("other", "test")
    assert shell.json("inbox", "list", "--team", "other") == []
    assert "no delivery" in shell.refused("inbox", "replay", str(done), "--team", "other")
