"""Shows teams, sources, outputs and people to people and programs: never a secret, only that it is set."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from discubot_pipeline.domain.config import Credentials, NotionSourceCredentials
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.preferences import merge
from discubot_pipeline.store.records import OutputRecord, Record, SourceRecord, Team


class Secret(BaseModel):
    """A secret that is not shown: whether it is set, and a fingerprint to tell it from another."""

    set: bool
    fingerprint: str | None = Field(default=None, description="First 8 hexadecimal digits of its SHA-256.")


class View(BaseModel):
    """What every row of the settings shows of itself. `version` goes back with a change."""

    id: UUID
    name: str
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class TeamView(View):
    """A team: its own preferences, and what holds with the defaults below them."""

    preferences: dict[str, Any]
    effective: dict[str, Any]
    model_key: Secret


class SourceView(View):
    """A source of a team: its own preferences, what holds with its team's below them, and how many deliveries wait."""

    team: str
    source: SourceType
    workspace: str | None
    webhook: str
    active: bool
    preferences: dict[str, Any]
    effective: dict[str, Any]
    credentials: dict[str, Secret]
    model_key: Secret
    handshake: str | None = Field(description="Of Notion: how far its verification token has come.")
    held: int


class OutputView(View):
    """An output of a source: the Notion database, which domains go there, and how tasks are mapped onto it."""

    source: str
    source_id: UUID
    database: str
    data_source: str | None
    domains: list[str]
    default: bool
    active: bool
    field_map: dict[str, str | None]
    value_map: dict[str, dict[str, str]]
    credentials: dict[str, Secret]


def team_view(team: Team) -> TeamView:
    """Show a team."""
    effective = merge(team.preferences).model_dump(mode="json")
    key = Secret(set=team.has_model_key)
    return TeamView(name=team.name, preferences=team.preferences, effective=effective, model_key=key, **audit_of(team))


def source_view(record: SourceRecord, receiver_url: str, held: int) -> SourceView:
    """Show a source."""
    config = record.config
    return SourceView(
        name=config.name,
        team=config.team_name,
        source=config.source,
        workspace=config.workspace,
        webhook=f"{receiver_url}/hooks/{config.source}/{config.hook}",
        active=config.active,
        preferences=record.own,
        effective=config.preferences.model_dump(mode="json"),
        credentials=secrets_of(config.credentials),
        model_key=secret_of(config.model_key),
        handshake=config.credentials.handshake if isinstance(config.credentials, NotionSourceCredentials) else None,
        held=held,
        **audit_of(record),
    )


def output_view(record: OutputRecord) -> OutputView:
    """Show an output."""
    output = record.output
    return OutputView(
        name=output.name,
        source=record.source_name,
        source_id=output.source_config_id,
        database=output.database_id,
        data_source=output.data_source_id,
        domains=list(output.domains),
        default=output.is_default,
        active=output.active,
        field_map=output.field_map,
        value_map=output.value_map,
        credentials=secrets_of(output.credentials),
        **audit_of(record),
    )


def audit_of(record: Record) -> dict[str, Any]:
    """List what every row shows of itself."""
    return {name: getattr(record, name) for name in Record.model_fields}


def secrets_of(credentials: Credentials) -> dict[str, Secret]:
    """Say of each secret whether it is set."""
    return {name: secret_of(getattr(credentials, name)) for name in credentials.secrets()}


def secret_of(value: object) -> Secret:
    """Say whether a secret is set."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        return Secret(set=False)
    return Secret(set=True, fingerprint=hashlib.sha256(str(text).encode()).hexdigest()[:8])
