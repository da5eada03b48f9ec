"""The receiver's log: one JSON object a line, with the fields that are meant for it."""

import json
import logging
import sys
from typing import Any

from discubot_pipeline.web.__main__ import JsonLines


def line(message: str, **extra: Any) -> Any:
    """Write a record and read the line."""
    record = logging.LogRecord("n", logging.WARNING, __file__, 1, message, (), None)
    record.__dict__ |= extra
    text = JsonLines().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_has_the_event_and_its_ids() -> None:
    """Fields without a value are left out, and so is whatever else hangs on a record."""
    written = line("webhook_refused", source="slack", delivery=None, reason="signature", payload="secret words")
    assert written.pop("at")
    assert written == {"level": "warning", "event": "webhook_refused", "source": "slack", "reason": "signature"}


def test_an_error_has_its_trace_on_the_same_line() -> None:
    """Line breaks of a traceback do not break the line."""
    try:
        raise ValueError("two\nlines")
    except ValueError:
        written = line("boom", exc_info=sys.exc_info())
    assert "ValueError: two\nlines" in written["error"]
