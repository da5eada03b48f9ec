"""The composition root: the only place that builds. Lazy: importing it opens nothing and reads no environment."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa

from discubot_pipeline.adapters.figma import FigmaSource
from discubot_pipeline.adapters.figmadoor import FigmaDoor
from discubot_pipeline.adapters.generic import GenericDoor, GenericSource
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.mailgundoor import MailgunDoor
from discubot_pipeline.adapters.notion import NotionTracker
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.domain.config import Output, SourceConfig, fingerprint
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.ports import Analyst, Clock, Door, Source, Tracker
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.limits import Limits, Rate
from discubot_pipeline.store.people import People
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.vault import Vault, key_file

NOTION_RATE = Rate(per_minute=180, burst=20)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the time in UTC."""
        return datetime.now(UTC)


class Adapters:
    """The real world outside: adapters over HTTP. One is kept for each config, with its connections."""

    def __init__(self, settings: Settings, engine: sa.Engine, limits: Limits) -> None:
        self.clock: Clock = SystemClock()
        self._settings = settings
        self._engine = engine
        self._limits = limits
        self._doors: dict[SourceType, Door] = {
            SourceType.SLACK: SlackDoor(settings.slack_url),
            SourceType.GENERIC: GenericDoor(),
            SourceType.FIGMA: FigmaDoor(settings.figma_url),
            SourceType.MAILGUN: MailgunDoor(settings.figma_url),
        }
        self._sources: dict[SourceConfig, Source] = {}
        self._trackers: dict[Output, Tracker] = {}

    def door(self, kind: SourceType) -> Door:
        """Give the receiver's side of a source."""
        return self._doors[kind]

    def source(self, config: SourceConfig) -> Source:
        """Give the source of a config."""
        if config not in self._sources:
            self._sources[config] = self._build_source(config)
        return self._sources[config]

    def tracker(self, output: Output) -> Tracker:
        """Give the tracker of an output."""
        if output not in self._trackers:
            self._trackers[output] = self._build_tracker(output)
        return self._trackers[output]

    def analyst(self, config: SourceConfig) -> Analyst:
        """Give the analyst that a source config chose: the built-in one."""
        return RuleAnalyst()

    def _build_source(self, config: SourceConfig) -> Source:
        match config.source:
            case SourceType.SLACK:
                return SlackSource(config, self._settings.slack_url, no_pace, People(self._engine, config))
            case SourceType.GENERIC:
                return GenericSource(config)
            case SourceType.FIGMA | SourceType.MAILGUN:
                return FigmaSource(config, self._settings.figma_url, self._figma_pace(config))

    def _figma_pace(self, config: SourceConfig) -> Pace:
        token = getattr(config.credentials, "token", None)
        calls = self._settings.figma_calls_per_minute
        rate = Rate(per_minute=calls, burst=calls * 2 // 5)
        return paced(self._limits, f"figma:{fingerprint(token)}", rate) if token else no_pace

    def _build_tracker(self, output: Output) -> Tracker:
        pace = paced(self._limits, f"notion:{output.credentials.fingerprint}", NOTION_RATE)
        return NotionTracker(output, self._settings.notion_url, self._settings.notion_version, pace)


@dataclass(frozen=True)
class Services:
    """Everything that a process works with."""

    settings: Settings
    engine: sa.Engine
    stores: Stores
    outside: Adapters


def build(settings: Settings, pool_size: int = 5) -> Services:
    """Build the services of a process; connections are made when first used."""
    engine = connect(settings.sqlalchemy_url, pool_size)
    keys = settings.secret_key.get_secret_value() if settings.secret_key else key_file(settings.home)
    stores = open_stores(engine, Vault(keys))
    return Services(settings, engine, stores, Adapters(settings, engine, stores.limits))


@cache
def shared() -> Services:
    """Give the services of this process, built from the environment at the first call."""
    return build(Settings())


def paced(limits: Limits, bucket: str, rate: Rate) -> Pace:
    """Make calls wait for their place in a limiter that all processes share."""

    def wait() -> None:
        time.sleep(limits.reserve(bucket, rate).total_seconds())

    return wait
