"""Completion hooks of teams: who is told when a job has ended. Their secrets are sealed."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.hook import Hook, HookCredentials
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.records import by, refused
from discubot_pipeline.store.tables import hooks
from discubot_pipeline.store.vault import Vault


class Hooks:
    """The hooks table."""

    def __init__(self, engine: sa.Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def add(self, team_id: UUID, name: str, credentials: HookCredentials, actor: str, **columns: Any) -> Hook:
        """Make a hook; `exists` when the team has one of that name."""
        row = {"team_id": team_id, "name": name, "credentials": self._vault.seal(credentials), **columns, **by(actor)}
        return self._write(sa.insert(hooks).values(row), name)

    def change(self, hook: Hook, columns: dict[str, Any], actor: str) -> Hook:
        """Change columns of a hook; `exists` when the team has another one of that name."""
        changed = sa.update(hooks).where(hooks.c.id == hook.id).values(columns | {"updated_by": actor})
        return self._write(changed, columns.get("name", hook.name))

    def of_team(self, team_id: UUID) -> list[Hook]:
        """List a team's hooks by name."""
        wanted = sa.select(hooks).where(hooks.c.team_id == team_id).order_by(hooks.c.name)
        with single(self._engine) as connection:
            return [self._read(row) for row in connection.execute(wanted)]

    def get(self, id: UUID, team_id: UUID | None = None) -> Hook:
        """Give a hook, of one team where a team is named; `not_found` when there is none."""
        where = [hooks.c.id == id, *([hooks.c.team_id == team_id] if team_id else [])]
        with single(self._engine) as connection:
            row = connection.execute(sa.select(hooks).where(*where)).one_or_none()
        if row is None:
            raise Permanent("not_found", f"there is no hook {id}")
        return self._read(row)

    def remove(self, id: UUID, team_id: UUID) -> None:
        """Remove a hook of a team with all that it was told, and was still to be told."""
        mine = (hooks.c.id == id, hooks.c.team_id == team_id)
        with single(self._engine) as connection:
            if not connection.execute(sa.delete(hooks).where(*mine)).rowcount:
                raise Permanent("not_found", f"there is no hook {id}")

    def _write(self, statement: sa.Insert | sa.Update, name: str) -> Hook:
        taken = {"uq_hooks_team_id_name": ("exists", f"there is a hook {name!r} already")}
        try:
            with single(self._engine) as connection:
                row = connection.execute(statement.returning(hooks)).one_or_none()
        except sa.exc.IntegrityError as error:
            raise refused(error, taken) from error
        if row is None:
            raise Permanent("not_found", f"there is no hook {name!r} any more")
        return self._read(row)

    def _read(self, row: Any) -> Hook:
        plain = {name: getattr(row, name) for name in Hook.model_fields}
        return Hook(**plain | {"credentials": self._vault.open(HookCredentials, row.credentials)})
