"""What a source's tests bring to the suite, and what the suite needs to shake it. No tests in here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from discubot_pipeline.domain.backfill import Span
from discubot_pipeline.domain.config import Credentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, DeliveryStatus, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.domain.preferences import Preferences
from discubot_pipeline.ports import Door, Source

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=5)
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Span(since=START, until=START + 31 * DAY)
FUZZ = settings(deadline=None, database=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


class Harness(Protocol):
    """A source under test: its door, its adapter, and a hand in the service behind it, if there is one."""

    door: Door
    config: SourceConfig
    source: Source
    answers_back: bool
    knows_emails: bool
    samples: Mapping[str, str]

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        """Make the headers that the service would send, lower-case."""
        ...

    def ask(self, texts: Sequence[str], words: str | None) -> bytes:
        """Let people write a thread and ask the bot, with None by a bare mention; gives the request."""
        ...

    def answers(self, thread_id: str) -> list[str]:
        """List what the bot has posted in the thread."""
        ...

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        """List the bot's reactions on a message."""
        ...

    def shown(self, text: str) -> str:
        """Give what people see of text that the bot posts."""
        ...

    def losing_the_answer(self) -> AbstractContextManager[None]:
        """Carry the next post out, but drop the connection before its answer."""
        ...

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        """Refuse the next call, asking for a pause."""
        ...

    def revoked(self) -> Source:
        """Give the same source with a token that does not count any more."""
        ...


def config_of(source: SourceType, credentials: Credentials, workspace: str | None = None) -> SourceConfig:
    """Make a source's config as the store would."""
    return SourceConfig(
        id=UUID(int=2),
        team_id=UUID(int=1),
        team_name="Acme",
        source=source,
        name="Acme's source",
        hook="hook",
        workspace=workspace,
        active=True,
        version=1,
        preferences=Preferences(),
        credentials=credentials,
    )


def delivery_of(arrival: Arrival, source: SourceType, number: int = 1, at: datetime = NOW) -> Delivery:
    """Store an arrival and read it again, by way of the database's JSON."""
    stored = json.dumps(arrival.payload)
    assert "\\u0000" not in stored, "the database takes no NUL"
    return Delivery(
        id=number,
        source=source,
        team_id=UUID(int=1),
        source_config_id=UUID(int=2),
        status=DeliveryStatus.RUNNING,
        reason=arrival.reason,
        thread_id=arrival.thread_id,
        discussion_id=None,
        trigger=Trigger.WEBHOOK,
        payload=json.loads(stored),
        generation=0,
        run_id=None,
        received_at=at,
    )


def spots(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """List every place in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from spots(part, (*path, key))


def planted(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """Give a copy of a JSON value with something else at one place."""
    if not path:
        return new
    copy = deepcopy(value)
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return copy


def is_storable(arrival: Arrival, source: SourceType) -> bool:
    """Check that the database can hold an arrival, and that an ignored one holds nothing."""
    keys = (arrival.delivery_key, arrival.message_key, arrival.gesture_key, arrival.thread_id)
    assert not any("\0" in key for key in keys if key)
    assert (arrival.reason is None) == (arrival.payload is not None)
    assert arrival.reason is None or (arrival.message_key is None and arrival.gesture_key is None)
    arrival.model_dump_json().encode()
    return delivery_of(arrival, source).source is source
