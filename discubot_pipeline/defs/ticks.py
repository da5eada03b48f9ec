"""What the sensors have in common: on from the start, taking nothing when a person tries them, woken by the bell."""

from datetime import timedelta
from typing import Protocol

import dagster as dg

from discubot_pipeline.store.bell import listening

RUNNING = dg.DefaultSensorStatus.RUNNING
LONGEST_LISTEN = timedelta(seconds=20)
"""How long those wait who also look after what is at work."""
LONGEST_WAIT = timedelta(seconds=45)
"""How long all others wait; Dagster gives an evaluation a minute."""


class Queue(Protocol):
    """Work that waits in the database."""

    def next_due(self) -> timedelta | None:
        """Say how soon something is due; zero or less is now, None never as far as is known."""


def is_test(context: dg.SensorEvaluationContext) -> bool:
    """Tell the UI's "Test sensor" from the daemon, which numbers its ticks."""
    return not (context.log_key and str(context.log_key[-1]).isdigit())


def is_due(queue: Queue) -> bool:
    """Say whether something is due now."""
    due = queue.next_due()
    return due is not None and due <= timedelta()


def comes_due(queue: Queue, bell: str, url: str) -> bool:
    """Wait until something is due or the queue's bell rings, for a while at most; says whether something is due."""
    with listening(url) as ear:
        if not is_due(queue):
            ear.wait(bell, min(queue.next_due() or LONGEST_WAIT, LONGEST_WAIT))
    return is_due(queue)
