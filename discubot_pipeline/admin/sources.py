"""Sets up sources: what the command line and the REST API both call."""

from typing import Any

from pydantic import SecretStr

from discubot_pipeline.domain.changes import Held, NewSource, SourceChange, credentials_of, patched
from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import merge
from discubot_pipeline.store.records import SourceRecord, Team
from discubot_pipeline.store.stores import Stores

TRIES = 5


def add(stores: Stores, team: Team, new: NewSource, actor: str) -> SourceRecord:
    """Connect a source; `exists` when the team has one of that name."""
    made = stores.configs.add_source(
        team,
        new.source,
        new.name or new.source.value,
        credentials_of(new.source, new.credentials),
        actor,
        workspace=new.workspace,
        preferences=patched({}, new.preferences, team.preferences),
        active=new.active,
    )
    return stores.changes.source(made.id, made.team_id)


def put(stores: Stores, team: Team, new: NewSource, actor: str) -> SourceRecord:
    """Connect a source, or change the one of that name to what is wanted, whoever else does so at the same time."""
    for _ in range(TRIES):
        try:
            known = find(stores, team, new.name or new.source.value)
            if known is None:
                return add(stores, team, new, actor)
            return change(stores, known, replacing(known, new), known.version, actor)
        except Permanent as error:
            if error.reason not in {"exists", "conflict", "not_found"}:
                raise
    raise Permanent("conflict", "others keep changing this source: look again")


def replacing(known: SourceRecord, new: NewSource) -> SourceChange:
    """Write a new source as a change of the one that there is."""
    if known.config.source is not new.source:
        raise Permanent("kind", f"source {known.config.name!r} is of the kind {known.config.source}: use another name")
    return SourceChange(**new.given("workspace", "credentials", "preferences"))


def change(stores: Stores, record: SourceRecord, wanted: SourceChange, version: int, actor: str) -> SourceRecord:
    """Change a source; what is not named stays."""
    config = record.config
    columns: dict[str, Any] = {name: value for name, value in wanted.given("name").items() if value}
    columns |= wanted.given("workspace")
    below, own = stores.configs.team_of(config.team_id).preferences, record.own
    if wanted.preferences:
        own = columns["preferences"] = patched(record.own, wanted.preferences, below)
    columns |= wanted.key_for(merge(below, own))
    secrets = credentials_of(config.source, wanted.credentials, config.credentials) if wanted.credentials else None
    stores.changes.change_source(record.config, version, actor, secrets, **columns)
    return stores.changes.source(config.id, config.team_id)


def pause(stores: Stores, record: SourceRecord, version: int, actor: str) -> SourceRecord:
    """Hold what arrives from now on; what has arrived is still worked on."""
    stores.changes.change_source(record.config, version, actor, active=False)
    return stores.changes.source(record.id, record.config.team_id)


def resume(stores: Stores, record: SourceRecord, held: Held | None, version: int, actor: str) -> SourceRecord:
    """Work on what arrives again, and release or drop what was held, in one step."""
    with stores.together():
        stores.changes.change_source(record.config, version, actor, active=True)
        count = stores.held.count(record.config)
        if count and held is None:
            raise Permanent("held", f"{count} deliveries are held: say whether to release or to drop them")
        if held:
            settle(stores, record.config, held, actor)
    return stores.changes.source(record.id, record.config.team_id)


def settle(stores: Stores, config: SourceConfig, held: Held, actor: str, ids: list[int] | None = None) -> int:
    """Release or drop deliveries that are held, all or some; gives how many there were."""
    move = stores.held.release if held == "release" else stores.held.drop
    return move(config, actor, ids)


def rotate(stores: Stores, record: SourceRecord, version: int, actor: str) -> SourceRecord:
    """Give a source a new webhook address."""
    stores.changes.rotate_hook(record, version, actor)
    return stores.changes.source(record.id, record.config.team_id)


def find(stores: Stores, team: Team, name: str) -> SourceRecord | None:
    """Find a team's source by its name."""
    return next((record for record in stores.changes.sources(team.id) if record.config.name == name), None)


def reveal_token(stores: Stores, record: SourceRecord, actor: str) -> SecretStr:
    """Give the verification token that Notion brought, once."""
    own = notion_of(record)
    if own.signing_secret is None or not own.is_unseen:
        again = "; to let Notion send it again: discubot source token --forget" if own.signing_secret else ""
        raise Permanent("not_yet", f"there is no token to show: {own.handshake}{again}")
    stores.changes.change_source(record.config, record.version, actor, own.reveal())
    return own.signing_secret


def forget_token(stores: Stores, record: SourceRecord, actor: str) -> None:
    """Give the verification token up: the next one that Notion brings is taken."""
    stores.changes.change_source(record.config, record.version, actor, notion_of(record).forget())


def notion_of(record: SourceRecord) -> NotionSourceCredentials:
    """Give the secrets of a Notion source."""
    if not isinstance(record.config.credentials, NotionSourceCredentials):
        raise Permanent("kind", f"source {record.config.name!r} is none of Notion's: it has no verification token")
    return record.config.credentials
