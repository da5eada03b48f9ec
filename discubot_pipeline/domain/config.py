"""One source of one team, and where its tasks go, with the secrets of both, as the pipeline runs with them."""

import hashlib
from typing import Self, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.preferences import AnalystKind, Preferences


class Credentials(BaseModel):
    """Secrets of one source or output; never shown, logged, or put into run config or tags."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def secrets(cls) -> list[str]:
        """List the fields that are secrets."""
        fields = cls.model_fields.items()
        return [name for name, field in fields if SecretStr in (field.annotation, *get_args(field.annotation))]


class SlackCredentials(Credentials):
    """A Slack app's signing secret and bot token; with an app-level token its events come by Socket Mode too."""

    signing_secret: SecretStr
    bot_token: SecretStr
    app_token: SecretStr | None = None


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


class NotionSourceCredentials(NotionCredentials):
    """A Notion connection as a source: `signing_secret` is the verification token, which Notion itself brings.

    `is_unseen` says that it came by a handshake and no operator has seen it yet.
    """

    signing_secret: SecretStr | None = None
    is_unseen: bool = False

    @property
    def handshake(self) -> str:
        """Say how far the handshake has come."""
        if self.signing_secret is None:
            return "waiting for Notion's verification token"
        return "received, not shown yet: discubot source token" if self.is_unseen else "set"

    def adopt(self, secret: SecretStr) -> Self:
        """Take the token that a handshake brought."""
        return self.model_copy(update={"signing_secret": secret, "is_unseen": True})

    def reveal(self) -> Self:
        """Note that an operator has seen the token."""
        return self.model_copy(update={"is_unseen": False})

    def forget(self) -> Self:
        """Give the token up, so that the next handshake's is taken."""
        return self.model_copy(update={"signing_secret": None, "is_unseen": False})


class ModelCredentials(Credentials):
    """The key of a model's API, with the provider and address that it was given for: it is sent nowhere else."""

    analyst: AnalystKind
    url: str | None = None
    api_key: SecretStr


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


CREDENTIALS: dict[SourceType, type[Credentials]] = {
    SourceType.SLACK: SlackCredentials,
    SourceType.GENERIC: GenericCredentials,
    SourceType.NOTION: NotionSourceCredentials,
}
