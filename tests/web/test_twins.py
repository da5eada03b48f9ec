"""The same webhook several times at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from discubot_pipeline.domain.config import SourceConfig
from tests.adapters.slack_workspace import payload
from tests.web.receiver import Receiver

TIMES = 5


def test_an_event_that_comes_five_times_at_once_is_one_row(
    receiver: Receiver, slack_config: SourceConfig, stored: Callable[[], list[Any]]
) -> None:
    """One of them is the first; the others are answered with its id, whoever was quicker."""
    together = Barrier(TIMES)

    def send(_: int) -> Any:
        together.wait(10)
        return receiver.slack(slack_config, payload("app_mention")).json()

    with ThreadPoolExecutor(TIMES) as slack:
        answers = list(slack.map(send, range(TIMES)))
    [row] = stored()
    assert sorted(answer["status"] for answer in answers) == ["accepted", *["duplicate"] * (TIMES - 1)]
    assert {answer["delivery_id"] for answer in answers} == {row.id}
