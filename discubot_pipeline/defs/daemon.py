"""Dagster's daemon with two changes: sensors are looked at every second (Dagster waits five), and the queue at once."""

import dagster._daemon.sensor as sensor_daemon
from dagster._daemon.cli import main

from discubot_pipeline.defs import queue

LOOP_SECONDS = 1


def shorten_loop() -> None:
    """Lower the pause of the sensor loop; raises when Dagster no longer has that constant."""
    if not hasattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME"):
        raise RuntimeError("this Dagster has no MIN_INTERVAL_LOOP_TIME: see docs/decisions/0006-wake-up-sensors.md")
    sensor_daemon.MIN_INTERVAL_LOOP_TIME = LOOP_SECONDS


if __name__ == "__main__":
    shorten_loop()
    queue.take_over()
    main()
