"""What the launcher and the broker say to each other: one line of JSON each way over a Unix socket."""

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 20.0
"""Seconds for an answer: a broker that is reloading its code leaves callers waiting for a few."""


class BrokerAwayError(Exception):
    """Nobody answers on the broker's socket."""


def ask(path: Path, **question: Any) -> dict[str, Any]:
    """Ask the broker; BrokerAwayError when it does not answer or is about to stop."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(path))
            send(connection, question)
            with connection.makefile("rb") as answers:
                answer = answers.readline()
    except OSError as error:
        raise BrokerAwayError(f"the broker of warm runs does not answer on {path}: {error}") from error
    if not answer:
        raise BrokerAwayError(f"the broker of warm runs on {path} has ended without an answer")
    told: dict[str, Any] = json.loads(answer)
    if told.get("is_away"):
        raise BrokerAwayError(str(told["is_away"]))
    return told


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    connection.sendall(json.dumps(message).encode() + b"\n")


def reply(client: socket.socket, answer: dict[str, Any]) -> None:
    """Answer whoever asked, if they are still there."""
    with suppress(OSError):
        send(client, answer)
    client.close()
