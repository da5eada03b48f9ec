"""Runs the receiver in the foreground: `python -m discubot_pipeline.web`."""

import asyncio
import json
import logging
import socket
import sys
from datetime import timedelta

import uvicorn

from discubot_pipeline.settings import Settings
from discubot_pipeline.web.app import create_app
from discubot_pipeline.web.files import open_many
from discubot_pipeline.wiring import Services, build

RECHECK = timedelta(seconds=1)
"""How long the receiver may not notice that a source was changed: no webhook asks for its settings in between."""
NOT_STARTED = 3
FIELDS = ("source", "delivery", "reason", "config", "mark")


class JsonLines(logging.Formatter):
    """One JSON object a line: a constant event name and ids, never a payload."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Server(uvicorn.Server):
    """Ends the streams of events when it is told to stop: it would wait for their clients."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the requests under way, and stop."""
        await asyncio.to_thread(self._services.hang_up)
        await super().shutdown(sockets)


def main() -> None:
    """Serve until SIGTERM; requests under way are answered first."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    open_many()
    settings = Settings()
    services = build(settings, pool_size=20, recheck=RECHECK)
    config = uvicorn.Config(
        create_app(services),
        host=settings.host,
        port=settings.receiver_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = Server(config, services)
    server.run()
    if not server.started:
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main()
