"""Webhooks in: verify, store, wake the sensor, answer. Nothing unverified is stored, no answer precedes the commit."""

import logging
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.ports import Door
from discubot_pipeline.wiring import Services

logger = logging.getLogger(__name__)
router = APIRouter()


class Receipt(BaseModel):
    """What became of a webhook: `status` is accepted, duplicate or ignored; an ignored one says why."""

    delivery_id: int
    status: str
    reason: str | None = None


def services_of(request: Request) -> Services:
    """Give the services that the app was made with."""
    services: Services = request.app.state.services
    return services


def door_of(source: str, services: Annotated[Services, Depends(services_of)]) -> Door:
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


@router.post("/hooks/{source}", response_model=None)
@router.post("/hooks/{source}/{hook}", response_model=None)
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
        return store(config, door, request.headers, body, services)
    except PipelineError as error:
        logger.warning("webhook_refused", extra={"source": door.kind, "reason": error.reason, "config": str(config.id)})
        raise


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
    arrival = door.open(config, headers, body)
    if isinstance(arrival, Challenge):
        return arrival.body
    stored = services.stores.inboxes[door.kind].store(config, arrival)
    status = "duplicate" if not stored.is_new else "ignored" if arrival.reason else "accepted"
    logger.info(
        f"webhook_{status}",
        extra={
            "source": door.kind,
            "delivery": stored.id,
            "reason": arrival.reason,
            "config": str(config.id),
        },
    )
    return Receipt(delivery_id=stored.id, status=status, reason=arrival.reason)
