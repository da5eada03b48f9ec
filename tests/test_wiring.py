"""The composition root builds lazily, and keeps what it has built."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.config import GenericCredentials, NotionCredentials, Output, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.facts import JobQuery
from discubot_pipeline.outside import Adapters, SystemClock, paced
from discubot_pipeline.ports import Outside
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.limits import Rate
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.wiring import build

NOBODY = SecretStr("postgresql://x:y@nowhere.invalid/z")


@pytest.fixture
def outside(settings: Settings, engine: sa.Engine, stores: Stores) -> Outside:
    """Give the adapters of a process."""
    return Adapters(settings, engine, stores.limits)


def test_importing_opens_nothing() -> None:
    """Neither files nor sockets nor the environment are touched by an import, with or without settings."""
    code = """
import os, sys, socket
os.environ.clear()
def refuse(*_): raise AssertionError("an import opened a socket")
socket.socket.connect = refuse
import discubot_pipeline.wiring, discubot_pipeline.web.app, discubot_pipeline.settings
assert "dagster" not in sys.modules, "the receiver has no need of Dagster"
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_building_connects_to_nobody(tmp_path: Path) -> None:
    """Services are there before their database is."""
    services = build(Settings(home=tmp_path, database_url=NOBODY))
    assert services.stores.engine is services.engine
    with pytest.raises(Transient, match="database_down"):
        services.stores.configs.teams()
    with pytest.raises(Transient, match="database_down"):
        services.jobs.search(JobQuery(), 1)
    services.engine.dispose()


def test_a_key_of_the_environment_wins(tmp_path: Path) -> None:
    """With a key given no file is made; without one the state folder's is used."""
    given = Settings(home=tmp_path, database_url=NOBODY, secret_key=SecretStr(f"{'A' * 43}="))
    build(given)
    assert list(tmp_path.iterdir()) == []
    build(given.model_copy(update={"secret_key": None}))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_wrong_key_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody starts with a key that can open nothing."""
    with pytest.raises(Permanent, match="DISCUBOT_SECRET_KEY"):
        build(Settings(home=tmp_path, database_url=NOBODY, secret_key=SecretStr("wrong")))


def test_adapters_are_kept_for_their_config(outside: Outside, slack_config: SourceConfig, output: Output) -> None:
    """The same config gives the same adapter with its connections; a changed one gets its own."""
    assert outside.source(slack_config) is outside.source(slack_config)
    assert outside.tracker(output) is outside.tracker(output)
    renamed = output.model_copy(update={"credentials": NotionCredentials(token=SecretStr("ntn_new"))})
    assert outside.tracker(renamed) is not outside.tracker(output)


def test_every_source_has_its_adapters(outside: Outside, slack_config: SourceConfig) -> None:
    """Each kind has a door and a source that call themselves by its name, and an analyst."""
    generic = slack_config.model_copy(
        update={"source": SourceType.GENERIC, "credentials": GenericCredentials(signing_secret=SecretStr("whsec_"))}
    )
    for config in (slack_config, generic):
        assert outside.door(config.source).kind is config.source
        assert outside.source(config).kind is config.source
    assert {outside.door(kind).kind for kind in SourceType} == set(SourceType)
    assert isinstance(outside.analyst(slack_config), RuleAnalyst)


def test_the_clock_knows_its_zone() -> None:
    """Times are in UTC, and say so."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_a_pace_waits_for_its_place(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls within the burst go at once, the next one sleeps until its turn; a full bucket is refused."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    pace = paced(stores.limits, "notion:x", Rate(per_minute=8, burst=2))
    for _ in range(3):
        pace()
    assert slept[:2] == [0, 0]
    assert 9 < slept[2] <= 10
    with pytest.raises(Transient, match="rate_limited"):
        pace()
