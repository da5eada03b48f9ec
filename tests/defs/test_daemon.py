"""The daemon looks at sensors every second, and says so when Dagster no longer lets it."""

import dagster._daemon.sensor as sensor_daemon
import pytest

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
