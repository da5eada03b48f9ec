"""The sandbox's own API for tests and the page: reset, faults, outages, log, defaults. Mounted by app
under /sandbox.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from discubot_pipeline.sandbox import snapshot
from discubot_pipeline.sandbox.faults import Fault, ServiceName
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox")


async def world_of(request: Request) -> World:
    """Return the world of the server that got the request."""
    world: World = request.app.state.world
    return world


TheWorld = Annotated[World, Depends(world_of)]


class Strict(BaseModel):
    """A request body in which every key must be known."""

    model_config = ConfigDict(extra="forbid")


class Outage(Strict):
    """Whether a service is down."""

    down: bool


@router.post("/reset")
async def reset(world: TheWorld) -> Json:
    """Start again with the default world."""
    world.reset()
    return world.defaults


@router.get("/defaults")
async def defaults(world: TheWorld) -> Json:
    """Return the ids and secrets of the default world."""
    return world.defaults


@router.get("/state")
async def state(world: TheWorld, team_id: str | None = None, channel: str | None = None) -> Json:
    """Return what the page shows of one channel and of all databases."""
    return snapshot.of(world, team_id, channel)


@router.get("/version")
async def version(world: TheWorld) -> Json:
    """Return a number that changes when the state does."""
    return {"version": world.version, "deliveries_pending": world.courier.pending + world.notion_courier.pending}


@router.post("/faults")
async def arm(world: TheWorld, fault: Fault) -> Json:
    """Ask for a fault."""
    return {"id": world.faults.arm(fault)}


@router.get("/faults")
async def faults(world: TheWorld) -> Json:
    """List faults with what they have seen and struck."""
    return {"faults": world.faults.listed(), "down": sorted(world.faults.down)}


@router.delete("/faults")
async def disarm_all(world: TheWorld) -> Json:
    """Take all faults away and bring all services up."""
    world.faults.down.clear()
    return {"ok": world.faults.disarm()}


@router.delete("/faults/{id}")
async def disarm(world: TheWorld, id: str) -> Json:
    """Take one fault away."""
    if not world.faults.disarm(id):
        raise HTTPException(404, "no such fault")
    return {"ok": True}


@router.put("/services/{service}")
async def switch(world: TheWorld, service: ServiceName, outage: Outage) -> Json:
    """Take a service down, or bring it up: while down every call gets a 502 page."""
    (world.faults.down.add if outage.down else world.faults.down.discard)(service)
    return {"service": service, "down": outage.down}


@router.get("/log")
async def log(world: TheWorld, service: ServiceName | None = None, since: int = 0) -> Json:
    """List the API calls after a sequence number."""
    return {"calls": world.log.since(since, service)}


@router.delete("/log")
async def clear_log(world: TheWorld) -> Json:
    """Forget the API calls."""
    world.log.clear()
    return {"ok": True}
