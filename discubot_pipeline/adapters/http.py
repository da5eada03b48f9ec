"""The one HTTP client of the adapters: time-outs, pacing, and status codes told apart by what a retry may do."""

import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx2 as httpx

from discubot_pipeline.domain.errors import PipelineError, Transient, Unanswered
from discubot_pipeline.domain.meters import tally

CONNECT_SECONDS = 5.0
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
NOT_SAVED = frozenset({429, 529})
Pace = Callable[[], None]
Refusal = Callable[[httpx.Response], PipelineError | None]
"""Reads a 429 or 529 whose body says more than its status; None leaves it at `rate_limited`."""


def no_pace() -> None:
    """Let every call through at once."""


def no_refusal(_: httpx.Response) -> None:
    """Read nothing more into a refusal than its status says."""


class Spaced:
    """A pace of at most so many calls a minute, evenly spread, for one process."""

    def __init__(self, per_minute: float) -> None:
        self._spacing = 60 / per_minute
        self._free_at = 0.0

    def __call__(self) -> None:
        """Wait until the next call may be made."""
        now = time.monotonic()
        time.sleep(max(0.0, self._free_at - now))
        self._free_at = max(now, self._free_at) + self._spacing


class Service:
    """A connection to one service with one credential. Use as a context manager, or call `close`.

    `patience` is how many seconds to wait for an answer, `refusal` reads more into a 429 than its status says.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: dict[str, str],
        pace: Pace = no_pace,
        refusal: Refusal = no_refusal,
        patience: float = 20.0,
    ) -> None:
        self.name = name
        self.url = base_url
        self._pace = pace
        self._refusal = refusal
        timeout = httpx.Timeout(patience, connect=CONNECT_SECONDS)
        self._client = httpx.Client(
            base_url=base_url, headers=headers, timeout=timeout, trust_env=not is_local(base_url), verify=tls()
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request and give its answer, whatever its status but 429 and 529.

        Raises Transient when it was refused for now (`rate_limited` with the service's Retry-After) or never arrived,
        Unanswered when it may have been carried out.
        """
        self._pace()
        began, status = time.monotonic(), "no_answer"
        try:
            response = self._client.request(
                method, path, json=json, content=content, headers=headers, data=data, params=params
            )
            status = str(response.status_code)
        except NEVER_SENT as error:
            status = "unreachable"
            raise Transient("unreachable", f"{self.name} cannot be reached: {error}") from error
        except httpx.TransportError as error:
            # The kind alone: a protocol error quotes the header that it does not like, and the token with it.
            kind = type(error).__name__
            raise Unanswered("no_answer", f"{self.name} did not answer {method} {path}: {kind}") from None
        finally:
            tally.call(time.monotonic() - began, self.name, status)
        if response.status_code in NOT_SAVED:
            refused = Transient("rate_limited", f"{self.name} asks for a pause", retry_after(response))
            raise self._refusal(response) or refused
        return response

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@cache
def tls() -> ssl.SSLContext:
    """Give the certificates that are trusted, read once a process: that takes longer than many a request."""
    return httpx.create_ssl_context()


def is_local(url: str) -> bool:
    """Tell this machine's own addresses, which a proxy of the environment must never be asked for."""
    host = httpx.URL(url).host
    return host in ("localhost", "::1") or host.startswith("127.")


def retry_after(response: httpx.Response) -> timedelta | None:
    """Read Retry-After in seconds; None when it is absent or no number."""
    try:
        return timedelta(seconds=float(response.headers["retry-after"]))
    except (KeyError, ValueError, OverflowError):
        return None
