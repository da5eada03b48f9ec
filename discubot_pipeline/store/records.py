"""Teams, sources and outputs as their rows say, with version and authors; credentials are opened on the way out."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.config import CREDENTIALS, ModelCredentials, NotionCredentials, Output, SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.preferences import merge
from discubot_pipeline.store.tables import source_configs, teams
from discubot_pipeline.store.vault import Vault


class Record(Value):
    """What every row of the settings says of itself."""

    id: UUID
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class Team(Record):
    """One row of the teams table."""

    name: str
    preferences: dict[str, Any]
    has_model_key: bool


class SourceRecord(Record):
    """One row of the source configs: as the pipeline runs with it, and what it says itself beside its team."""

    config: SourceConfig
    own: dict[str, Any]


class OutputRecord(Record):
    """One row of the outputs, with the name of its source."""

    output: Output
    source_name: str


def audit_of(row: Any) -> dict[str, Any]:
    """Read what every row says of itself."""
    return {name: getattr(row, name) for name in Record.model_fields}


def read_team(row: Any) -> Team:
    """Turn a row into a value."""
    has_key = row.model_credentials is not None
    return Team(name=row.name, preferences=row.preferences, has_model_key=has_key, **audit_of(row))


def of_team() -> tuple[sa.Label[Any], ...]:
    """List what a source's row is joined with of its team's, for `read_source`."""
    columns = (teams.c.name, teams.c.preferences, teams.c.model_credentials)
    return tuple(column.label(f"team_{column.name}") for column in columns)


def read_source(row: Any, vault: Vault) -> SourceConfig:
    """Turn a row, joined with its team's, into a value."""
    sealed = row.model_credentials or row.team_model_credentials
    return SourceConfig(
        id=row.id,
        team_id=row.team_id,
        team_name=row.team_name,
        source=row.source,
        name=row.name,
        hook=row.hook,
        workspace=row.workspace,
        active=row.active,
        version=row.version,
        preferences=merge(row.team_preferences, row.preferences),
        credentials=vault.open(CREDENTIALS[row.source], row.credentials),
        model_credentials=vault.open(ModelCredentials, sealed) if sealed else None,
    )


def read_output(row: Any, vault: Vault) -> Output:
    """Turn a row into a value."""
    return Output(
        id=row.id,
        team_id=row.team_id,
        source_config_id=row.source_config_id,
        name=row.name,
        database_id=row.database_id,
        data_source_id=row.data_source_id,
        domains=tuple(row.domains),
        is_default=row.is_default,
        active=row.active,
        version=row.version,
        field_map=row.field_map,
        value_map=row.value_map,
        credentials=vault.open(NotionCredentials, row.credentials),
    )


def by(actor: str) -> dict[str, str]:
    """Name who makes a row."""
    return {"created_by": actor, "updated_by": actor}


Violations = dict[str, tuple[str, str]]
"""What a constraint's violation means: reason and message by the constraint's name."""


def team_violations(name: str) -> Violations:
    """Say what may be wrong with a team."""
    return {
        "uq_teams_name": ("exists", f"there is a team {name!r} already"),
        "ck_teams_name": ("name", "a team's name has lower-case letters, digits and dashes, 63 at most"),
    }


def source_violations(team: str, name: str) -> Violations:
    """Say what may be wrong with a source."""
    return {"uq_source_configs_team_id_name": ("exists", f"team {team!r} has a source {name!r} already")}


def output_violations(source: str, name: str) -> Violations:
    """Say what may be wrong with an output."""
    return {
        "uq_outputs_source_config_id_name": ("exists", f"source {source!r} has an output {name!r} already"),
        "uq_outputs_default": ("exists", f"source {source!r} has a default output already"),
    }


def refused(error: sa.exc.IntegrityError, violations: Violations) -> Permanent:
    """Say in words for people what a row was refused for; raises what nobody foresaw."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name not in violations:
        raise error
    return Permanent(*violations[name])


def why_held(connection: sa.Connection, id: UUID) -> str | None:
    """Say why a source's deliveries are to be held, if they are; whoever changes that waits for our commit.

    Without the lock a delivery could be held for ever beside a person who releases what is held.
    """
    both = sa.select(source_configs.c.active, source_configs.c.preferences, teams.c.preferences.label("of_team"))
    row = connection.execute(both.join(teams).where(source_configs.c.id == id).with_for_update(read=True)).one()
    if not row.active:
        return "paused"
    return None if merge(row.of_team, row.preferences).auto_sync else "auto_sync"
