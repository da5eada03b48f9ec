"""Slack's Socket Mode: one connection for one app, kept open by Slack's own client. Used by `web/socket.py`.

Facts: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient

from discubot_pipeline.adapters.http import is_local
from discubot_pipeline.adapters.slackdoor import BASE_URL
from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient

Take = Callable[[bytes], bool]
"""Takes the body that a webhook would have; true when it is stored, or never will be, and Slack may forget it."""
AWAY = (OSError, SlackClientError)

logger = logging.getLogger(__name__)


def app_token(config: SourceConfig) -> str | None:
    """Give the app-level token of a source, None where its events come by webhook alone."""
    own = config.credentials
    token = own.app_token if isinstance(own, SlackCredentials) else None
    return (token.get_secret_value().strip() or None) if token else None


class SlackSocket:
    """An open connection; the client behind it replaces it when Slack asks for that, or when it is lost."""

    def __init__(self, token: str, take: Take, base_url: str = BASE_URL) -> None:
        address = base_url.rstrip("/") + "/"
        web = WebClient(base_url=address, retry_handlers=[])
        self._client = SocketModeClient(app_token=token, web_client=web)
        self._take = take
        if is_local(address):
            web.proxy = self._client.proxy = None
        self._client.socket_mode_request_listeners.append(self._hear)

    def open(self) -> None:
        """Connect. Raises Transient or Permanent when Slack does not let us in."""
        try:
            self._client.connect()
        except SlackApiError as error:
            raise _refusal(str(error.response.get("error"))) from None
        except AWAY as error:
            raise Transient("unreachable", f"Slack cannot be reached: {type(error).__name__}") from None

    @property
    def is_open(self) -> bool:
        """Tell whether events can arrive."""
        return bool(self._client.is_connected())

    def close(self) -> None:
        """Take no more events; what is being taken is finished."""
        self._client.close()

    def _hear(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Take one envelope and acknowledge it; one that could not be stored Slack sends again."""
        payload: Any = request.payload
        if request.type == "events_api" and not self._take(json.dumps(payload).encode()):
            return
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


def _refusal(code: str) -> PipelineError:
    if code in {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited"}:
        return Transient(code, "Slack gives no connection for now.")
    return Permanent(code, "Slack refuses the app-level token: enter one (xapp-…) with the scope connections:write.")
