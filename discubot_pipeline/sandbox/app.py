"""The FastAPI app that serves all stand-ins, their control API and the page. Started by __main__ and by
tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from discubot_pipeline.sandbox import control
from discubot_pipeline.sandbox.gate import call_of
from discubot_pipeline.sandbox.models import control as models_control
from discubot_pipeline.sandbox.models.state import PATHS as MODEL_PATHS
from discubot_pipeline.sandbox.notion import control as notion_control
from discubot_pipeline.sandbox.notion import reader
from discubot_pipeline.sandbox.notion import signals as notion_signals
from discubot_pipeline.sandbox.notion.state import normal_id
from discubot_pipeline.sandbox.slack import control as slack_control
from discubot_pipeline.sandbox.slack import sending as slack_sending
from discubot_pipeline.sandbox.wire import Json, Socket
from discubot_pipeline.sandbox.world import World

# A new service is a folder like slack/, and an entry here, in World.services and in faults.ServiceName.
PREFIXES = {"slack": "/slack/api", "notion": "/notion/v1"} | MODEL_PATHS
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PAGE = Path(__file__).parent / "page"
FILES = {"": "index.html"} | {name: name for name in ("style.css", "app.js", "draw.js", "document.js", "icon.svg")}


def create_app(base_url: str, links: dict[str, str] | None = None) -> ASGIApp:
    """Build the app; `base_url` is where it will be reached, since pages carry their own address."""
    app = FastAPI(title="Sandbox", lifespan=_lifespan)
    app.state.world = World(base_url.rstrip("/"), links or {})
    parts = (control, slack_control, slack_sending, notion_control, notion_signals, models_control)
    for part in parts:
        app.include_router(part.router)
    for service, prefix in PREFIXES.items():
        app.add_api_route(prefix + "/{path:path}", _door(service), methods=VERBS, include_in_schema=False)
    app.add_api_websocket_route("/slack/socket", socket)
    app.add_api_route("/healthz", health)
    app.add_api_route("/p/{id}", show_page, response_class=HTMLResponse)
    app.add_api_route("/archives/{channel}/{message}", show_message)
    app.add_api_route("/{name}", asset, include_in_schema=False)
    app.add_api_route("/", asset, include_in_schema=False)
    return Socket(app)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.world.courier.close()
    await app.state.world.notion_courier.close()


def _door(service: str) -> Callable[[Request, str], Awaitable[Response]]:
    async def door(request: Request, path: str) -> Response:
        world: World = request.app.state.world
        return await world.gate.admit(world.services[service], await call_of(request, service, f"/{path}"))

    return door


async def health() -> Json:
    """Tell that the sandbox is ready."""
    return {"status": "ok"}


async def socket(socket: WebSocket) -> None:
    """Hold a connection of Slack's Socket Mode."""
    world: World = socket.app.state.world
    await world.courier.sockets.serve(socket)


async def show_page(world: control.TheWorld, id: str) -> HTMLResponse:
    """Show a page or database of Notion as HTML."""
    known = normal_id(id) or ""
    if known in world.notion.databases:
        return HTMLResponse(reader.database(world.notion, world.notion.databases[known]))
    if known not in world.notion.pages:
        raise HTTPException(404, "no such page")
    return HTMLResponse(reader.page(world.notion, world.notion.pages[known]))


async def show_message(world: control.TheWorld, channel: str, message: str) -> RedirectResponse:
    """Lead a message's link to its place on the page."""
    homes = (w.team_id for w in world.slack.workspaces.values() if channel in w.channels)
    return RedirectResponse(f"/?{urlencode({'team_id': next(homes, ''), 'channel': channel})}#{quote(message)}")


async def asset(name: str = "") -> FileResponse:
    """Serve the page and its files."""
    if name not in FILES:
        raise HTTPException(404)
    return FileResponse(PAGE / FILES[name], headers={"cache-control": "no-cache"})
