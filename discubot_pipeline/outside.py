"""Builds the adapters of a process, which speak to the world outside. A part of `wiring`."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from discubot_pipeline.adapters.figma import FigmaSource
from discubot_pipeline.adapters.figmaarchive import FigmaArchive
from discubot_pipeline.adapters.figmadoor import FigmaDoor
from discubot_pipeline.adapters.generic import GenericDoor, GenericSource
from discubot_pipeline.adapters.http import Pace, Spaced, no_pace
from discubot_pipeline.adapters.mailgundoor import MailgunDoor
from discubot_pipeline.adapters.models.analyst import ModelAnalyst
from discubot_pipeline.adapters.models.choice import Choice
from discubot_pipeline.adapters.models.explainer import ModelExplainer
from discubot_pipeline.adapters.notion import NotionTracker
from discubot_pipeline.adapters.notioncheck import NotionInspector
from discubot_pipeline.adapters.notiondoor import NotionDoor
from discubot_pipeline.adapters.notionsource import NotionSource
from discubot_pipeline.adapters.reach import reach_of
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackarchive import SlackArchive
from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.adapters.slackexport import SlackExport
from discubot_pipeline.adapters.slackhook import SlackHerald
from discubot_pipeline.adapters.sourcecheck import check_figma, check_generic, check_mailgun, check_notion, check_slack
from discubot_pipeline.adapters.webhook import WebhookHerald
from discubot_pipeline.domain.backfill import Backfill
from discubot_pipeline.domain.check import Check
from discubot_pipeline.domain.config import Credentials, NotionCredentials, Output, SourceConfig, fingerprint
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.hook import Hook, HookKind
from discubot_pipeline.domain.people import NotionUser
from discubot_pipeline.domain.preferences import AnalystKind
from discubot_pipeline.ports import Analyst, Archive, Clock, Door, Explainer, Herald, Source, Tracker
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.limits import Limits, Rate
from discubot_pipeline.store.people import KnownPeople, People
from discubot_pipeline.store.schemas import KeptSchema

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
            SourceType.NOTION: NotionDoor(settings.notion_url),
            SourceType.FIGMA: FigmaDoor(settings.figma_url),
            SourceType.MAILGUN: MailgunDoor(settings.figma_url),
        }
        self._building = Lock()
        self._sources: dict[SourceConfig, Source] = {}
        self._trackers: dict[Output, Tracker] = {}

    def door(self, kind: SourceType) -> Door:
        """Give the receiver's side of a source."""
        return self._doors[kind]

    def source(self, config: SourceConfig) -> Source:
        """Give the source of a config."""
        with self._building:
            if config not in self._sources:
                self._sources[config] = self._build_source(config)
            return self._sources[config]

    def archive(self, config: SourceConfig, wanted: Backfill) -> Archive:
        """Open the past of a source; not kept."""
        if config.source is SourceType.FIGMA and not wanted.export:
            return FigmaArchive(config, self._settings.figma_url, self._figma_pace(config))
        if config.source is not SourceType.SLACK:
            why = f"a {config.source} source keeps no past that could be listed"
            raise Permanent("no_archive", f"{why}: send its threads with `discubot ingest`")
        if wanted.export:
            return SlackExport(Path(wanted.export), wanted.site)
        return SlackArchive(config, self._settings.slack_url, Spaced(wanted.per_minute), wanted.page_size)

    def tracker(self, output: Output) -> Tracker:
        """Give the tracker of an output."""
        with self._building:
            if output not in self._trackers:
                self._trackers[output] = self._build_tracker(output)
            return self._trackers[output]

    def analyst(self, config: SourceConfig) -> Analyst:
        """Give the analyst that a source config chose."""
        choice = self._choice(config)
        return ModelAnalyst(choice) if choice else self.offline()

    def explainer(self, config: SourceConfig) -> Explainer | None:
        """Give the language model that a source config chose, to explain steps."""
        choice = self._choice(config)
        return ModelExplainer(choice) if choice else None

    def _choice(self, config: SourceConfig) -> Choice | None:
        """Put together which model a source config chose."""
        chosen = config.preferences
        if chosen.analyst is AnalystKind.RULES:
            return None
        urls = {AnalystKind.ANTHROPIC: self._settings.anthropic_url, AnalystKind.OPENAI: self._settings.openai_url}
        return Choice(
            provider=chosen.analyst,
            model=chosen.model or "",
            url=chosen.model_url or urls[chosen.analyst],
            api_key=config.model_key,
            summary_prompt=chosen.summary_prompt,
            task_prompt=chosen.task_prompt,
            patience=self._settings.model_patience.total_seconds(),
        )

    def offline(self) -> Analyst:
        """Give the built-in analyst."""
        return RuleAnalyst()

    def herald(self, hook: Hook, sender: SourceConfig | None) -> Herald:
        """Give what tells a hook that a job has ended; nothing is kept of it."""
        if hook.kind is HookKind.SLACK and sender:
            return SlackHerald(sender, self._settings.slack_url, hook.channel or "")
        secret = hook.credentials.signing_secret
        if hook.url is None or secret is None:
            raise Permanent("not_configured", "this hook has no address, or no secret")
        return WebhookHerald(hook.url, secret, reach_of(self._settings))

    def close(self) -> None:
        """Close the connections of all that was kept."""
        for each in (*self._sources.values(), *self._trackers.values()):
            close = getattr(each, "close", None)
            if close is not None:
                close()

    def inspect(self, output: Output) -> NotionInspector:
        """Give what looks at an output's database and connection without changing anything."""
        pace, at = self._notion_pace(output.credentials), self._settings
        return NotionInspector(output, at.notion_url, at.notion_version, pace)

    def notion_users(self, outputs: Sequence[Output]) -> list[NotionUser]:
        """List the people that the connections of some outputs see."""
        users: dict[str, NotionUser] = {}
        for output in {output.credentials.fingerprint: output for output in outputs}.values():
            with self.inspect(output) as notion:
                users |= {user.id: user for user in notion.users()}
        return list(users.values())

    def check(self, config: SourceConfig) -> list[Check]:
        """Look whether a source's credentials work."""
        match config.source:
            case SourceType.SLACK:
                return check_slack(config, self._settings.slack_url)
            case SourceType.NOTION:
                at, pace = self._settings, self._notion_pace(config.credentials)
                return check_notion(config, at.notion_url, at.notion_version, pace)
            case SourceType.GENERIC:
                return check_generic(config)
            case SourceType.FIGMA:
                return check_figma(config, self._settings.figma_url, self._figma_pace(config))
            case SourceType.MAILGUN:
                checks = check_mailgun(config, self._settings.receiver_url, self.clock.now())
                own = getattr(config.credentials, "token", None)
                figma = check_figma(config, self._settings.figma_url, self._figma_pace(config)) if own else []
                return checks + figma

    def _build_source(self, config: SourceConfig) -> Source:
        match config.source:
            case SourceType.SLACK:
                return SlackSource(config, self._settings.slack_url, no_pace, People(self._engine, config))
            case SourceType.GENERIC:
                return GenericSource(config)
            case SourceType.NOTION:
                people, at = People(self._engine, config), self._settings
                pace = self._notion_pace(config.credentials)
                return NotionSource(config, at.notion_url, at.notion_version, pace, people)
            case SourceType.FIGMA | SourceType.MAILGUN:
                return FigmaSource(config, self._settings.figma_url, self._figma_pace(config))

    def _build_tracker(self, output: Output) -> Tracker:
        known, shelf = KnownPeople(self._engine, output.source_config_id), KeptSchema(self._engine, output)
        pace, at = self._notion_pace(output.credentials), self._settings
        return NotionTracker(output, at.notion_url, at.notion_version, pace, known, shelf)

    def _notion_pace(self, credentials: Credentials) -> Pace:
        """Let all calls with one Notion token share a limiter."""
        bucket = credentials.fingerprint if isinstance(credentials, NotionCredentials) else "none"
        return paced(self._limits, f"notion:{bucket}", NOTION_RATE)

    def _figma_pace(self, config: SourceConfig) -> Pace:
        token = getattr(config.credentials, "token", None)
        calls = self._settings.figma_calls_per_minute
        rate = Rate(per_minute=calls, burst=calls * 2 // 5)
        return paced(self._limits, f"figma:{fingerprint(token)}", rate) if token else no_pace


def paced(limits: Limits, bucket: str, rate: Rate) -> Pace:
    """Make calls wait for their place in a limiter that all processes share."""

    def wait() -> None:
        time.sleep(limits.reserve(bucket, rate).total_seconds())

    return wait
