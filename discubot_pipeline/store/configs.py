"""Teams, their sources and their outputs. Credentials are sealed on the way in and opened on the way out."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.config import Credentials, NotionCredentials, Output, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import merge
from discubot_pipeline.store.cache import Cache
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.records import (
    Team,
    Violations,
    by,
    of_team,
    output_violations,
    read_output,
    read_source,
    read_team,
    refused,
    source_violations,
    team_violations,
)
from discubot_pipeline.store.tables import outputs, source_configs, teams
from discubot_pipeline.store.vault import Vault

HOOK_BYTES = 18


class Configs:
    """Reads and makes the settings of teams; what it has read it keeps for as long as the rows are the same.

    With `recheck` it takes them for the same that long without asking.
    """

    def __init__(self, engine: sa.Engine, vault: Vault, recheck: timedelta = timedelta()) -> None:
        self._engine = engine
        self._vault = vault
        self._kept_sources = Cache[tuple[SourceConfig, ...]](recheck=recheck)
        self._kept_outputs = Cache[tuple[Output, ...]](recheck=recheck)

    def add_team(self, name: str, actor: str, **preferences: Any) -> Team:
        """Make a team; `exists` when the name is taken, `name` when it is not a name."""
        merge(preferences)
        row = self._insert(
            teams,
            {"name": name, "preferences": preferences, **by(actor)},
            team_violations(name),
        )
        return read_team(row)

    def team(self, name: str) -> Team:
        """Give a team by its name; `unknown_team` when there is none."""
        with single(self._engine) as connection:
            row = connection.execute(sa.select(teams).where(teams.c.name == name)).one_or_none()
        if row is None:
            raise Permanent("unknown_team", f"there is no team {name!r}: `discubot team list` shows those there are")
        return read_team(row)

    def team_of(self, id: UUID) -> Team:
        """Give a team by its id."""
        with single(self._engine) as connection:
            return read_team(connection.execute(sa.select(teams).where(teams.c.id == id)).one())

    def teams(self) -> list[Team]:
        """List all teams by name."""
        with single(self._engine) as connection:
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
        active: bool = True,
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
                "active": active,
                **by(actor),
            },
            source_violations(team.name, name),
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
        field_map: dict[str, str | None] | None = None,
        value_map: dict[str, dict[str, str]] | None = None,
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
                "field_map": field_map or {},
                "value_map": value_map or {},
                **by(actor),
            },
            output_violations(config.name, name),
        )
        return read_output(row, self._vault)

    def source(self, id: UUID) -> SourceConfig:
        """Give a source config by its id."""
        found = self._sources(id=id)
        if not found:
            raise Permanent("unknown_source", "this source config is gone: add the source again")
        return found[0]

    def by_hook(self, source: SourceType, hook: str) -> SourceConfig | None:
        """Give the source config that a webhook address stands for."""
        found = self._sources(source=source, hook=hook)
        return found[0] if found else None

    def at_hand(self, source: SourceType, hook: str) -> SourceConfig | None:
        """Give the source config of a webhook address if nothing need be read for it."""
        found = self._kept_sources.at_hand((("source", source), ("hook", hook)))
        return found[0] if found else None

    def sources(self, source: SourceType | None = None, team_id: UUID | None = None) -> list[SourceConfig]:
        """List source configs, of one kind or one team where that is named."""
        wanted = {"source": source, "team_id": team_id}
        return list(self._sources(**{name: value for name, value in wanted.items() if value}))

    def outputs(self, config: SourceConfig) -> list[Output]:
        """List the outputs of a source config, the default first."""
        o = outputs.c
        where = (o.source_config_id == config.id) & (o.team_id == config.team_id)
        stamp = sa.select(o.id, o.version, o.updated_at).where(where).order_by(o.id)
        rows = sa.select(outputs).where(where).order_by(o.is_default.desc(), o.name)
        load = self._all(rows, lambda row: read_output(row, self._vault))
        return list(self._kept_outputs.get((config.id, config.team_id), self._all(stamp, tuple), load))

    def forget(self) -> None:
        """Look at all rows again, whatever `recheck` says: something has just been changed here."""
        self._kept_sources.clear()
        self._kept_outputs.clear()

    def _sources(self, **wanted: Any) -> tuple[SourceConfig, ...]:
        """Give the source configs whose columns have the wanted values."""
        s, t = source_configs.c, teams.c
        where = [s[name] == value for name, value in wanted.items()]
        stamp = (
            sa.select(s.id, s.version, s.updated_at, t.version, t.updated_at).join(teams).where(*where).order_by(s.id)
        )
        rows = sa.select(source_configs, *of_team()).join(teams).where(*where).order_by(t.name, s.name)
        load = self._all(rows, lambda row: read_source(row, self._vault))
        return self._kept_sources.get(tuple(wanted.items()), self._all(stamp, tuple), load)

    def _all(self, query: sa.Select[Any], read: Callable[[Any], Any]) -> Callable[[], tuple[Any, ...]]:
        def rows() -> tuple[Any, ...]:
            with single(self._engine) as connection:
                return tuple(read(row) for row in connection.execute(query))

        return rows

    def _insert(self, table: sa.Table, values: dict[str, Any], violations: Violations) -> Any:
        try:
            with single(self._engine) as connection:
                return connection.execute(sa.insert(table).values(values).returning(table)).one()
        except sa.exc.IntegrityError as error:
            raise refused(error, violations) from error
