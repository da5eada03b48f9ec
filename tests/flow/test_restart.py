"""Our own processes die while work is under way: the supervisor starts them again, and nothing is lost or doubled."""

import os
import signal
from collections.abc import Iterator

import dagster as dg
import pytest

from discubot_pipeline.tracking.retries import REMINDER
from tests.flow.processes import children
from tests.flow.runs import eventually
from tests.flow.town import Town

RETRIED = 180.0
"""Seconds until a retry has ended, also when Dagster has to be reminded of it on a machine with much else to do."""
pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
CURSOR = "EVENT_LOG_CONSUMER_CURSOR-PIPELINE_FAILURE"


@pytest.fixture
def instance(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Give the Dagster instance of the running system."""
    for name, value in town.system.exports().items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        yield instance


def replace(town: Town, words: str) -> None:
    """Kill one of the system's processes and wait until the supervisor has started another."""
    [killed] = children(town, words)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: (now := children(town, words)) and now != [killed], f"another {words}")


@pytest.mark.parametrize("words", ["defs.server", "discubot_pipeline.warm", "defs.daemon"])
def test_a_run_goes_on_while_a_process_is_replaced(town: Town, words: str) -> None:
    """Code server, broker and daemon start runs and look after them; none of them works on them."""
    with town.fault("slack", "conversations.replies", "slow", seconds=5) as slow:
        thread = town.team(f"without-{words.rpartition('.')[2]}").thread("The gate is stuck", "@bot fix the gate")
        slow.strikes()
        replace(town, words)
    [run] = thread.settled()
    assert (run.status, thread.titles, len(thread.replies)) == ("SUCCESS", ["Fix the gate"], 1)


def test_a_run_that_dies_while_its_broker_is_away_is_retried(town: Town) -> None:
    """Nobody else would ever end it, and its thread would be closed to every later mention."""
    with town.fault("slack", "conversations.replies", "slow", seconds=20) as slow:
        thread = town.team("restarted").thread("The gate is stuck", "@bot fix the gate")
        slow.strikes()
        [broker], [run] = children(town, "discubot_pipeline.warm"), thread.runs
        os.kill(broker, signal.SIGSTOP)
        os.kill(town.process(run.id), signal.SIGKILL)
        os.kill(broker, signal.SIGKILL)
    killed, retry = thread.settled(2, RETRIED)
    assert (killed.status, killed.tags["dagster/will_retry"]) == ("FAILURE", "true")
    assert (retry.status, retry.parent, retry.tags["discubot/outcome"]) == ("SUCCESS", killed.id, "completed")
    assert (thread.status, thread.titles, len(thread.replies)) == ("completed", ["Fix the gate"], 1)
    assert [(row.status, row.run_id) for row in thread.deliveries] == [("done", retry.id)]


def test_a_retry_that_the_daemon_has_missed_is_made_all_the_same(town: Town, instance: dg.DagsterInstance) -> None:
    """Dagster looks at each failure once: it is reminded of this one, and makes one retry."""
    [daemon] = children(town, "defs.daemon")
    with town.fault("slack", "conversations.replies", "slow", seconds=30) as slow:
        thread = town.team("missed").thread("The lock is rusty", "@bot oil the lock")
        slow.strikes()
        [run] = thread.runs
        os.kill(daemon, signal.SIGSTOP)
        os.kill(town.process(run.id), signal.SIGKILL)
        eventually(lambda: town.run(run.id).status == "FAILURE", "the run to be failed")
        newest = instance.event_log_storage.get_maximum_record_id()
        instance.daemon_cursor_storage.set_cursor_values({CURSOR: str(newest)})
        os.kill(daemon, signal.SIGKILL)
    killed, retry = thread.settled(2, RETRIED)
    assert REMINDER in [event.get("message") for event in town.events(killed.id)]
    assert (retry.status, retry.parent, killed.tags["dagster/auto_retry_run_id"]) == ("SUCCESS", killed.id, retry.id)
    assert (thread.status, thread.titles, len(thread.replies)) == ("completed", ["Oil the lock"], 1)
    assert [(row.status, row.run_id) for row in thread.deliveries] == [("done", retry.id)]


def test_a_mention_after_the_daemon_came_back_is_not_held_up(town: Town) -> None:
    """The tick that the dead daemon left behind takes no delivery away from the new one."""
    replace(town, "defs.daemon")
    thread = town.team("patient").thread("The fence is low", "@bot fix the fence")
    [run] = thread.settled()
    assert (run.status, thread.titles) == ("SUCCESS", ["Fix the fence"])
