"""Teams, sources and outputs: names are unique where they must be, hooks cannot be guessed, secrets stay sealed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.configs import Configs
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import outputs, source_configs, teams
from discubot_pipeline.store.vault import Vault
from tests.store.samples import GENERIC, SLACK, change, rows

CREDENTIALS = SlackCredentials(signing_secret=SecretStr("s3cret"), bot_token=SecretStr("xoxb-other"))
NOTION = NotionCredentials(token=SecretStr("ntn_other"))


class TestTeams:
    """Teams by name."""

    def test_a_team_is_found_by_its_name(self, stores: Stores, engine: sa.Engine) -> None:
        """Name and preferences come back; the row says who made it."""
        made = stores.configs.add_team("acme", "anna", max_tasks=3)
        assert stores.configs.team("acme") == made
        assert made.preferences == {"max_tasks": 3}
        [row] = rows(engine, teams)
        assert (row.created_by, row.updated_by) == ("anna", "anna")

    def test_teams_are_listed_by_name(self, stores: Stores) -> None:
        """The list is sorted."""
        for name in ("b", "c", "a"):
            stores.configs.add_team(name, "test")
        assert [team.name for team in stores.configs.teams()] == ["a", "b", "c"]

    def test_a_name_is_given_once(self, stores: Stores) -> None:
        """A second team of the same name is refused in words for people."""
        stores.configs.add_team("acme", "test")
        with pytest.raises(Permanent, match="there is a team 'acme' already") as refused:
            stores.configs.add_team("acme", "test")
        assert refused.value.reason == "exists"

    @pytest.mark.parametrize("name", ["", "Acme", "a b", "-a", "é", "a" * 64, "a\n", "a\0b c"])
    def test_a_name_is_a_word(self, stores: Stores, name: str) -> None:
        """Names end up in tags and addresses: lower-case letters, digits, dashes."""
        with pytest.raises(Permanent, match="lower-case letters, digits and dashes"):
            stores.configs.add_team(name, "test")

    def test_an_unknown_team_names_the_way_to_those_there_are(self, stores: Stores) -> None:
        """The message says which command lists them."""
        with pytest.raises(Permanent, match="discubot team list"):
            stores.configs.team("nobody")

    @pytest.mark.parametrize("wrong", [{"max_tasks": 0}, {"colour": "red"}, {"time_zone": "Mars/Olympus"}])
    def test_preferences_are_checked_before_they_are_stored(self, stores: Stores, wrong: dict[str, Any]) -> None:
        """A value that no run could work with never gets into a row."""
        with pytest.raises(Permanent, match=next(iter(wrong))):
            stores.configs.add_team("acme", "test", **wrong)
        assert stores.configs.teams() == []


class TestSources:
    """Source configs of a team."""

    def test_a_source_comes_back_whole(self, stores: Stores, slack_config: SourceConfig) -> None:
        """By id, by hook and in the lists it is the same value, secrets included."""
        assert stores.configs.source(slack_config.id) == slack_config
        assert stores.configs.by_hook(SLACK, slack_config.hook) == slack_config
        assert stores.configs.sources() == stores.configs.sources(SLACK, slack_config.team_id) == [slack_config]
        assert stores.configs.sources(GENERIC) == stores.configs.sources(None, uuid4()) == []

    def test_defaults_lie_below_the_team_and_the_team_below_the_source(self, stores: Stores) -> None:
        """What a source says wins over its team, and that over the defaults."""
        team = stores.configs.add_team("acme", "test", max_tasks=3, time_zone="Europe/Amsterdam")
        source = stores.configs.add_source(team, SLACK, "slack", CREDENTIALS, "test", preferences={"max_tasks": 7})
        found = source.preferences
        assert (found.max_tasks, found.time_zone, found.ai_enabled) == (7, "Europe/Amsterdam", True)

    def test_hooks_cannot_be_guessed(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Each source has an address of its own, long and without a pattern."""
        team = stores.configs.team("acme")
        hooks = {
            stores.configs.add_source(team, SLACK, f"slack-{number}", CREDENTIALS, "test").hook for number in range(50)
        }
        assert len(hooks) == 50
        assert all(len(hook) == 24 for hook in hooks), "144 random bits"
        assert max(len(set(column)) for column in zip(*hooks, strict=True)) > 20

    @pytest.mark.parametrize("hook", ["", "nothing", "a\0b", "é", "'; DROP TABLE teams; --", "x" * 10_000])
    def test_an_unknown_hook_is_nobodys(self, stores: Stores, slack_config: SourceConfig, hook: str) -> None:
        """Whatever stands in a path is looked up as it is."""
        assert stores.configs.by_hook(SLACK, hook) is None

    def test_a_hook_is_of_its_source(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Slack's address does not open another source's door."""
        assert stores.configs.by_hook(GENERIC, slack_config.hook) is None

    def test_a_source_name_is_given_once_a_team(self, stores: Stores, slack_config: SourceConfig) -> None:
        """Another team may have a source of the same name, the same one not."""
        with pytest.raises(Permanent, match="exists"):
            stores.configs.add_source(stores.configs.team("acme"), GENERIC, "slack", CREDENTIALS, "test")
        other = stores.configs.add_team("other", "test")
        assert stores.configs.add_source(other, SLACK, "slack", CREDENTIALS, "test").team_name == "other"

    def test_a_source_that_is_gone_says_so(self, stores: Stores) -> None:
        """A run whose source was removed fails with what to do."""
        with pytest.raises(Permanent, match="unknown_source"):
            stores.configs.source(uuid4())


class TestOutputs:
    """Outputs of a source config."""

    def test_the_default_comes_first(self, stores: Stores, slack_config: SourceConfig, output: Output) -> None:
        """Outputs are listed with the default in front, then by name."""
        design = stores.configs.add_output(slack_config, "design", "db-2", NOTION, "test", domains=("ux", "ui"))
        assert stores.configs.outputs(slack_config) == [output, design]

    @pytest.mark.parametrize(("name", "is_default"), [("tasks", False), ("other", True)])
    def test_there_is_one_of_a_name_and_one_default(
        self, stores: Stores, slack_config: SourceConfig, output: Output, name: str, is_default: bool
    ) -> None:
        """A second output of the name, and a second default, are refused; the message says which it is."""
        with pytest.raises(Permanent, match="default" if is_default else "output 'tasks'") as refused:
            stores.configs.add_output(slack_config, name, "db-2", NOTION, "test", is_default=is_default)
        assert refused.value.reason == "exists"

    def test_a_default_that_is_switched_off_makes_room(
        self, stores: Stores, slack_config: SourceConfig, output: Output, engine: sa.Engine
    ) -> None:
        """Only one active default is allowed, inactive ones are not counted."""
        change(engine, outputs, active=False)
        stores.configs.add_output(slack_config, "next", "db-2", NOTION, "test", is_default=True)
        assert [one.active for one in stores.configs.outputs(slack_config)] == [True, False]

    def test_outputs_are_of_their_team(self, stores: Stores, slack_config: SourceConfig, output: Output) -> None:
        """A config that claims to be another team's sees no outputs."""
        assert stores.configs.outputs(slack_config.model_copy(update={"team_id": uuid4()})) == []


class TestSecrets:
    """What must never be seen."""

    def test_no_secret_shows_in_what_is_printed(self, slack_config: SourceConfig, output: Output) -> None:
        """A config in a log line or an error has no token in it."""
        for text in (repr(slack_config), str(slack_config), slack_config.model_dump_json(), repr(output)):
            for secret in ("s3cret", "xoxb-test", "ntn_test"):
                assert secret not in text

    def test_no_secret_is_in_a_row(self, slack_config: SourceConfig, output: Output, engine: sa.Engine) -> None:
        """What stands in the database is sealed."""
        text = repr([*rows(engine, source_configs), *rows(engine, outputs)])
        for secret in ("s3cret", "xoxb-test", "ntn_test"):
            assert secret not in text

    def test_a_lost_key_says_so(self, engine: sa.Engine, slack_config: SourceConfig) -> None:
        """With another key nothing is read, and the message says where the old one belongs."""
        stranger = Configs(engine, Vault(Fernet.generate_key().decode()))
        with pytest.raises(Permanent, match="DISCUBOT_SECRET_KEY"):
            stranger.source(slack_config.id)


def test_an_address_that_was_looked_up_is_at_hand_for_a_while(
    engine: sa.Engine, vault: Vault, slack_config: SourceConfig
) -> None:
    """Nothing is read for it then; before, and after something was changed here, it has to be looked up."""
    configs = open_stores(engine, vault, timedelta(minutes=1)).configs
    hook = (slack_config.source, slack_config.hook)
    assert configs.at_hand(*hook) is None
    assert configs.by_hook(*hook) == configs.at_hand(*hook) == slack_config
    configs.forget()
    assert configs.at_hand(*hook) is None
