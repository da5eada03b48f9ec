"""Delivers signed events to those who subscribed, with retries. Fed by the announcer and by control."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import OrderedDict, deque
from dataclasses import asdict, dataclass, field
from typing import Literal

import httpx2

from discubot_pipeline.sandbox.notion.state import new_id
from discubot_pipeline.sandbox.wire import Json

TIMEOUT = 10.0
AT_ONCE = 16
KEPT = 20_000
RETRY_DELAYS = (1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)
TYPES = ("comment.created", "page.properties_updated")
Signature = Literal["valid", "bad", "garbage", "missing"]
FORGED = {"bad": "sha256=" + "0" * 64, "garbage": "\u00a0not-a-signature"}


@dataclass
class Subscription:
    """An address that a connection's events go to, once its owner has entered the token that was sent there.

    `names_discussions` adds a comment's discussion to its event, which Notion does not document.
    """

    id: str
    token: str
    url: str
    verification_token: str
    types: tuple[str, ...] = TYPES
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    names_discussions: bool = False
    is_verified: bool = False


@dataclass(frozen=True)
class Attempt:
    """One try to deliver; `status` is null when no answer came."""

    event_id: str
    subscription_id: str
    type: str
    attempt: int
    status: int | None
    at: float
    seconds: float
    answer: str


@dataclass
class Courier:
    """Runs one task per event on the server's loop; at most AT_ONCE requests are open at a time."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=KEPT))
    envelopes: OrderedDict[str, Json] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._client = httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT)

    @property
    def pending(self) -> int:
        """Count the events that are being delivered or wait for a retry."""
        return len(self._tasks)

    def subscribe(self, token: str, url: str) -> Subscription:
        """Enter an address for a connection's events, with a token of its own."""
        made = Subscription(new_id(), token, url, f"secret_{new_id().replace('-', '')}")
        self.subscriptions[made.id] = made
        return made

    async def greet(self, subscription: Subscription) -> Attempt:
        """Send the verification token, the one request that is not signed."""
        body = {"verification_token": subscription.verification_token}
        return await self.attempt(subscription, json.dumps(body).encode(), {"type": "handshake"}, signature="missing")

    def send(self, subscription: Subscription, envelope: Json) -> str:
        """Deliver an event in the background on the subscription's schedule; returns its id."""
        id = str(envelope.get("id", ""))
        self.envelopes[id] = envelope
        while len(self.envelopes) > KEPT:
            self.envelopes.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._deliver(subscription, envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return id

    async def _deliver(self, subscription: Subscription, envelope: Json) -> None:
        for number, delay in enumerate([0.0, *subscription.retry_delays], 1):
            await asyncio.sleep(delay)
            numbered = envelope | {"attempt_number": number}
            attempt = await self.attempt(subscription, json.dumps(numbered).encode(), numbered, number=number)
            if attempt.status is not None and 200 <= attempt.status < 300:
                return

    async def attempt(
        self, subscription: Subscription, body: bytes, envelope: Json, *, number: int = 1,
        signature: Signature = "valid",
    ) -> Attempt:  # fmt: skip
        """Try once and note it."""
        headers = signed(subscription.verification_token, body, signature)
        async with self._room:
            started = time.time()
            response = await self._post(subscription.url, body, headers)
        attempt = Attempt(
            str(envelope.get("id", "")), subscription.id, str(envelope.get("type", "")), number,
            response.status_code if response is not None else None, started, time.time() - started,
            response.text[:500] if response is not None else "",
        )  # fmt: skip
        self.attempts.append(attempt)
        return attempt

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response | None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            return await self._client.post(url, content=body, headers=raw)
        except httpx2.HTTPError:
            return None

    def listed(self, event_id: str | None = None) -> list[Json]:
        """List the attempts, oldest first."""
        return [asdict(a) for a in self.attempts if event_id in (None, a.event_id)]

    def forget(self) -> None:
        """Drop what is known, who subscribed, and what is on its way."""
        for task in self._tasks:
            task.cancel()
        self.subscriptions.clear()
        self.attempts.clear()
        self.envelopes.clear()

    async def close(self) -> None:
        """Stop at shutdown."""
        self.forget()
        await self._client.aclose()


def signed(secret: str, body: bytes, signature: Signature = "valid") -> dict[str, str]:
    """Make the headers of a request to the receiver, sound or broken in the way asked for."""
    headers = {"User-Agent": "notion-api", "Content-Type": "application/json"}
    if signature == "missing":
        return headers
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return headers | {"X-Notion-Signature": FORGED.get(signature, f"sha256={digest}")}
