"""Teams, their sources and their outputs. Credentials are sealed on the way in and opened on the way out."""

import secrets
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.config import (
    CREDENTIALS,
    Credentials,
    NotionCredentials,
    Output,
    SourceConfig,
    merge,
)
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.tables import outputs, source_configs, teams
from discubot_pipeline.store.vault import Vault

HOOK_BYTES = 18


class Team(Value):
    """One row of the teams table."""

    id: UUID
    name: str
    preferences: dict[str, Any]
    version: int


class Configs:
    """Reads and writes the settings of teams."""

    def __init__(self, engine: sa.Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def add_team(self, name: str, actor: str, **preferences: Any) -> Team:
        """Make a team; `exists` when the name is taken, `name` when it is not a name."""
        merge(preferences)
        row = self._insert(
            teams,
            {"name": name, "preferences": preferences, **by(actor)},
            {
                "uq_teams_name": ("exists", f"there is a team {name!r} already"),
                "ck_teams_name": (
                    "name",
                    "a team's name has lower-case letters, digits and dashes, 63 at most",
                ),
            },
        )
        return read_team(row)

    def team(self, name: str) -> Team:
        """Give a team by its name; `unknown_team` when there is none."""
        with transaction(self._engine) as connection:
            row = connection.execute(sa.select(teams).where(teams.c.name == name)).one_or_none()
        if row is None:
            raise Permanent("unknown_team", f"there is no team {name!r}: `discubot team list` shows those there are")
        return read_team(row)

    def teams(self) -> list[Team]:
        """List all teams by name."""
        with transaction(self._engine) as connection:
            return [read_team(row) for row in connection.execute(sa.select(teams).order_by(teams.c.name))]

    def add_source(
        self,
        team: Team,
        source: SourceType,
        name: str,
        credentials: Credentials,
        actor: str,
        *,
        workspace: str | None = None,
        preferences: dict[str, Any] | None = None,
    ) -> SourceConfig:
        """Make a source config with an unguessable hook; `exists` when the team has one of that name."""
        merge(team.preferences, preferences or {})
        row = self._insert(
            source_configs,
            {
                "team_id": team.id,
                "source": source,
                "name": name,
                "hook": secrets.token_urlsafe(HOOK_BYTES),
                "workspace": workspace,
                "credentials": self._vault.seal(credentials),
                "preferences": preferences or {},
                **by(actor),
            },
            {
                "uq_source_configs_team_id_name": (
                    "exists",
                    f"team {team.name!r} has a source {name!r} already",
                )
            },
        )
        return self.source(row.id)

    def add_output(
        self,
        config: SourceConfig,
        name: str,
        database_id: str,
        credentials: NotionCredentials,
        actor: str,
        *,
        data_source_id: str | None = None,
        domains: tuple[str, ...] = (),
        is_default: bool = False,
    ) -> Output:
        """Make an output of a source config; `exists` for a second one of that name or a second default."""
        row = self._insert(
            outputs,
            {
                "team_id": config.team_id,
                "source_config_id": config.id,
                "name": name,
                "database_id": database_id,
                "data_source_id": data_source_id,
                "credentials": self._vault.seal(credentials),
                "domains": list(domains),
                "is_default": is_default,
                **by(actor),
            },
            {
                "uq_outputs_source_config_id_name": (
                    "exists",
                    f"source {config.name!r} has an output {name!r} already",
                ),
                "uq_outputs_default": ("exists", f"source {config.name!r} has a default output already"),
            },
        )
        return self._read_output(row)

    def replace_credentials(self, config: SourceConfig, credentials: Credentials, actor: str) -> bool:
        """Seal other credentials for a source; False when it has been changed since it was read."""
        unchanged = sa.and_(source_configs.c.id == config.id, source_configs.c.version == config.version)
        values = {"credentials": self._vault.seal(credentials), "version": config.version + 1, "updated_by": actor}
        with transaction(self._engine) as connection:
            return bool(connection.execute(sa.update(source_configs).where(unchanged).values(values)).rowcount)

    def source(self, id: UUID) -> SourceConfig:
        """Give a source config by its id."""
        found = self._sources(source_configs.c.id == id)
        if not found:
            raise Permanent("unknown_source", "this source config is gone: add the source again")
        return found[0]

    def by_hook(self, source: SourceType, hook: str) -> SourceConfig | None:
        """Give the source config that a webhook address stands for."""
        found = self._sources(source_configs.c.source == source, source_configs.c.hook == hook)
        return found[0] if found else None

    def sources(self, source: SourceType | None = None, team_id: UUID | None = None) -> list[SourceConfig]:
        """List source configs, of one kind or one team where that is named."""
        where = [source_configs.c.source == source] if source else []
        where += [source_configs.c.team_id == team_id] if team_id else []
        return self._sources(*where)

    def outputs(self, config: SourceConfig) -> list[Output]:
        """List the outputs of a source config, the default first."""
        mine = sa.select(outputs).where(outputs.c.source_config_id == config.id, outputs.c.team_id == config.team_id)
        with transaction(self._engine) as connection:
            rows = connection.execute(mine.order_by(outputs.c.is_default.desc(), outputs.c.name))
            return [self._read_output(row) for row in rows]

    def _sources(self, *where: sa.ColumnElement[bool]) -> list[SourceConfig]:
        team = (teams.c.name.label("team_name"), teams.c.preferences.label("team_preferences"))
        rows = sa.select(source_configs, *team).join(teams).where(*where).order_by(teams.c.name, source_configs.c.name)
        with transaction(self._engine) as connection:
            return [self._read_source(row) for row in connection.execute(rows)]

    def _insert(self, table: sa.Table, values: dict[str, Any], violations: dict[str, tuple[str, str]]) -> Any:
        try:
            with transaction(self._engine) as connection:
                return connection.execute(sa.insert(table).values(values).returning(table)).one()
        except sa.exc.IntegrityError as error:
            name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
            if name not in violations:
                raise
            raise Permanent(*violations[name]) from error

    def _read_source(self, row: Any) -> SourceConfig:
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
            credentials=self._vault.open(CREDENTIALS[row.source], row.credentials),
        )

    def _read_output(self, row: Any) -> Output:
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
            credentials=self._vault.open(NotionCredentials, row.credentials),
        )


def read_team(row: Any) -> Team:
    """Turn a row into a value."""
    return Team(id=row.id, name=row.name, preferences=row.preferences, version=row.version)


def by(actor: str) -> dict[str, str]:
    """Name who makes a row."""
    return {"created_by": actor, "updated_by": actor}
