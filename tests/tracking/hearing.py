"""What a listener hears, and what a run does that is worth hearing."""

import dagster as dg

from discubot_pipeline.domain.news import Kind, News
from discubot_pipeline.tracking.listener import Listener
from tests.tracking.ledger import Ledger
from tests.waiting import until

Type = dg.DagsterEventType
WHOLE_LIFE = [
    (Type.RUN_ENQUEUED, None),
    (Type.RUN_STARTING, None),
    (Type.RUN_START, None),
    (Type.STEP_START, "build_thread"),
    (Type.RUN_SUCCESS, None),
]
"""The events of a run that does what it should."""


def live(ledger: Ledger, run_id: str, until_end: bool = True) -> str:
    """Let a run live from its beginning to its end, or until shortly before; gives its id."""
    for kind, step in WHOLE_LIFE if until_end else WHOLE_LIFE[:-1]:
        ledger.say(run_id, kind, step)
    return run_id


def heard(listener: Listener, count: int, kinds: set[Kind] | None = None) -> list[News]:
    """Wait until so many pieces of news have come, of some kinds; gives all of those that have."""
    found: list[News] = []

    def enough() -> bool:
        found.extend(news for news in listener.take() if kinds is None or news.kind in kinds)
        return len(found) >= count

    until(enough)
    return found


def all_of(listener: Listener) -> list[News]:
    """Wait until it is over; gives all that came."""
    found: list[News] = []

    def is_over() -> bool:
        found.extend(listener.take())
        return listener.is_over

    until(is_over)
    return found
