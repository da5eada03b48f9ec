"""A worker as the broker knows it."""

import socket
import time
from dataclasses import dataclass, field

from discubot_pipeline.warm.process import Identity


@dataclass
class Hand:
    """A worker of ours. `client` waits to hear that it has begun the run."""

    identity: Identity
    channel: socket.socket
    run_id: str | None = None
    client: socket.socket | None = None
    resting_since: float = field(default_factory=time.monotonic)
    unread: bytes = b""
