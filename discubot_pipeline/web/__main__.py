"""Runs the receiver in the foreground: `python -m discubot_pipeline.web`."""

import json
import logging
import sys
from datetime import timedelta

import uvicorn

from discubot_pipeline.settings import Settings
from discubot_pipeline.web.app import create_app
from discubot_pipeline.wiring import build

RECHECK = timedelta(seconds=1)
"""How long the receiver may not notice that a source was changed: no webhook asks for its settings in between."""
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


def main() -> None:
    """Serve until SIGTERM; requests under way are answered first."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    settings = Settings()
    app = create_app(build(settings, pool_size=20, recheck=RECHECK))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.receiver_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
