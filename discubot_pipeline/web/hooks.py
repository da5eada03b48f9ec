"""Webhooks in: verify, store, wake the sensor, answer. Nothing unverified is stored, no answer precedes the commit."""

import logging
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from discubot_pipeline.domain.config import NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, DeliveryKind, Handshake, SourceType
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.ports import Door
from discubot_pipeline.web.problems import documented
from discubot_pipeline.wiring import Services

logger = logging.getLogger(__name__)
router = APIRouter()
SYSTEM = "system"
REFUSED = documented(400, 404, 406, 409, 413)
TAKEN = "this source has a verification token already: `discubot source token --forget`"


class Receipt(BaseModel):
    """What became of a webhook: `status` is accepted, duplicate or ignored; an ignored one says why."""

    delivery_id: int
    status: str
    reason: str | None = None


async def services_of(request: Request) -> Services:
    """Give the services that the app was made with."""
    services: Services = request.app.state.services
    return services


async def door_of(source: str, services: Annotated[Services, Depends(services_of)]) -> Door:
    """Find the source that a path names."""
    try:
        return services.outside.door(SourceType(source))
    except ValueError as error:
        raise Permanent("unknown_source", f"there is no such source; there are: {', '.join(SourceType)}") from error


async def raw_body(request: Request, door: Annotated[Door, Depends(door_of)]) -> bytes:
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


@router.post("/hooks/{source}", responses=REFUSED)
@router.post("/hooks/{source}/{hook}", responses=REFUSED)
def receive(
    request: Request,
    door: Annotated[Door, Depends(door_of)],
    body: Annotated[bytes, Depends(raw_body)],
    services: Annotated[Services, Depends(services_of)],
    hook: str | None = None,
) -> Receipt | dict[str, str]:
    """Take one webhook of a source."""
    config = config_of(door.kind, hook, services)
    try:
        stored = store(config, door, request.headers, body, services)
    except PipelineError as error:
        logger.warning("webhook_refused", extra={"source": door.kind, "reason": error.reason, "config": str(config.id)})
        raise
    if isinstance(stored, Receipt):
        request.state.outcome = stored.status
    return stored


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


def store(
    config: SourceConfig, door: Door, headers: Mapping[str, str], body: bytes, services: Services
) -> Receipt | dict[str, str]:
    """Verify a webhook and commit it to the inbox."""
    door.verify(config, headers, body, services.outside.clock.now())
    opened = door.open(config, headers, body)
    if isinstance(opened, Challenge):
        return opened.body
    if isinstance(opened, Handshake):
        return adopt(config, opened, services)
    return keep(config, opened, services)


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
    stored = services.stores.inboxes[config.source].store(config, arrival)
    if arrival.single_use and stored.delivery_key != arrival.delivery_key:
        raise Permanent("replay", "this token has been used for another delivery")
    status = "duplicate" if not stored.is_new else "ignored" if arrival.reason else "accepted"
    logger.info(
        f"webhook_{status}",
        extra={
            "source": config.source,
            "delivery": stored.id,
            "reason": arrival.reason,
            "config": str(config.id),
        },
    )
    return Receipt(delivery_id=stored.id, status=status, reason=arrival.reason)


def relevant(config: SourceConfig, arrival: Arrival, services: Services) -> Arrival:
    """Leave out the changes of pages that are no tasks of the team: a workspace has many more of them."""
    page = (arrival.payload or {}).get("page_id")
    if arrival.kind is not DeliveryKind.PAGE or services.stores.tasks.of_page(str(page), config.team_id):
        return arrival
    return Arrival(delivery_key=arrival.delivery_key, kind=arrival.kind, reason="unknown_page")
