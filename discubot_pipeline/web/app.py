"""The receiver: webhooks, the REST API and health, on FastAPI. Started by `discubot up`."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from discubot_pipeline import __version__
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.store.engine import is_up
from discubot_pipeline.web import (
    completions,
    discussions,
    events,
    executions,
    hooks,
    inbox,
    jobs,
    metrics,
    operations,
    outputs,
    people,
    problems,
    settings,
    stats,
    tasks,
)
from discubot_pipeline.wiring import Services


def create_app(services: Services) -> FastAPI:
    """Build the app around the services of its process."""
    app = FastAPI(title="discubot-pipeline", version=__version__, openapi_url="/api/openapi.json", docs_url="/api/docs")
    app.state.services = services
    for error in (PipelineError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error, problems.answer)
    app.state.metrics = metrics.Metrics(services)
    app.add_middleware(metrics.Measured, metrics=app.state.metrics)
    for part in (
        hooks,
        metrics,
        inbox,
        jobs,
        events,
        operations,
        executions,
        discussions,
        tasks,
        stats,
        settings,
        outputs,
        people,
        completions,
    ):
        app.include_router(part.router)

    @app.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        """Say that the process is alive."""
        return "ok"

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """Say whether webhooks can be stored right now."""
        up = is_up(services.engine)
        return JSONResponse({"database": "up" if up else "down"}, 200 if up else 503)

    return app
