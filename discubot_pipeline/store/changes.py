"""Changes to teams, sources and outputs. Each names the version it was made from; a lost update is a `conflict`."""

import secrets
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.config import CREDENTIALS, Credentials, ModelCredentials, NotionCredentials, SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.hook import HookCredentials
from discubot_pipeline.store.configs import HOOK_BYTES
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.records import (
    OutputRecord,
    SourceRecord,
    Team,
    Violations,
    audit_of,
    of_team,
    output_violations,
    read_output,
    read_source,
    refused,
    source_violations,
    team_violations,
)
from discubot_pipeline.store.tables import hooks, outputs, source_configs, teams
from discubot_pipeline.store.vault import Vault

WORDS = {"teams": "team", "source_configs": "source", "outputs": "output"}
SEALED = (
    (teams, teams.c.model_credentials),
    (source_configs, source_configs.c.model_credentials),
    (source_configs, source_configs.c.credentials),
    (outputs, outputs.c.credentials),
    (hooks, hooks.c.credentials),
)
"""Everything that the vault has sealed."""


class Changes:
    """Reads rows with what is needed to change them, and changes them."""

    def __init__(self, engine: sa.Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def sources(self, team_id: UUID) -> list[SourceRecord]:
        """List the sources of a team by name."""
        return self._sources(source_configs.c.team_id == team_id)

    def source(self, id: UUID, team_id: UUID) -> SourceRecord:
        """Give a source of a team; `not_found` for another team's."""
        found = self._sources(source_configs.c.id == id, source_configs.c.team_id == team_id)
        if not found:
            raise missing(source_configs, id)
        return found[0]

    def outputs(self, team_id: UUID) -> list[OutputRecord]:
        """List the outputs of a team by source and name."""
        return self._outputs(outputs.c.team_id == team_id)

    def output(self, id: UUID, team_id: UUID) -> OutputRecord:
        """Give an output of a team; `not_found` for another team's."""
        found = self._outputs(outputs.c.id == id, outputs.c.team_id == team_id)
        if not found:
            raise missing(outputs, id)
        return found[0]

    def change_team(self, team: Team, version: int, actor: str, **columns: Any) -> None:
        """Change a team; `model_credentials` among the columns are sealed."""
        violations = team_violations(columns.get("name", team.name))
        self._update(teams, teams.c.id == team.id, team.id, version, actor, columns, violations)

    def change_source(
        self, config: SourceConfig, version: int, actor: str, credentials: Credentials | None = None, **columns: Any
    ) -> None:
        """Change a source; of its credentials all are replaced, and `model_credentials` are sealed too."""
        where = (source_configs.c.id == config.id) & (source_configs.c.team_id == config.team_id)
        violations = source_violations(config.team_name, columns.get("name", config.name))
        columns |= {"credentials": credentials} if credentials else {}
        self._update(source_configs, where, config.id, version, actor, columns, violations)

    def rotate_hook(self, record: SourceRecord, version: int, actor: str) -> None:
        """Give a source a new webhook address; the old one is unknown from then on."""
        self.change_source(record.config, version, actor, hook=secrets.token_urlsafe(HOOK_BYTES))

    def change_output(
        self, record: OutputRecord, version: int, actor: str, credentials: Credentials | None = None, **columns: Any
    ) -> None:
        """Change an output."""
        output = record.output
        where = (outputs.c.id == output.id) & (outputs.c.team_id == output.team_id)
        violations = output_violations(record.source_name, columns.get("name", output.name))
        columns |= {"credentials": credentials} if credentials else {}
        self._update(outputs, where, output.id, version, actor, columns, violations)

    def undefault(self, source_config_id: UUID, actor: str) -> None:
        """Let a source have no default output, so that another can become it."""
        o = outputs.c
        change = sa.update(outputs).where(o.source_config_id == source_config_id, o.is_default)
        with single(self._engine) as connection:
            connection.execute(change.values(is_default=False, version=o.version + 1, updated_by=actor))

    def remove_team(self, id: UUID, version: int) -> None:
        """Remove a team with all it has."""
        self._delete(teams, teams.c.id == id, id, version)

    def remove_source(self, id: UUID, team_id: UUID, version: int) -> None:
        """Remove a source with its outputs, deliveries and people; discussions and tasks stay."""
        s = source_configs.c
        self._delete(source_configs, (s.id == id) & (s.team_id == team_id), id, version)

    def remove_output(self, id: UUID, team_id: UUID, version: int) -> None:
        """Remove an output; its tasks stay."""
        self._delete(outputs, (outputs.c.id == id) & (outputs.c.team_id == team_id), id, version)

    def reseal(self) -> int:
        """Seal all credentials with the newest key; gives how many there were."""
        count = 0
        with transaction(self._engine) as connection:
            for table, column in SEALED:
                for row in connection.execute(sa.select(table).where(column.is_not(None)).with_for_update()).all():
                    sealed = self._vault.seal(self._vault.open(kind_of(column, row), getattr(row, column.name)))
                    connection.execute(sa.update(table).where(table.c.id == row.id).values({column: sealed}))
                    count += 1
        return count

    def _sources(self, *where: sa.ColumnElement[bool]) -> list[SourceRecord]:
        order = (teams.c.name, source_configs.c.name)
        rows = sa.select(source_configs, *of_team()).join(teams).where(*where).order_by(*order)
        with single(self._engine) as connection:
            return [
                SourceRecord(config=read_source(row, self._vault), own=row.preferences, **audit_of(row))
                for row in connection.execute(rows)
            ]

    def _outputs(self, *where: sa.ColumnElement[bool]) -> list[OutputRecord]:
        source = source_configs.c.name.label("source_name")
        rows = sa.select(outputs, source).join(source_configs).where(*where).order_by(source, outputs.c.name)
        with single(self._engine) as connection:
            return [
                OutputRecord(output=read_output(row, self._vault), source_name=row.source_name, **audit_of(row))
                for row in connection.execute(rows)
            ]

    def _update(
        self,
        table: sa.Table,
        where: sa.ColumnElement[bool],
        id: UUID,
        version: int,
        actor: str,
        columns: dict[str, Any],
        violations: Violations,
    ) -> None:
        sealed = {name: self._vault.seal(each) for name, each in columns.items() if isinstance(each, Credentials)}
        newer = {**columns, **sealed, "version": table.c.version + 1, "updated_by": actor}
        change = sa.update(table).where(where, table.c.version == version).values(newer)
        try:
            with transaction(self._engine) as connection:
                if not connection.execute(change).rowcount:
                    raise self._lost(connection, table, where, id)
        except sa.exc.IntegrityError as error:
            raise refused(error, violations) from error

    def _delete(self, table: sa.Table, where: sa.ColumnElement[bool], id: UUID, version: int) -> None:
        with transaction(self._engine) as connection:
            if not connection.execute(sa.delete(table).where(where, table.c.version == version)).rowcount:
                raise self._lost(connection, table, where, id)

    def _lost(self, connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], id: UUID) -> Permanent:
        version = connection.execute(sa.select(table.c.version).where(where)).scalar()
        if version is None:
            return missing(table, id)
        word = WORDS[table.name]
        return Permanent("conflict", f"somebody has changed this {word}: it has version {version} now, look again")


def missing(table: sa.Table, id: UUID) -> Permanent:
    """Say that a row is not there, or not this team's."""
    return Permanent("not_found", f"there is no {WORDS[table.name]} {id}")


def kind_of(column: sa.Column[Any], row: Any) -> type[Credentials]:
    """Say what a row has sealed in a column."""
    if column.name == "model_credentials":
        return ModelCredentials
    if column.table is hooks:
        return HookCredentials
    return NotionCredentials if column.table is outputs else CREDENTIALS[row.source]
