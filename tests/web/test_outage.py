"""When the database is away webhooks are refused for now, and taken again when it is back."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.wiring import Services, build
from tests.adapters.slack_workspace import payload
from tests.web.receiver import Cable, Receiver, problem

MENTION = payload("app_mention")


@pytest.fixture
def cable(database_url: str) -> Iterator[Cable]:
    """Put a cable between receiver and database."""
    cable = Cable(database_url)
    yield cable
    cable.cut()


@pytest.fixture
def far(engine: sa.Engine, services: Services, cable: Cable) -> Iterator[Receiver]:
    """Start a receiver at the other end of the cable."""
    built = build(services.settings.model_copy(update={"database_url": cable.url}))
    receiver = Receiver(built)
    yield receiver
    receiver.stop()
    built.engine.dispose()


def test_webhooks_are_refused_and_taken_again(
    far: Receiver,
    cable: Cable,
    slack_config: SourceConfig,
    stored: Callable[[], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """503 with Retry-After while it is away; the same webhook is accepted afterwards, without a restart."""
    caplog.set_level(logging.INFO)
    assert far.slack(slack_config, payload("message_changed")).status_code == 200
    cable.cut()
    for _ in range(3):
        answer = far.slack(slack_config, MENTION)
        assert problem(answer) == (503, "database_down")
        assert answer.headers["retry-after"] == "5"
    cable.mend()
    assert far.slack(slack_config, MENTION).json()["status"] == "accepted"
    assert len(stored()) == 2
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_readiness_follows_the_database(far: Receiver, cable: Cable) -> None:
    """Not ready while it is away, ready again when it is back; alive all the time."""
    for is_up in (True, False, True):
        if is_up:
            ready = far.http.get("/readyz")
            assert (ready.status_code, ready.json()) == (200, {"database": "up"})
            cable.cut()
        else:
            ready = far.http.get("/readyz")
            assert (ready.status_code, ready.json()) == (503, {"database": "down"})
            cable.mend()
        alive = far.http.get("/healthz")
        assert (alive.status_code, alive.text) == (200, "ok")


def test_the_api_says_so_too(far: Receiver, cable: Cable) -> None:
    """Whether a token is good cannot be known: 503, not 401."""
    cable.cut()
    answer = far.http.get("/api/inbox/1", headers={"authorization": "Bearer dbt_x"})
    assert problem(answer) == (503, "database_down")
    assert "www-authenticate" not in answer.headers


def test_the_generic_intake_says_so_too(far: Receiver, cable: Cable, generic_config: SourceConfig) -> None:
    """Every source's senders are asked to come again."""
    said = {"author": "Anna", "text": "x", "sent_at": "2026-11-21T09:00:00Z"}
    body = json.dumps({"thread": {"id": "t"}, "messages": [said]})
    cable.cut()
    assert problem(far.generic(generic_config, body)) == (503, "database_down")
    cable.mend()
    assert far.generic(generic_config, body).json()["status"] == "accepted"
