"""Webhooks in: verify, store, wake the sensor, answer. Nothing unverified is stored, no answer precedes the commit."""

import logging
from asyncio import wrap_future
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, DeliveryKind, Handshake, SourceType
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.ports import Door
from discubot_pipeline.store.inbox import Stored
from discubot_pipeline.web.problems import documented
from discubot_pipeline.wiring import Services

logger = logging.getLogger(__name__)
router = APIRouter()
SYSTEM = "system"
LONG = 65_536
"""So many bytes take milliseconds to read: meanwhile others are answered."""
REFUSED = documented(400, 404, 406, 409, 413)
TAKEN = "this source has a verification token already: `discubot source token --forget`"


class Receipt(BaseModel):
    """What became of a webhook: `status` is accepted, duplicate or ignored; an ignored one says why."""

    delivery_id: int
    status: str
    reason: str | None = None


Answer = Receipt | dict[str, str]


async def services_of(request: Request) -> Services:
    """Give the services that the app was made with."""
    services: Services = request.app.state.services
    return services


def door_of(source: str, services: Services) -> Door:
    """Find the source that a path names."""
    try:
        return services.outside.door(SourceType(source))
    except ValueError as error:
        raise Permanent("unknown_source", f"there is no such source; there are: {', '.join(SourceType)}") from error


async def raw_body(request: Request, door: Door) -> bytes:
    """Read the body as it was sent, and stop reading when it is more than the source may send."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > door.max_body:
                raise Permanent("oversize", f"a {door.kind} webhook has at most {door.max_body} bytes")
    except ClientDisconnect:
        logger.info("webhook_cut_off", extra={"source": door.kind})
        raise Permanent("cut_off", "the sender hung up before the end of the body") from None
    return bytes(body)


@router.post("/hooks/{source}", response_model=Answer, responses=REFUSED)
@router.post("/hooks/{source}/{hook}", response_model=Answer, responses=REFUSED)
async def receive(request: Request, source: str, hook: str | None = None) -> Response:
    """Take one webhook of a source."""
    services: Services = request.app.state.services
    door = door_of(source, services)
    body = await raw_body(request, door)
    config = services.stores.configs.at_hand(door.kind, hook) if hook else None
    if config is None:
        config = await run_in_threadpool(config_of, door.kind, hook, services)
    try:
        taken = await take(config, door, request.headers, body, services)
    except PipelineError as error:
        logger.warning("webhook_refused", extra={"source": door.kind, "reason": error.reason, "config": str(config.id)})
        raise
    if isinstance(taken, Receipt):
        request.state.outcome = taken.status
        return JSONResponse(taken.model_dump())
    return JSONResponse(taken)


def config_of(kind: SourceType, hook: str | None, services: Services) -> SourceConfig:
    """Find the source config that an address stands for; without a hook there must be just one of its kind."""
    if hook is not None:
        config = services.stores.configs.by_hook(kind, hook)
        if config is None:
            raise Permanent("unknown_hook", "there is no such webhook address: `discubot source list` shows them")
        return config
    configs = services.stores.configs.sources(kind)
    if len(configs) != 1:
        raise Permanent("unknown_hook", f"there are {len(configs)} {kind} sources: use the address with the hook id")
    return configs[0]


async def take(config: SourceConfig, door: Door, headers: Mapping[str, str], body: bytes, services: Services) -> Answer:
    """Verify a webhook and commit it to the inbox. Only what takes long, or may have to wait, is left to a thread."""
    read = partial(opened, config, door, headers, body, services.outside.clock.now())
    match read() if len(body) < LONG else await run_in_threadpool(read):
        case Challenge() as challenge:
            return challenge.body
        case Handshake() as handshake:
            return await run_in_threadpool(adopt, config, handshake, services)
        case Arrival(kind=DeliveryKind.PAGE) as page:
            return await run_in_threadpool(keep, config, page, services)
        case arrival:
            return receipt(config, arrival, await wrap_future(services.stores.intake.store(config, arrival)))


def opened(
    config: SourceConfig, door: Door, headers: Mapping[str, str], body: bytes, now: datetime
) -> Arrival | Challenge | Handshake:
    """Verify a webhook and read it."""
    door.verify(config, headers, body, now)
    return door.open(config, headers, body)


def adopt(config: SourceConfig, handshake: Handshake, services: Services) -> dict[str, str]:
    """Keep the secret that a source offers; one that is there already stays, whoever offers another."""
    own, stores = config.credentials, services.stores
    if not isinstance(own, NotionSourceCredentials) or own.signing_secret is not None:
        raise Permanent("signature", TAKEN)
    try:
        stores.changes.change_source(config, config.version, SYSTEM, own.adopt(handshake.secret))
    except Permanent as error:
        raise Permanent("signature", TAKEN) from error
    stores.configs.forget()
    logger.info("webhook_handshake", extra={"source": config.source, "config": str(config.id)})
    return {"status": "verification token received"}


def keep(config: SourceConfig, arrival: Arrival, services: Services) -> Receipt:
    """Commit an arrival to the inbox of its source."""
    arrival = relevant(config, arrival, services)
    return receipt(config, arrival, services.stores.inboxes[config.source].store(config, arrival))


def receipt(config: SourceConfig, arrival: Arrival, stored: Stored) -> Receipt:
    """Say what became of an arrival."""
    if arrival.single_use and stored.delivery_key != arrival.delivery_key:
        raise Permanent("replay", "this token has been used for another delivery")
    status = "duplicate" if not stored.is_new else "ignored" if arrival.reason else "accepted"
    told = {"source": config.source, "delivery": stored.id, "reason": arrival.reason, "config": str(config.id)}
    logger.info(f"webhook_{status}", extra=told)
    return Receipt(delivery_id=stored.id, status=status, reason=arrival.reason)


def relevant(config: SourceConfig, arrival: Arrival, services: Services) -> Arrival:
    """Leave out the changes of pages that are no tasks of the team: a workspace has many more of them."""
    page = (arrival.payload or {}).get("page_id")
    if arrival.kind is not DeliveryKind.PAGE or services.stores.tasks.of_page(str(page), config.team_id):
        return arrival
    return Arrival(delivery_key=arrival.delivery_key, kind=arrival.kind, reason="unknown_page")
