"""Control of the Notion stand-in: connections, people, databases, limits, and what people do to pages.
Mounted by app.
"""

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import Field

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.notion import endpoints, shapes, values
from discubot_pipeline.sandbox.notion.checks import Refusal
from discubot_pipeline.sandbox.notion.setup import UnknownType, add_database
from discubot_pipeline.sandbox.notion.state import Limits, Page, User, new_id, normal_id
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox/notion")
Count = Annotated[int, Field(ge=1)]


class NewIntegration(Strict):
    """A connection to make, with all capabilities or the named ones."""

    name: str = "Discubot"
    capabilities: set[str] | None = None


class NewUser(Strict):
    """A person to add."""

    name: str = Field(min_length=1)
    email: str | None = None


class NewDatabase(Strict):
    """A database to make; columns are `{"type": ..., "options": [...]}` or just the type."""

    tokens: list[str] = Field(min_length=1)
    title: str = "Tasks"
    title_property: str = "Name"
    properties: dict[str, Json | str] = Field(default_factory=dict)
    data_sources: int = Field(1, ge=1, le=10)


class Sharing(Strict):
    """The connections that see a database from now on."""

    tokens: list[str]


class LimitChange(Strict):
    """Limits to change; what is absent stays."""

    requests: Count | None = None
    window_seconds: Annotated[float, Field(gt=0)] | None = None
    query_lag_seconds: Annotated[float, Field(ge=0)] | None = None
    comment_lag_seconds: Annotated[float, Field(ge=0)] | None = None
    query_cap: Count | None = None


class PageChange(Strict):
    """What a person changes on a page: properties as the API takes them, or the trash flag."""

    properties: Json = Field(default_factory=dict)
    in_trash: bool | None = None


def page(world: World, id: str) -> Page:
    """Find a page or answer 404."""
    found = world.notion.pages.get(normal_id(id) or "")
    if found is None:
        raise HTTPException(404, f"no page {id}")
    return found


@router.post("/integrations")
async def connect(world: TheWorld, new: NewIntegration) -> Json:
    """Make a connection; returns its token."""
    made = world.notion.connect(new.name)
    if new.capabilities is not None:
        made.capabilities = frozenset(new.capabilities)
    return {"token": made.token, "bot_id": made.bot_id, "name": made.name}


@router.post("/users")
async def add_user(world: TheWorld, new: NewUser) -> Json:
    """Add a person."""
    made = User(new_id(), new.name, new.email)
    world.notion.users[made.id] = made
    return {"id": made.id, "name": made.name, "email": made.email}


@router.post("/databases")
async def make_database(world: TheWorld, new: NewDatabase) -> Json:
    """Make a database that is shared with the given tokens."""
    try:
        made = add_database(
            world.notion, new.title, set(new.tokens), title_property=new.title_property,
            columns=new.properties,
            data_sources=new.data_sources,
        )  # fmt: skip
    except UnknownType as problem:
        raise HTTPException(422, str(problem)) from problem
    sources = list(made.sources)
    return {
        "database_id": made.id, "data_source_id": sources[0], "data_source_ids": sources,
        "url": world.notion.url(made.id),
    }  # fmt: skip


@router.put("/databases/{id}/tokens")
async def share(world: TheWorld, id: str, sharing: Sharing) -> Json:
    """Say which connections see a database."""
    found = world.notion.databases.get(normal_id(id) or "")
    if found is None:
        raise HTTPException(404, f"no database {id}")
    found.tokens = set(sharing.tokens)
    return {"database_id": found.id, "tokens": sorted(found.tokens)}


@router.put("/limits")
async def limit(world: TheWorld, change: LimitChange) -> Json:
    """Change the rate, the lag of queries or their cap; starts new windows."""
    world.notion.limits = replace(world.notion.limits, **change.model_dump(exclude_none=True))
    for connection in world.notion.integrations.values():
        connection.window, connection.used = 0, 0
    return asdict(world.notion.limits)


@router.delete("/limits")
async def unlimit(world: TheWorld) -> Json:
    """Go back to Notion's own limits."""
    world.notion.limits = Limits()
    return asdict(world.notion.limits)


@router.get("/pages")
async def pages(world: TheWorld, database_id: str | None = None) -> Json:
    """List pages, oldest first, with plain values and counts of all their blocks."""
    wanted = normal_id(database_id) if database_id else None
    found = [p for p in world.notion.pages.values() if p.source_id]
    listed = [described(world, p) for p in found]
    return {"pages": [item for item in listed if wanted in (None, item["database_id"])]}


@router.get("/pages/{id}")
async def show(world: TheWorld, id: str) -> Json:
    """Return a page with all its blocks, nested ones too, as the API writes them."""
    found, state = page(world, id), world.notion
    blocks = [shapes.block(state, block, shapes.MIDDLE) for block in state.walk(found.children)]
    return described(world, found) | {"blocks": blocks}


def described(world: World, found: Page) -> Json:
    """Describe a row with plain values."""
    state = world.notion
    source = state.sources[found.source_id] if found.source_id else None
    columns = source.properties.values() if source else ()
    return {
        "id": found.id, "url": state.url(found.id), "title": values.title_of(state, found),
        "database_id": source.database_id if source else None, "data_source_id": found.source_id,
        "properties": {column.name: values.flat(state, column, found) for column in columns},
        "block_count": sum(1 for _ in state.walk(found.children)), "in_trash": found.in_trash,
        "created_at": found.created, "edited_at": found.edited, "created_by": found.by,
    }  # fmt: skip


@router.patch("/pages/{id}")
async def change(world: TheWorld, id: str, wanted: PageChange) -> Json:
    """Let a person change a page; what the API would refuse is refused here too."""
    found = page(world, id)
    person = next(user.id for user in world.notion.users.values() if not user.is_bot)
    try:
        endpoints.change(world.notion, found, {"properties": wanted.properties}, person)
    except Refusal as refusal:
        raise HTTPException(422, refusal.message) from refusal
    if wanted.in_trash is not None:
        found.in_trash = wanted.in_trash
    world.notion_announcer.announce(world.notion)
    return described(world, found)


@router.post("/pages/{id}/trash")
async def trash(world: TheWorld, id: str) -> Json:
    """Let a person put a page into the trash."""
    return await change(world, id, PageChange(in_trash=True))
