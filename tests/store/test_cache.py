"""Values are kept for as long as their rows are the same, whoever changes them."""

from datetime import timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials, Output, SourceConfig
from discubot_pipeline.store.cache import Cache
from discubot_pipeline.store.configs import Configs
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import outputs, source_configs, teams
from discubot_pipeline.store.vault import Vault
from tests.store.samples import change


class Shop:
    """A value with a stamp, a clock, and counts of who asked for what."""

    def __init__(self, recheck: float = 0) -> None:
        self.now, self.stamp, self.checks, self.loads = 0.0, 1, 0, 0
        self.cache = Cache[int](timedelta(seconds=60), timedelta(seconds=recheck), lambda: self.now)

    def get(self) -> int:
        """Ask for the value."""
        return self.cache.get("key", self._check, self._load)

    def _check(self) -> int:
        self.checks += 1
        return self.stamp

    def _load(self) -> int:
        self.loads += 1
        return self.loads


class TestCache:
    """The cache by itself."""

    def test_what_has_not_changed_is_not_loaded_again(self) -> None:
        """Each use looks at the stamp only."""
        shop = Shop()
        assert [shop.get() for _ in range(3)] == [1, 1, 1]
        assert (shop.checks, shop.loads) == (3, 1)

    def test_a_change_is_seen_at_once(self) -> None:
        """Another stamp, another value."""
        shop = Shop()
        shop.get()
        shop.stamp = 2
        assert shop.get() == 2

    def test_within_the_recheck_nothing_is_asked(self) -> None:
        """And at its end the change is seen."""
        shop = Shop(recheck=1)
        shop.get()
        shop.stamp, shop.now = 2, 0.9
        assert (shop.get(), shop.checks) == (1, 1)
        shop.now = 1.0
        assert shop.get() == 2

    def test_a_value_gets_old(self) -> None:
        """What changed without a stamp is seen after a while."""
        shop = Shop()
        shop.get()
        shop.now = 59.9
        assert shop.get() == 1
        shop.now = 60
        assert shop.get() == 2

    def test_nothing_is_not_kept(self) -> None:
        """What is not there yet is looked for each time, and takes no room."""
        shop = Shop()
        shop.stamp = 0
        assert [shop.get(), shop.get()] == [1, 2]


def queries(engine: sa.Engine) -> list[str]:
    """Note the queries of an engine from now on."""
    seen: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


class TestConfigs:
    """The settings of teams."""

    def test_another_process_changes_a_row(
        self, stores: Stores, vault: Vault, engine: sa.Engine, slack_config: SourceConfig, output: Output
    ) -> None:
        """Each of team, source and output is seen to have changed, by stores that share nothing but the database."""
        here = open_stores(engine, vault).configs
        assert (here.source(slack_config.id), here.outputs(slack_config)) == (slack_config, [output])
        change(engine, teams, preferences={"max_tasks": 4}, version=2)
        assert here.source(slack_config.id).preferences.max_tasks == 4
        change(engine, source_configs, active=False)
        assert here.by_hook(slack_config.source, slack_config.hook) == here.source(slack_config.id)
        assert here.source(slack_config.id).active is False
        change(engine, outputs, is_default=False)
        assert here.outputs(slack_config)[0].is_default is False
        stores.configs.add_output(slack_config, "new", "db-2", NotionCredentials(token=SecretStr("n")), "test")
        assert len(here.outputs(slack_config)) == 2

    def test_what_is_removed_is_gone(self, stores: Stores, slack_config: SourceConfig) -> None:
        """A removed source is unknown at once."""
        assert stores.configs.by_hook(slack_config.source, slack_config.hook) == slack_config
        stores.changes.remove_source(slack_config.id, slack_config.team_id, 1)
        assert stores.configs.by_hook(slack_config.source, slack_config.hook) is None

    def test_credentials_are_opened_once(self, engine: sa.Engine, vault: Vault, slack_config: SourceConfig) -> None:
        """With the row unchanged not even the key is needed any more."""
        here = Configs(engine, vault)
        here.source(slack_config.id)
        here._vault = Vault(Fernet.generate_key().decode())
        assert here.source(slack_config.id) == slack_config

    def test_the_receiver_asks_once_a_second(self, engine: sa.Engine, vault: Vault, slack_config: SourceConfig) -> None:
        """A hundred webhooks at once cost two queries."""
        here = Configs(engine, vault, recheck=timedelta(seconds=60))
        seen = queries(engine)
        for _ in range(100):
            assert here.by_hook(slack_config.source, slack_config.hook) == slack_config
        assert len([query for query in seen if "source_configs" in query]) == 2
