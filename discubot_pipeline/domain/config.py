"""Settings of a team, of one of its sources and of where tasks go: defaults < team < source config."""

import hashlib
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

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


class Preferences(Value):
    """What a team or a source may choose. Every field has its default here and nowhere else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ai_enabled: bool = True
    max_tasks: int = Field(default=10, ge=1, le=50)
    time_zone: str = "UTC"
    post_confirmation: bool = True

    @field_validator("time_zone")
    @classmethod
    def is_known(cls, name: str) -> str:
        """Accept the names of the IANA time zone database."""
        if name not in time_zones():
            raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Amsterdam")
        return name


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
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise Permanent("preferences", "; ".join(faults)) from error


CREDENTIALS: dict[SourceType, type[Credentials]] = {
    SourceType.SLACK: SlackCredentials,
    SourceType.GENERIC: GenericCredentials,
}
