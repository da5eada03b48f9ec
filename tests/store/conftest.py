"""Fixtures of the store's tests."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from tests.store.samples import THREAD, arrival

Put = Callable[..., int]


@pytest.fixture
def inbox(stores: Stores) -> Inbox:
    """Give the inbox of Slack."""
    return stores.inboxes[SourceType.SLACK]


@pytest.fixture
def put(inbox: Inbox, slack_config: SourceConfig) -> Put:
    """Let a new delivery of a thread arrive; gives its id."""

    def store(key: str, thread_id: str = THREAD, **more: Any) -> int:
        stored = inbox.store(slack_config, arrival(key, thread_id, **more))
        assert stored.is_new
        return stored.id

    return store


@pytest.fixture
def generic_config(stores: Stores, slack_config: SourceConfig) -> SourceConfig:
    """Give a generic intake of the same team."""
    team = stores.configs.team("acme")
    credentials = GenericCredentials(signing_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    return stores.configs.add_source(team, SourceType.GENERIC, "desk", credentials, "test")


@pytest.fixture
def nowhere() -> Iterator[sa.Engine]:
    """Give an engine for a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        engine = connect(f"postgresql+psycopg://x:y@127.0.0.1:{taken.getsockname()[1]}/z")
        yield engine
        engine.dispose()
