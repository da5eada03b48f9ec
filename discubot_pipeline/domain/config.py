"""Settings of a team, of one of its sources and of where tasks go: defaults < team < source config."""

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Self
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


class Persona(StrEnum):
    """The voice of the answers in a thread; custom is the team's own template."""

    PROFESSIONAL = "professional"
    FRIENDLY = "friendly"
    CONCISE = "concise"
    CUSTOM = "custom"


PLACEHOLDERS = frozenset({"count", "tasks", "missing", "skipped"})
PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Preferences(Value):
    """What a team or a source may choose. Every field has its default here and nowhere else.

    Without `auto_sync` verified deliveries are held until a person releases them. `trigger` is the word that starts
    work where a source knows no mentions. `reply_template` is the text of the persona `custom`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ai_enabled: bool = True
    max_tasks: int = Field(default=10, ge=1, le=50)
    time_zone: str = "UTC"
    auto_sync: bool = True
    post_confirmation: bool = True
    trigger: str | None = Field(default=None, min_length=1, max_length=80)
    persona: Persona = Persona.PROFESSIONAL
    reply_template: str | None = Field(default=None, min_length=1, max_length=2000)

    @field_validator("time_zone")
    @classmethod
    def is_known(cls, name: str) -> str:
        """Accept the names of the IANA time zone database."""
        if name not in time_zones():
            raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Amsterdam")
        return name

    @field_validator("reply_template")
    @classmethod
    def has_known_places(cls, text: str | None) -> str | None:
        """Accept the placeholders that an answer can fill."""
        unknown = sorted(set(PLACEHOLDER.findall(text or "")) - PLACEHOLDERS)
        if unknown:
            known = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
            raise ValueError(f"there is no placeholder {{{unknown[0]}}}; there are: {known}")
        return text

    @model_validator(mode="after")
    def has_its_template(self) -> Self:
        """Refuse a persona of one's own without its words."""
        if self.persona is Persona.CUSTOM and self.reply_template is None:
            raise ValueError("the persona custom needs a reply_template")
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

    @property
    def works(self) -> bool:
        """Say whether deliveries are worked on as they come; else they are held."""
        return self.active and self.preferences.auto_sync


class Output(Value):
    """One Notion database of a source config; `domains` empty and `is_default` false means it never gets a task.

    `field_map` names the property (by name or id) of a task's field, None for never; `value_map` the option of a value.
    """

    id: UUID
    team_id: UUID
    source_config_id: UUID
    name: str
    database_id: str
    data_source_id: str | None
    domains: tuple[str, ...] = ()
    is_default: bool = False
    active: bool = True
    version: int = 1
    field_map: dict[str, str | None] = Field(default_factory=dict)
    value_map: dict[str, dict[str, str]] = Field(default_factory=dict)
    credentials: NotionCredentials

    def __hash__(self) -> int:
        """Stand in dictionaries by id: mappings have no hash."""
        return hash(self.id)


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
        raise Permanent("preferences", sentence_of(error.errors())) from error


def sentence_of(errors: Sequence[Any], skip: int = 0) -> str:
    """Say what is wrong with which field, and nothing of the values: they may be secrets.

    `skip` leaves out the first parts of a field's place, such as the `body` that FastAPI begins it with.
    """
    faults = [(".".join(map(str, fault["loc"][skip:])), fault["msg"].removeprefix("Value error, ")) for fault in errors]
    return "; ".join(f"{field}: {message}" if field else message for field, message in faults)


CREDENTIALS: dict[SourceType, type[Credentials]] = {
    SourceType.SLACK: SlackCredentials,
    SourceType.GENERIC: GenericCredentials,
}
