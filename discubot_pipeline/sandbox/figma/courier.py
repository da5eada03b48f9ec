"""Delivers requests to the receiver with the sender's own schedule of retries. Fed by webhooks and by Mailgun."""

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass

import httpx2

from discubot_pipeline.sandbox.wire import Json

TIMEOUT = 10.0
AT_ONCE = 16
KEPT = 5_000


@dataclass(frozen=True)
class Parcel:
    """A request, what it is about, when it is tried again, and the statuses after which it is not."""

    about: str
    url: str
    headers: dict[str, str]
    body: bytes
    retry_delays: tuple[float, ...]
    final: tuple[int, ...]


@dataclass(frozen=True)
class Attempt:
    """One try to deliver; `status` is null when no answer came."""

    about: str
    url: str
    attempt: int
    status: int | None
    at: float
    answer: str


class Courier:
    """Runs one task per parcel on the server's loop."""

    def __init__(self) -> None:
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._client = httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT)

    @property
    def pending(self) -> int:
        """Count the parcels that are being delivered or wait for a retry."""
        return len(self._tasks)

    def send(self, parcel: Parcel) -> None:
        """Deliver a parcel in the background."""
        task = asyncio.get_running_loop().create_task(self._deliver(parcel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, parcel: Parcel) -> None:
        for number, delay in enumerate([0.0, *parcel.retry_delays]):
            await asyncio.sleep(delay)
            attempt = await self.attempt(parcel, number)
            if attempt.status in parcel.final:
                return

    async def attempt(self, parcel: Parcel, number: int = 0) -> Attempt:
        """Try once and note it."""
        async with self._room:
            status, answer, started = None, "", time.time()
            try:
                response = await self._client.post(parcel.url, content=parcel.body, headers=parcel.headers)
                status, answer = response.status_code, response.text[:500]
            except httpx2.HTTPError as error:
                answer = type(error).__name__
        made = Attempt(parcel.about, parcel.url, number, status, started, answer)
        self.attempts.append(made)
        return made

    def listed(self, about: str | None) -> list[Json]:
        """List the attempts, oldest first."""
        return [asdict(one) for one in self.attempts if about in (None, one.about)]

    def forget(self) -> None:
        """Drop what is known and what is on its way."""
        for task in self._tasks:
            task.cancel()
        self.attempts.clear()

    async def close(self) -> None:
        """Stop at shutdown."""
        self.forget()
        await self._client.aclose()
