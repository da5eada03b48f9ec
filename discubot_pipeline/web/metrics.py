"""`/metrics` for Prometheus: what the receiver measures itself, and what the database knows of all processes."""

import hmac
import time
from collections.abc import Iterable
from contextlib import suppress
from math import inf
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from discubot_pipeline import __version__
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.store.timing import pool_use, watch
from discubot_pipeline.store.vault import metrics_token
from discubot_pipeline.web.auth import scheme
from discubot_pipeline.web.figures import families, is_up, pool_family
from discubot_pipeline.web.hooks import services_of
from discubot_pipeline.wiring import Services

router = APIRouter()
FRESH_SECONDS = 5.0
"""How old the database's figures may be: however many ask, it is asked no more often."""
QUERY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
HOOKS = "/hooks/"


class Facts(Collector):
    """The figures that stand in the database, for all processes and across restarts."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = Lock()
        self._read_at = -inf
        self._read: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """Give them as they were at most five seconds ago; when the database does not answer, only that it does not."""
        with self._reading:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                self._read = self._ask()
                self._read_at = time.monotonic()
            return [*self._read, pool_family(pool_use(self._services.engine))]

    def _ask(self) -> list[Metric]:
        stores = self._services.stores
        try:
            return families(stores.backlog.read(), stores.meters.read())
        except PipelineError:
            return [is_up(False)]


class Metrics:
    """All that the receiver of one process shows."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.webhooks = Histogram(
            "discubot_webhook_seconds", "Webhooks by source and outcome, and how long their answer took.",
            ["source", "outcome"], registry=self.registry,
        )  # fmt: skip
        queries = Histogram(
            "discubot_query_seconds", "Queries of the receiver.",
            ["statement"], registry=self.registry, buckets=QUERY_BUCKETS,
        )  # fmt: skip
        errors = Counter(
            "discubot_query_errors", "Queries and connections of the receiver that failed.",
            ["statement"], registry=self.registry,
        )  # fmt: skip

        def seen(verb: str, seconds: float, is_failed: bool) -> None:
            queries.labels(verb).observe(seconds)
            if is_failed:
                errors.labels(verb).inc()

        watch(services.engine, seen)
        Info("discubot", "The version that runs.", registry=self.registry).info({"version": __version__})
        ProcessCollector(registry=self.registry)
        self.registry.register(Facts(services))


class Measured:
    """The app, with each webhook measured from its first byte to the end of its answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].startswith(HOOKS):
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            told = scope.get("state", {}).get("outcome")
            labels = (source_of(scope["path"]), told or outcome_of(status))
            self._metrics.webhooks.labels(*labels).observe(time.monotonic() - began)


def source_of(path: str) -> str:
    """Name the source that a path asks for, if there is such a one: a label takes no words of strangers."""
    with suppress(ValueError):
        return SourceType(path.removeprefix(HOOKS).partition("/")[0]).value
    return "unknown"


def outcome_of(status: int) -> str:
    """Say what a status means for a webhook that was not stored."""
    match status:
        case 503:
            return "unavailable"
        case _ if status >= 500:
            return "failed"
        case _ if status >= 400:
            return "refused"
        case _:
            return "answered"


def reader_of(
    services: Annotated[Services, Depends(services_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)],
) -> None:
    """Let nobody read but who has the token for it."""
    own = services.settings.metrics_token
    wanted = own.get_secret_value() if own else metrics_token(services.settings.home)
    shown = credentials.credentials if credentials else ""
    if not hmac.compare_digest(shown.encode(), wanted.encode()):
        raise Permanent("unauthorized", "send `Authorization: Bearer …` with DISCUBOT_METRICS_TOKEN or metrics.token")


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(reader_of)])
def metrics(request: Request) -> Response:
    """Show all figures, in the format that is asked for."""
    measured: Metrics = request.app.state.metrics
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(measured.registry), media_type=kind)
