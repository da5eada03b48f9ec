"""Sets up teams: what the command line and the REST API both call."""

from typing import Any

from discubot_pipeline.domain.changes import TeamChange, patched
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import merge
from discubot_pipeline.store.records import SourceRecord, Team
from discubot_pipeline.store.stores import Stores


def change(stores: Stores, team: Team, wanted: TeamChange, version: int, actor: str) -> Team:
    """Change a team's name or preferences; refused when one of its sources could not work with them."""
    columns: dict[str, Any] = wanted.given("name")
    preferences = team.preferences
    if wanted.preferences:
        preferences = columns["preferences"] = patched(team.preferences, wanted.preferences)
        for record in stores.changes.sources(team.id):
            check(record, preferences)
    columns |= wanted.key_for(merge(preferences))
    stores.changes.change_team(team, version, actor, **columns)
    return stores.configs.team_of(team.id)


def check(record: SourceRecord, preferences: dict[str, object]) -> None:
    """Refuse preferences of a team that do not hold below a source's own."""
    try:
        merge(preferences, record.own)
    except Permanent as error:
        raise Permanent(error.reason, f"source {record.config.name!r}: {error.message}") from error
