"""The composition root: the only place that builds. Lazy: importing it opens nothing and reads no environment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.domain.redaction import Redaction
from discubot_pipeline.outside import Adapters
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.vault import Vault, key_file
from discubot_pipeline.tracking.recorder import Recorder

if TYPE_CHECKING:
    from discubot_pipeline.tracking.feed import Feed
    from discubot_pipeline.tracking.instance import Instance
    from discubot_pipeline.tracking.jobs import JobStore

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """Everything that a process works with."""

    settings: Settings
    engine: sa.Engine
    stores: Stores
    outside: Adapters
    _making: RLock = field(default_factory=RLock, repr=False, compare=False)

    @cached_property
    def jobs(self) -> "JobStore":
        """Give what reads jobs; Dagster is imported, and its storage opened, when somebody asks."""
        from discubot_pipeline.tracking.describe import Addresses
        from discubot_pipeline.tracking.jobs import JobStore

        addresses = Addresses(f"{self.settings.receiver_url}/api", self.settings.web_url)
        return JobStore(self._instance, self.stores.dossiers, addresses)

    @cached_property
    def feed(self) -> "Feed":
        """Give what tells of jobs while it happens; it begins to listen with the first who does."""
        from discubot_pipeline.tracking.feed import Feed

        return self._once("feed", lambda: Feed(self._instance, self.stores.dossiers, self.settings.listen_url))

    @cached_property
    def _instance(self) -> "Instance":
        from discubot_pipeline.tracking.instance import Instance

        return self._once("_instance", lambda: Instance(self.settings.home, self.settings.dagster_url))

    def recorder(
        self,
        project: str,
        metadata: dict[str, Any] | None = None,
        team: str | None = None,
        run_id: str | None = None,
    ) -> Recorder:
        """Open an execution whose steps anybody may record; with a run's id, record the steps of that run."""
        return Recorder(self.stores.executions, self.stores.steps, project, metadata, team, run_id)

    @cached_property
    def dagster(self) -> DagsterWeb:
        """Give the connection to Dagster's web server, which starts and stops jobs."""
        return DagsterWeb(self.settings.web_url)

    def hang_up(self) -> None:
        """End it for all who listen to jobs."""
        feed = self.__dict__.get("feed")
        if feed is not None:
            feed.close()

    def close(self) -> None:
        """Give back all connections that were made."""
        self.hang_up()
        made = (self.__dict__.get(name) for name in ("jobs", "dagster"))
        for opened in (*made, self.outside):
            if opened is not None:
                opened.close()
        self.engine.dispose()

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Make something once, also when several threads ask first: from Python 3.12 on `cached_property` does not."""
        with self._making:
            made: T = self.__dict__[name] if name in self.__dict__ else make()
            self.__dict__[name] = made
            return made


def build(settings: Settings, pool_size: int = 5, recheck: timedelta = timedelta()) -> Services:
    """Build the services of a process; connections are made when first used.

    For `recheck` it takes settings for unchanged without asking the database.
    """
    engine = connect(settings.sqlalchemy_url, pool_size)
    keys = settings.secret_key.get_secret_value() if settings.secret_key else key_file(settings.home)
    stores = open_stores(engine, Vault(keys), recheck, Redaction(settings.redacted))
    return Services(settings, engine, stores, Adapters(settings, engine, stores.limits))


@cache
def shared() -> Services:
    """Give the services of this process, built from the environment at the first call."""
    return build(Settings())
