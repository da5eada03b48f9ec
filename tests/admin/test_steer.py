"""What the next run of a chain takes over from the one before, and how long one waits for Dagster."""

from typing import Any

import pytest

from discubot_pipeline.admin import steer
from discubot_pipeline.domain.errors import Transient
from tests.store.test_steering import standing

OURS = {"discubot/team": "acme", "discubot/thread": "C1:1"}


@pytest.mark.parametrize(
    ("tags", "attempts", "expected"),
    [
        (OURS, 1, OURS | {"dagster/max_retries": "3"}),
        (OURS | {"dagster/max_retries": "3"}, 4, OURS | {"dagster/max_retries": "6"}),
        ({"dagster/priority": "7"}, 1, {"dagster/priority": "7", "dagster/max_retries": "3"}),
        ({"discubot/outcome": "partial", "discubot/reason": "busy"}, 1, {"dagster/max_retries": "3"}),
        ({"dagster/run_key": "1:0", "dagster/will_retry": "false", ".dagster/x": "y"}, 1, {"dagster/max_retries": "3"}),
        ({"discubot/trigger": "webhook"}, 1, {"dagster/max_retries": "3"}),
    ],
)
def test_a_retry_takes_over_what_it_is_about(tags: dict[str, str], attempts: int, expected: dict[str, Any]) -> None:
    """And how urgent it is; not what became of the run before it, nor how Dagster came to it."""
    made = steer.tags_of_next(standing(tags=tags, attempts=attempts))
    assert made == expected | {"discubot/trigger": "retry"}


def test_what_does_not_come_in_time_is_to_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a verdict that the API answers with 503."""
    monkeypatch.setattr(steer, "PATIENCE", steer.timedelta(0))
    with pytest.raises(Transient, match="not_yet"):
        steer.wait(lambda: None, "nothing happens")
    assert steer.wait(lambda: "there", "nothing happens") == "there"
