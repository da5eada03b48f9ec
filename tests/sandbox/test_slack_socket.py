"""Socket Mode of the stand-in of Slack, with the official client in front."""

from collections.abc import Iterator
from queue import Queue
from threading import Event
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from .harness import BOT, TEAM, Json, Sandbox, until

HELLO = f"<@{BOT}> hello"


class App:
    """An app that keeps what it hears, and acknowledges it unless told to be deaf."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.heard: Queue[Json] = Queue()
        self.deaf = Event()
        web = WebClient(base_url=f"{sandbox.url}/slack/api/", retry_handlers=[])
        web.proxy = None
        self.client = SocketModeClient(app_token=sandbox.defaults["slack"]["app_token"], web_client=web)
        self.client.proxy = None
        self.client.socket_mode_request_listeners.append(self.hear)

    def hear(self, client: Any, request: SocketModeRequest) -> None:
        """Take one envelope."""
        self.heard.put({"type": request.type, "retry": request.retry_attempt, "event": request.payload["event"]})
        if not self.deaf.is_set():
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[App]:
    """Connect an app."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"socket_mode": True, "retry_delays": [0]})
    app = App(sandbox)
    app.client.connect()
    yield app
    app.client.close()
    until(lambda: count(sandbox) == 0)


def count(sandbox: Sandbox) -> int:
    """Count the open sockets."""
    return int(sandbox.control("GET", f"/slack/workspaces/{TEAM}/sockets")["connections"])


def attempts(sandbox: Sandbox, wanted: int) -> list[Json]:
    """Wait until so many attempts are recorded."""

    def done() -> Any:
        found = sandbox.control("GET", "/slack/deliveries")
        return found["deliveries"] if found["pending"] == 0 and len(found["deliveries"]) >= wanted else None

    found: list[Json] = until(done)
    return found


def test_an_event_comes_by_socket_and_is_acknowledged(sandbox: Sandbox, app: App) -> None:
    """The envelope's payload is what the webhook would have been."""
    said = sandbox.say(HELLO)
    heard = app.heard.get(timeout=10)
    assert (heard["type"], heard["retry"], heard["event"]["ts"]) == ("events_api", 0, said["ts"])
    assert [(one["status"], one["reason"]) for one in attempts(sandbox, 1)] == [(200, None)]


def test_what_is_not_acknowledged_is_sent_again(sandbox: Sandbox, app: App) -> None:
    """After three seconds, with the number of the retry."""
    app.deaf.set()
    sandbox.say(HELLO)
    assert app.heard.get(timeout=10)["retry"] == 0
    app.deaf.clear()
    assert app.heard.get(timeout=10)["retry"] == 1
    assert [one["reason"] for one in attempts(sandbox, 2)] == ["timeout", None]


def test_nobody_there_is_a_failed_connection(sandbox: Sandbox) -> None:
    """Without a socket nothing is delivered, not even by the webhook."""
    settings = {"socket_mode": True, "retry_delays": [0], "events_url": "http://127.0.0.1:1/"}
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", settings)
    sandbox.say(HELLO)
    assert [one["reason"] for one in attempts(sandbox, 2)] == ["connection_failed"] * 2


def test_an_app_that_is_told_to_connects_anew(sandbox: Sandbox, app: App) -> None:
    """`disconnect` makes the client open another socket before the old one goes."""
    until(lambda: count(sandbox) == 1)
    assert sandbox.control("POST", f"/slack/workspaces/{TEAM}/disconnect", {})["connections"] == 1
    until(lambda: sandbox.control("GET", "/log?service=slack")["calls"][-1]["path"] == "/apps.connections.open")
    until(lambda: count(sandbox) == 1)
    sandbox.say(HELLO)
    assert app.heard.get(timeout=10)["event"]["text"] == HELLO


@pytest.mark.parametrize(("token", "error"), [("xapp-wrong", "invalid_auth"), ("bot", "not_allowed_token_type")])
def test_only_an_app_level_token_opens_a_socket(sandbox: Sandbox, token: str, error: str) -> None:
    """Neither a stranger's nor the bot's."""
    web = WebClient(base_url=f"{sandbox.url}/slack/api/", retry_handlers=[])
    web.proxy = None
    with pytest.raises(SlackApiError) as refused:
        web.apps_connections_open(app_token=sandbox.slack_token if token == "bot" else token)
    assert refused.value.response["error"] == error
