"""Discussions as imports read them, for the tests of operations."""

import json
from typing import Any


def line(thread: str = "t1", messages: int = 2, **more: Any) -> str:
    """Write one discussion as a line."""
    said = [
        {
            "id": f"m{number}",
            "author_id": f"U{number % 3}",
            "author_name": f"Person {number % 3}",
            "content": f"message {number} of {thread}",
            "sent_at": f"2026-03-02T09:{number % 60:02}:00Z",
        }
        for number in range(messages)
    ]
    return json.dumps({"thread": thread, "title": f"About {thread}", "messages": said} | more)


def lines(count: int, **more: Any) -> str:
    """Write many."""
    return "\n".join(line(f"t{number}", **more) for number in range(count))
