"""Slack's events by Socket Mode, for machines that the internet cannot reach: `python -m discubot_pipeline.web.socket`.

A second door to the same inbox: an event is read as the webhook's would be, and acknowledged when it is committed.
"""

import logging
import signal
import sys
import threading
import time
from functools import partial
from typing import NamedTuple
from uuid import UUID

from discubot_pipeline.adapters.slacksocket import SlackSocket, app_token
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.settings import Settings
from discubot_pipeline.web.__main__ import JsonLines
from discubot_pipeline.web.hooks import keep
from discubot_pipeline.wiring import Services, build

LOOK_SECONDS = 5.0
REFUSED_SECONDS = 60.0
"""Between two tries after Slack has refused: it allows a few a minute."""
logger = logging.getLogger(__name__)


class Post(NamedTuple):
    """Whose events come over a connection: a source's, with an app-level token."""

    config: UUID
    token: str


class Sockets:
    """One connection for each active Slack source that has an app-level token."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[Post, SlackSocket] = {}
        self._not_before: dict[Post, float] = {}

    def refresh(self) -> None:
        """Open what is missing, close what is not wanted any more. One that cannot be opened is tried again."""
        try:
            wanted = set(posts(self._services))
        except PipelineError as error:
            logger.warning("socket_sources_unknown", extra={"reason": error.reason})
            return
        for post in self._open.keys() - wanted:
            self._close(post)
        for post in wanted - self._open.keys():
            if time.monotonic() >= self._not_before.get(post, 0.0):
                self._connect(post)

    def close(self) -> None:
        """Close all connections."""
        for post in list(self._open):
            self._close(post)

    def _connect(self, post: Post) -> None:
        socket = SlackSocket(post.token, partial(take, post.config, self._services), self._services.settings.slack_url)
        try:
            socket.open()
        except PipelineError as error:
            logger.warning("socket_refused", extra={"reason": error.reason, "config": str(post.config)})
            socket.close()
            self._not_before[post] = time.monotonic() + (REFUSED_SECONDS if isinstance(error, Permanent) else 0)
            return
        self._open[post] = socket
        logger.info("socket_open", extra={"source": SourceType.SLACK, "config": str(post.config)})

    def _close(self, post: Post) -> None:
        self._open.pop(post).close()
        logger.info("socket_closed", extra={"source": SourceType.SLACK, "config": str(post.config)})


def posts(services: Services) -> list[Post]:
    """List the connections that are wanted: paused sources are listened to as well, for their rows are held."""
    configs = services.stores.configs.sources(SourceType.SLACK)
    return [Post(config.id, token) for config in configs if (token := app_token(config))]


def take(config_id: UUID, services: Services, body: bytes) -> bool:
    """Store an event; true when Slack may forget it: stored, or no better the next time."""
    where = {"source": SourceType.SLACK, "config": str(config_id)}
    try:
        config = services.stores.configs.source(config_id)
        opened = services.outside.door(SourceType.SLACK).open(config, {}, body)
        if isinstance(opened, Arrival):
            keep(config, opened, services)
    except Permanent as error:
        logger.warning("webhook_refused", extra=where | {"reason": error.reason})
    except PipelineError as error:
        logger.warning("socket_not_stored", extra=where | {"reason": error.reason})
        return False
    return True


def main() -> None:
    """Listen until SIGTERM; what is being stored is stored first."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sockets = Sockets(build(Settings(), pool_size=10))
    try:
        sockets.refresh()
        while not stop.wait(LOOK_SECONDS):
            sockets.refresh()
    finally:
        sockets.close()


if __name__ == "__main__":
    main()
