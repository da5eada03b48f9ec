"""Delivers signed events to the receiver, with Slack's timeout and retries. Fed by events and by control."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import OrderedDict, deque
from dataclasses import asdict, dataclass
from typing import Literal

import httpx2

from discubot_pipeline.sandbox.slack.sockets import Sockets
from discubot_pipeline.sandbox.slack.state import Workspace
from discubot_pipeline.sandbox.wire import Json

TIMEOUT = 3.0
AT_ONCE = 16
REDIRECTS = 2
KEPT = 20_000
Signature = Literal["valid", "stale", "future", "bad", "garbage", "missing"]
SHIFTS = {"stale": -600, "future": 600}
FORGED = {"bad": "v0=" + "0" * 64, "garbage": "\u00a0not-a-signature"}


@dataclass(frozen=True)
class Attempt:
    """One try to deliver; `status` is null when no answer came, `reason` is Slack's word for a failure."""

    event_id: str
    team_id: str
    type: str
    attempt: int
    status: int | None
    reason: str | None
    at: float
    seconds: float
    answer: str


def signed(secret: str, body: bytes, *, signature: Signature = "valid") -> dict[str, str]:
    """Make the headers of a request to the receiver, sound or broken in the way asked for."""
    stamp = str(int(time.time()) + SHIFTS.get(signature, 0))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", "Content-Type": "application/json",
        "Accept": "*/*",
    }  # fmt: skip
    if signature == "missing":
        return headers
    stamp = "soon" if signature == "garbage" else stamp
    return headers | {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": FORGED.get(signature, f"v0={digest}"),
    }


class Courier:
    """Runs one task per event on the server's loop; at most AT_ONCE requests are open at a time."""

    def __init__(self) -> None:
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.envelopes: OrderedDict[str, Json] = OrderedDict()
        self.sockets = Sockets()
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._client = httpx2.AsyncClient(trust_env=False, timeout=None)

    @property
    def pending(self) -> int:
        """Count the events that are being delivered or wait for a retry."""
        return len(self._tasks)

    def send(self, workspace: Workspace, envelope: Json) -> str:
        """Deliver an envelope in the background on the workspace's schedule; returns its event id."""
        id = str(envelope.get("event_id", ""))
        self._remember(id, envelope)
        task = asyncio.get_running_loop().create_task(self._deliver(workspace, envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return id

    def _remember(self, id: str, envelope: Json) -> None:
        self.envelopes[id] = envelope
        while len(self.envelopes) > KEPT:
            self.envelopes.popitem(last=False)

    async def _deliver(self, workspace: Workspace, envelope: Json) -> None:
        body = json.dumps(envelope).encode()
        headers: dict[str, str] = {}
        for number, delay in enumerate([0.0, *workspace.retry_delays]):
            await asyncio.sleep(delay)
            if workspace.socket_mode:
                attempt, stop = await self._offer(workspace, envelope, number)
            else:
                attempt, stop = await self.attempt(workspace, body, envelope, number=number, extra=headers)
            if stop:
                return
            headers = {
                "x-slack-retry-num": str(number + 1),
                "x-slack-retry-reason": attempt.reason or "unknown_error",
            }

    async def _offer(self, workspace: Workspace, envelope: Json, number: int) -> tuple[Attempt, bool]:
        """Try once over a socket and note it; true when it was acknowledged."""
        started = time.time()
        acked = await self.sockets.offer(workspace, envelope, number)
        reason = None if acked else "connection_failed" if acked is None else "timeout"
        attempt = Attempt(
            str(envelope.get("event_id", "")), workspace.team_id, _kind(envelope), number, 200 if acked else None,
            reason, started, time.time() - started, "ack" if acked else "",
        )  # fmt: skip
        self.attempts.append(attempt)
        return attempt, reason is None

    async def attempt(
        self, workspace: Workspace, body: bytes, envelope: Json, *, number: int = 0,
        signature: Signature = "valid", extra: dict[str, str] | None = None,
    ) -> tuple[Attempt, bool]:  # fmt: skip
        """Try once and note it; true when no further try is due."""
        async with self._room:
            headers = signed(workspace.signing_secret, body, signature=signature) | (extra or {})
            started = time.time()
            response, reason = await self._post(str(workspace.events_url), body, headers)
        attempt = Attempt(
            str(envelope.get("event_id", "")), workspace.team_id, _kind(envelope), number,
            response.status_code if response is not None else None, reason, started, time.time() - started,
            response.text[:500] if response is not None else "",
        )  # fmt: skip
        self.attempts.append(attempt)
        told_to_stop = response is not None and response.headers.get("x-slack-no-retry") == "1"
        return attempt, reason is None or told_to_stop

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[httpx2.Response | None, str | None]:
        raw = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await self._follow(url, body, raw)
        except TimeoutError:
            return None, "http_timeout"
        except httpx2.HTTPError:
            return None, "connection_failed"
        if response.status_code in (301, 302):
            return response, "too_many_redirects"
        return response, None if response.is_success else "http_error"

    async def _follow(self, url: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> httpx2.Response:
        response = await self._client.post(url, content=body, headers=headers)
        for _ in range(REDIRECTS):
            if response.status_code not in (301, 302) or "location" not in response.headers:
                break
            response = await self._client.post(
                response.url.join(response.headers["location"]), content=body, headers=headers
            )
        return response

    def listed(self, event_id: str | None = None) -> list[Json]:
        """List the attempts, oldest first."""
        return [asdict(a) for a in self.attempts if event_id in (None, a.event_id)]

    def forget(self) -> None:
        """Drop what is known and what is on its way."""
        for task in self._tasks:
            task.cancel()
        self.sockets.forget()
        self.attempts.clear()
        self.envelopes.clear()

    async def close(self) -> None:
        """Stop at shutdown."""
        self.forget()
        await self._client.aclose()


def _kind(envelope: Json) -> str:
    event = envelope.get("event")
    return str(event.get("type") if isinstance(event, dict) else envelope.get("type", ""))
