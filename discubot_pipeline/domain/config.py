"""Settings of a team, of one of its sources and of where tasks go: defaults < team < source config."""

import hashlib
from enum import StrEnum
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value


class Credentials(BaseModel):
    """Secrets of one source or output; never shown, logged, or put into run config or tags."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SlackCredentials(Credentials):
    """A Slack app's signing secret and bot token."""

    signing_secret: SecretStr
    bot_token: SecretStr


class GenericCredentials(Credentials):
    """The shared secret of the generic intake (Standard Webhooks, `whsec_…`)."""

    signing_secret: SecretStr


class NotionCredentials(Credentials):
    """A Notion connection's token."""

    token: SecretStr

    @property
    def fingerprint(self) -> str:
        """Name the connection without showing its token: calls with one token share one rate limit."""
        return hashlib.sha256(self.token.get_secret_value().encode()).hexdigest()[:16]


class AnalystKind(StrEnum):
    """Who reads the threads: the built-in rules, or a language model behind one of three kinds of API."""

    RULES = "rules"
    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    COMPATIBLE = "compatible"


class ModelCredentials(Credentials):
    """The key of a model's API, with the provider and address that it was given for: it is sent nowhere else."""

    analyst: AnalystKind
    url: str | None = None
    api_key: SecretStr


MOST_PROMPT = 8000
"""Characters of a team's own words to the model."""


class Preferences(Value):
    """What a team or a source may choose. Every field has its default here and nowhere else.

    A task is kept when it is at least as sure as `min_confidence`. `domains` are the names that a task's domain may
    have; when there are none, those of the outputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ai_enabled: bool = True
    max_tasks: int = Field(default=10, ge=1, le=50)
    time_zone: str = "UTC"
    post_confirmation: bool = True
    analyst: AnalystKind = AnalystKind.RULES
    model: str | None = Field(default=None, min_length=1, max_length=200)
    model_url: str | None = None
    summary_prompt: str = Field(default="", max_length=MOST_PROMPT)
    task_prompt: str = Field(default="", max_length=MOST_PROMPT)
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    domains: tuple[str, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def is_known(cls, name: str) -> str:
        """Accept the names of the IANA time zone database."""
        if name not in time_zones():
            raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Amsterdam")
        return name

    @field_validator("model_url")
    @classmethod
    def is_web_address(cls, url: str | None) -> str | None:
        """Accept the http or https address of an API, without credentials in it."""
        parts = urlsplit(url or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(f"{url!r} is no address of an API: use one such as http://127.0.0.1:11434/v1")
        return url.rstrip("/") if url else None

    @model_validator(mode="after")
    def names_its_model(self) -> Self:
        """Demand what the chosen analyst cannot work without."""
        if self.analyst is not AnalystKind.RULES and not self.model:
            raise ValueError(f"analyst {self.analyst} needs the name of a model")
        if self.analyst is AnalystKind.COMPATIBLE and not self.model_url:
            raise ValueError("analyst compatible needs model_url, the address of its API")
        return self


class SourceConfig(Value):
    """One source of one team, as the pipeline runs with it."""

    id: UUID
    team_id: UUID
    team_name: str
    source: SourceType
    name: str
    hook: str
    workspace: str | None
    active: bool
    version: int
    preferences: Preferences
    credentials: Credentials
    model_credentials: ModelCredentials | None = None

    @property
    def model_key(self) -> SecretStr | None:
        """Give the model's key, if it was given for the provider and address that are chosen now."""
        key, chosen = self.model_credentials, self.preferences
        if key is None or (key.analyst, key.url) != (chosen.analyst, chosen.model_url):
            return None
        return key.api_key


class Output(Value):
    """One Notion database of a source config; `domains` empty and `is_default` false means it never gets a task."""

    id: UUID
    team_id: UUID
    source_config_id: UUID
    name: str
    database_id: str
    data_source_id: str | None
    domains: tuple[str, ...] = ()
    is_default: bool = False
    active: bool = True
    credentials: NotionCredentials


@cache
def time_zones() -> frozenset[str]:
    """List the names once: they are read from a folder of files, and preferences are read with every webhook."""
    return frozenset(available_timezones())


def merge(*layers: dict[str, Any]) -> Preferences:
    """Lay later settings over earlier ones; what none sets has its default."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if value is not None}
    try:
        return Preferences.model_validate(merged)
    except ValidationError as error:
        faults = [": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"]))) for fault in error.errors()]
        raise Permanent("preferences", "; ".join(faults)) from error


CREDENTIALS: dict[SourceType, type[Credentials]] = {
    SourceType.SLACK: SlackCredentials,
    SourceType.GENERIC: GenericCredentials,
}
