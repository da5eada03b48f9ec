"""Slack's Socket Mode through a real process: the same inbox, the same keys, an acknowledgement after the commit."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.outside import Adapters
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import inboxes, source_configs
from discubot_pipeline.store.vault import Vault
from discubot_pipeline.web.socket import Sockets
from discubot_pipeline.wiring import Services
from tests.conftest import Sandbox
from tests.store.samples import change
from tests.waiting import until

KEY = Fernet.generate_key().decode()
_teams = count(1)


@dataclass(frozen=True)
class Office:
    """A workspace whose app uses Socket Mode, its source, and the process that listens."""

    sandbox: Sandbox
    stores: Stores
    settings: Settings
    slack: dict[str, Any]
    config: SourceConfig

    @contextmanager
    def listening(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the process; after its end by SIGTERM no socket is left."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DISCUBOT_")}
        url = self.settings.database_url
        assert url is not None
        env = clean | {
            "DISCUBOT_HOME": str(self.settings.home),
            "DISCUBOT_DATABASE_URL": url.get_secret_value(),
            "DISCUBOT_SECRET_KEY": KEY,
            "DISCUBOT_SLACK_URL": f"{self.sandbox.url}/slack/api",
        }
        process = subprocess.Popen([sys.executable, "-m", "discubot_pipeline.web.socket"], env=env)
        try:
            until(lambda: self.sockets == 1, 30)
            yield process
        finally:
            process.terminate()
            assert process.wait(timeout=15) in (0, -signal.SIGKILL)
        until(lambda: self.sockets == 0)

    @property
    def home(self) -> str:
        """Give the path of the workspace's control."""
        return f"/slack/workspaces/{self.slack['team_id']}"

    @property
    def sockets(self) -> int:
        """Count the app's open sockets."""
        return int(self.sandbox.control("GET", f"{self.home}/sockets")["connections"])

    def say(self, text: str) -> dict[str, Any]:
        """Let a person say something to the bot."""
        user = self.slack["users"][0]["id"]
        said = {"team_id": self.slack["team_id"], "channel": self.slack["channel"], "user": user}
        words = {"text": f"<@{self.slack['bot_user_id']}> {text}"}
        posted: dict[str, Any] = self.sandbox.control("POST", "/slack/messages", said | words)
        return posted

    def attempts(self, event: str) -> list[str | None]:
        """Give what became of each attempt to deliver an event, None for success, once it is over."""

        def done() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self.sandbox.control("GET", f"/slack/deliveries?event_id={event}")[
                "deliveries"
            ]
            return found if found and found[-1]["status"] == 200 else None

        return [one["reason"] for one in until(done, 30)]

    @property
    def rows(self) -> list[Any]:
        """Read the inbox."""
        with self.stores.engine.connect() as connection:
            return list(connection.execute(sa.select(inboxes[SourceType.SLACK]).order_by(sa.column("id"))))


@pytest.fixture
def office(sandbox: Sandbox, engine: sa.Engine, settings: Settings) -> Office:
    """Make a workspace, and a source with its tokens."""
    stores = open_stores(engine, Vault(KEY))
    made = sandbox.control("POST", "/slack/workspaces", {"name": f"Office {next(_teams)}", "socket_mode": True})
    home = f"/slack/workspaces/{made['team_id']}"
    sandbox.control("POST", f"{home}/users", {"name": "anna", "real_name": "Anna"})
    slack = sandbox.control("PATCH", home, {"retry_delays": [0, 0.2, 0.2]})
    secrets = {name: SecretStr(slack[name]) for name in ("signing_secret", "bot_token", "app_token")}
    team, workspace = stores.configs.add_team("acme", "test"), slack["team_id"]
    own = SlackCredentials(**secrets)
    config = stores.configs.add_source(team, SourceType.SLACK, "slack", own, "test", workspace=workspace)
    return Office(sandbox, stores, settings, slack, config)


def test_a_mention_is_stored_and_acknowledged(office: Office) -> None:
    """One row, as the webhook would have made it."""
    with office.listening():
        said = office.say("fix it")
        assert office.attempts(said["event_id"]) == [None]
        [row] = office.rows
        assert (row.status, row.thread_id) == ("pending", f"{office.slack['channel']}:{said['ts']}")
        assert (row.delivery_key, row.payload["text"]) == (said["event_id"], f"<@{office.slack['bot_user_id']}> fix it")


def test_slack_may_replace_and_cut_the_connection(office: Office) -> None:
    """Told to, the process connects anew; cut off, it does so by itself. Nothing is lost."""
    with office.listening():
        for how in ({"reason": "refresh_requested"}, {"close": True}):
            office.sandbox.control("POST", f"{office.home}/disconnect", how)
            until(lambda: office.sockets == 1, 30)
            assert office.attempts(office.say("fix it")["event_id"])[-1] is None
    assert [row.status for row in office.rows] == ["pending", "pending"]


def test_an_event_that_cannot_be_stored_is_not_acknowledged(office: Office) -> None:
    """While the inbox is locked nothing is acknowledged; the event comes again and is stored once."""
    with office.listening():
        with office.stores.engine.begin() as connection:
            connection.execute(sa.text("LOCK TABLE discubot.inbox_slack IN ACCESS EXCLUSIVE MODE"))
            said = office.say("fix it")
            path = f"/slack/deliveries?event_id={said['event_id']}"
            until(lambda: office.sandbox.control("GET", path)["deliveries"], 15)
        assert office.attempts(said["event_id"])[0] == "timeout"
    assert [row.status for row in office.rows] == ["pending"]


def test_a_token_that_slack_refuses_is_left_alone_for_a_while(office: Office) -> None:
    """Slack allows a few tries a minute: another look does not ask again."""
    own = office.config.credentials
    assert isinstance(own, SlackCredentials)
    wrong = own.model_copy(update={"app_token": SecretStr("xapp-refused")})
    office.stores.changes.change_source(office.config, office.config.version, "test", wrong)
    settings = office.settings.model_copy(update={"slack_url": f"{office.sandbox.url}/slack/api"})
    services = Services(
        settings, office.stores.engine, office.stores, Adapters(settings, office.stores.engine, office.stores.limits)
    )
    sockets = Sockets(services)
    for _ in range(3):
        sockets.refresh()
    sockets.close()
    calls = office.sandbox.control("GET", "/log?service=slack")["calls"]
    assert [call["path"] for call in calls if call["token"] == "used"] == ["/apps.connections.open"]


def test_other_workspaces_and_paused_sources_are_as_at_the_webhook(office: Office) -> None:
    """The workspace is checked, and what comes for a paused source is held."""
    table = source_configs
    with office.listening():
        change(office.stores.engine, table, table.c.id == office.config.id, workspace="T_OTHER")
        office.attempts(office.say("fix it")["event_id"])
        change(office.stores.engine, table, table.c.id == office.config.id, workspace=None, active=False)
        office.attempts(office.say("fix that")["event_id"])
    assert [(row.status, row.reason) for row in office.rows] == [("ignored", "unknown_workspace"), ("held", "paused")]
