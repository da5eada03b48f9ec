"""Changes carry a version: of two at once one wins, the other is told; nobody reaches into another team."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.admin import sources
from discubot_pipeline.domain.changes import NewSource
from discubot_pipeline.domain.config import ModelCredentials, Output, SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import AnalystKind
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import discussions, inboxes, source_configs, teams
from discubot_pipeline.store.vault import Vault
from tests.store.samples import SLACK, arrival, parsed_of, rows


def test_of_two_changes_one_wins(stores: Stores, slack_config: SourceConfig) -> None:
    """Eight at once on one version: one is made, seven are told to look again."""
    record = stores.changes.source(slack_config.id, slack_config.team_id)

    def rename(number: int) -> str | None:
        try:
            stores.changes.change_source(record.config, 1, f"person {number}", name=f"name-{number}")
        except Permanent as error:
            return error.reason
        return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(rename, range(8)))
    assert sorted(map(str, results)) == ["None", *["conflict"] * 7]
    winner = results.index(None)
    changed = stores.changes.source(slack_config.id, slack_config.team_id)
    assert (changed.config.name, changed.version, changed.updated_by) == (f"name-{winner}", 2, f"person {winner}")


def test_upserts_at_once_are_one_source(stores: Stores, slack_config: SourceConfig) -> None:
    """Whoever comes second changes what the first has made."""
    team = stores.configs.team("acme")
    new = NewSource(source=SLACK, name="new", credentials={"signing_secret": "s", "bot_token": "b"})
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: sources.put(stores, team, new, "test").id, range(4)))
    assert len(set(made)) == 1


def test_another_teams_rows_are_not_there(stores: Stores, slack_config: SourceConfig, output: Output) -> None:
    """Neither read nor changed nor removed."""
    other = stores.configs.add_team("other", "test").id
    record = stores.changes.source(slack_config.id, slack_config.team_id)
    stolen = record.model_copy(update={"config": record.config.model_copy(update={"team_id": other})})
    for attempt in (
        lambda: stores.changes.source(slack_config.id, other),
        lambda: stores.changes.change_source(stolen.config, 1, "eve", name="x"),
        lambda: stores.changes.remove_source(slack_config.id, other, 1),
        lambda: stores.changes.output(output.id, other),
        lambda: stores.changes.remove_output(output.id, other, 1),
        lambda: stores.changes.source(uuid4(), slack_config.team_id),
    ):
        with pytest.raises(Permanent, match="not_found"):
            attempt()
    assert stores.changes.sources(other) == stores.changes.outputs(other) == []


def test_a_source_goes_and_its_discussions_stay(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """With the source go its deliveries; what was made of them is kept."""
    stores.inboxes[SLACK].store(slack_config, arrival())
    stores.discussions.open(parsed_of(slack_config), "run-1", ())
    stores.changes.remove_source(slack_config.id, slack_config.team_id, 1)
    assert rows(engine, source_configs) == rows(engine, inboxes[SLACK]) == []
    assert [row.source_config_id for row in rows(engine, discussions)] == [None]


def test_a_team_goes_with_all_it_has(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """Nothing of it stays behind."""
    stores.discussions.open(parsed_of(slack_config), "run-1", ())
    stores.changes.remove_team(slack_config.team_id, 1)
    assert [rows(engine, table) for table in (teams, source_configs, discussions)] == [[], [], []]


def test_credentials_are_sealed_anew(
    stores: Stores, vault: Vault, slack_config: SourceConfig, output: Output, engine: sa.Engine
) -> None:
    """After resealing the newest key is enough."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before = open_stores(engine, Vault(old))
    stores_of_both = open_stores(engine, Vault(f"{new},{old}"))
    with engine.begin() as connection:
        for table in (source_configs, teams):
            connection.execute(sa.delete(table))
    team = before.configs.add_team("acme", "test")
    made = before.configs.add_source(team, SLACK, "slack", slack_config.credentials, "test")
    before.configs.add_output(made, "tasks", "db-1", output.credentials, "test", is_default=True)
    key = ModelCredentials(analyst=AnalystKind.ANTHROPIC, api_key=SecretStr("sk-1"))
    before.changes.change_team(team, 1, "test", model_credentials=key)
    assert stores_of_both.changes.reseal() == 3
    alone = open_stores(engine, Vault(new)).configs
    assert (alone.source(made.id).credentials, alone.source(made.id).model_credentials) == (
        slack_config.credentials,
        key,
    )
    assert alone.outputs(made)[0].credentials == output.credentials


class TestHeld:
    """What waits for a person's word."""

    def test_without_auto_sync_everything_waits(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Deliveries are held for a person, and worked on when released."""
        record = stores.changes.source(slack_config.id, slack_config.team_id)
        stores.changes.change_source(record.config, 1, "test", preferences={"auto_sync": False})
        config = stores.configs.source(slack_config.id)
        id = stores.inboxes[SLACK].store(config, arrival()).id
        [held] = stores.held.of(config)
        assert (held.id, held.reason, stores.held.count(config)) == (id, "auto_sync", 1)
        assert stores.held.release(config, "anna", [id + 1]) == 0
        assert stores.held.release(config, "anna", [id]) == 1
        assert [each.id for each in stores.inboxes[SLACK].due(10)] == [id]

    def test_what_is_dropped_is_closed(self, stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
        """It is ignored, by whom is noted, and the same delivery is still a duplicate."""
        config = sources.pause(stores, stores.changes.source(slack_config.id, slack_config.team_id), 1, "anna").config
        stores.inboxes[SLACK].store(config, arrival())
        assert stores.held.drop(config, "anna") == 1
        [row] = rows(engine, inboxes[SLACK])
        assert (row.status, row.reason, row.updated_by) == (DeliveryStatus.IGNORED, "dropped", "anna")
        assert stores.inboxes[SLACK].store(config, arrival()).is_new is False

    def test_a_resume_that_was_not_noticed_yet_holds_nothing_back(
        self, stores: Stores, slack_config: SourceConfig
    ) -> None:
        """A receiver that still takes the source for paused asks the row before it holds anything."""
        record = stores.changes.source(slack_config.id, slack_config.team_id)
        paused = sources.pause(stores, record, 1, "anna")
        sources.resume(stores, paused, None, 2, "anna")
        stores.inboxes[SLACK].store(paused.config, arrival())
        assert (stores.held.count(paused.config), len(stores.inboxes[SLACK].due(10))) == (0, 1)
