"""The daemon looks at sensors every second, and says so when Dagster no longer lets it."""

import dagster._daemon.sensor as sensor_daemon
import pytest
from dagster._daemon import controller
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from discubot_pipeline.defs import queue
from discubot_pipeline.defs.daemon import LOOP_SECONDS, shorten_loop


def test_the_sensor_loop_becomes_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The constant is there, and it is one that the loop reads at run time."""
    monkeypatch.setattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME", 5)
    shorten_loop()
    assert sensor_daemon.MIN_INTERVAL_LOOP_TIME == LOOP_SECONDS == 1
    assert "MIN_INTERVAL_LOOP_TIME" in sensor_daemon.execute_sensor_iteration_loop.__code__.co_names


def test_a_dagster_without_the_constant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow sensors are not a thing to find out by and by."""
    monkeypatch.delattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME")
    with pytest.raises(RuntimeError, match="MIN_INTERVAL_LOOP_TIME"):
        shorten_loop()


def test_the_queue_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon that Dagster makes for its queue is the prompt one, which waits by itself."""
    monkeypatch.setattr(controller, "QueuedRunCoordinatorDaemon", QueuedRunCoordinatorDaemon)
    queue.take_over()
    assert "QueuedRunCoordinatorDaemon" in controller.create_daemon_of_type.__code__.co_names
    daemon = vars(controller)["QueuedRunCoordinatorDaemon"](interval_seconds=5)
    assert isinstance(daemon, queue.PromptQueueDaemon)
    assert daemon.interval_seconds == 0


def test_a_dagster_with_another_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in the place of what we do not know."""
    monkeypatch.setattr(controller, "QueuedRunCoordinatorDaemon", object)
    with pytest.raises(RuntimeError, match="another queue daemon"):
        queue.take_over()
