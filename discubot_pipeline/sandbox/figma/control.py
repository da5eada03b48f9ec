"""Control of the Figma stand-in: accounts, tokens, files, comments, webhooks. Mounted by app."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import Field

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.figma import shapes
from discubot_pipeline.sandbox.figma.courier import Parcel
from discubot_pipeline.sandbox.figma.sending import FINAL, HEADERS
from discubot_pipeline.sandbox.figma.state import RETRY_DELAYS, File, Seat, Token, Webhook
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox/figma")
Delay = Annotated[float, Field(ge=0)]


class NewAccount(Strict):
    """A person to add, with a token of their own."""

    handle: str = Field(min_length=1)
    id: str | None = None


class TokenChange(Strict):
    """What may be changed of a token: its seat, its plan, and how many calls of which tier it may make in a minute."""

    seat: Seat | None = None
    plan: str | None = None
    per_minute: dict[int, int] | None = None
    retry_after: int | None = None


class NewFile(Strict):
    """A file to make, with the accounts that may see it."""

    name: str = Field(min_length=1)
    members: list[str] = Field(min_length=1)
    key: str | None = None


class NewComment(Strict):
    """What a person says in a file; `created_at` for imports only."""

    file_key: str
    user: str
    message: str
    parent_id: str | None = None
    node_id: str | None = None
    created_at: datetime | None = None
    quiet: bool = False


class CommentChange(Strict):
    """Whether a thread is resolved."""

    is_resolved: bool


class NewWebhook(Strict):
    """A webhook to make; quiet ones send no PING."""

    endpoint: str
    passcode: str = Field(max_length=100)
    files: list[str] | None = None
    is_sparse: bool = False
    retry_delays: list[Delay] = Field(list(RETRY_DELAYS), max_length=3)
    quiet: bool = False


class Sending(Strict):
    """One request to a webhook's endpoint: a comment's event once more, another event, or any body."""

    webhook: str
    comment_id: str | None = None
    event: Json | None = None
    raw: str | None = None
    passcode: str | None = None


def file_of(world: World, key: str) -> File:
    """Find a file or answer 404."""
    if key not in world.figma.files:
        raise HTTPException(404, f"no file {key}")
    return world.figma.files[key]


def webhook_of(world: World, id: str) -> Webhook:
    """Find a webhook or answer 404."""
    if id not in world.figma.webhooks:
        raise HTTPException(404, f"no webhook {id}")
    return world.figma.webhooks[id]


@router.post("/accounts")
async def add_account(world: TheWorld, new: NewAccount) -> Json:
    """Add an account with a token."""
    made = world.figma.add_account(new.handle, new.id)
    return {"id": made.id, "handle": made.handle, "token": world.figma.add_token(made.id).value}


@router.post("/plan-tokens")
async def add_plan_token(world: TheWorld) -> Json:
    """Make a plan's token: it may read comments, and nothing else."""
    return {"token": world.figma.add_token(None).value}


@router.patch("/tokens/{value}")
async def change_token(world: TheWorld, value: str, change: TokenChange) -> Json:
    """Set the limits of a token, or take them away."""
    token: Token | None = world.figma.tokens.get(value)
    if token is None:
        raise HTTPException(404, "no such token")
    for name in change.model_fields_set:
        setattr(token, name, getattr(change, name) if getattr(change, name) is not None else {})
    return {"seat": token.seat, "plan": token.plan, "per_minute": token.per_minute}


@router.delete("/tokens/{value}")
async def revoke(world: TheWorld, value: str) -> Json:
    """Take a token away."""
    world.figma.tokens.pop(value, None)
    return {"ok": True}


@router.post("/files")
async def add_file(world: TheWorld, new: NewFile) -> Json:
    """Make a file."""
    made = world.figma.add_file(new.name, set(new.members), new.key)
    return {"key": made.key, "name": made.name}


@router.get("/files/{key}/comments")
async def comments(world: TheWorld, key: str) -> Json:
    """List the comments of a file, oldest first."""
    file = file_of(world, key)
    return {"comments": [shapes.comment(world.figma, file, one) for one in file.comments.values()]}


@router.post("/comments")
async def say(world: TheWorld, new: NewComment) -> Json:
    """Let a person comment; every webhook of the file hears of it."""
    file = file_of(world, new.file_key)
    if new.user not in world.figma.accounts:
        raise HTTPException(422, f"no account {new.user}")
    parent = file.comments.get(new.parent_id or "")
    if new.parent_id and (parent is None or parent.parent_id):
        raise HTTPException(422, "parent_id must be a root comment of the file")
    made = world.figma.add_comment(
        file, new.user, new.message, parent_id=new.parent_id, node_id=new.node_id, created_at=new.created_at
    )
    if not new.quiet:
        world.figma_sender.commented(file, made)
    return shapes.comment(world.figma, file, made)


@router.post("/comments/bulk")
async def say_all(world: TheWorld, new: list[NewComment]) -> Json:
    """Import many comments in the order given."""
    return {"comments": [await say(world, one) for one in new]}


@router.patch("/files/{key}/comments/{id}")
async def change_comment(world: TheWorld, key: str, id: str, change: CommentChange) -> Json:
    """Let somebody resolve a thread, or open it again."""
    file = file_of(world, key)
    if id not in file.comments or file.comments[id].parent_id:
        raise HTTPException(404, f"no root comment {id}")
    file.comments[id].resolved_at = datetime.now(UTC) if change.is_resolved else None
    world.figma.revision += 1
    return shapes.comment(world.figma, file, file.comments[id])


@router.delete("/files/{key}/comments/{id}")
async def delete(world: TheWorld, key: str, id: str) -> Json:
    """Let an author delete a comment, with its replies."""
    file = file_of(world, key)
    for one in list(file.thread(id)):
        del file.comments[one.id]
    world.figma.revision += 1
    return {"ok": True}


@router.post("/webhooks")
async def add_webhook(world: TheWorld, new: NewWebhook) -> Json:
    """Make a webhook and PING its endpoint."""
    id = str(22 + len(world.figma.webhooks))
    files = tuple(new.files) if new.files is not None else None
    made = Webhook(id, new.endpoint, new.passcode, files, new.is_sparse, tuple(new.retry_delays))
    world.figma.webhooks[id] = made
    ping = None if new.quiet else asdict(await world.figma_sender.ping(made))
    return made.record() | {"ping": ping}


@router.delete("/webhooks/{id}")
async def remove_webhook(world: TheWorld, id: str) -> Json:
    """Take a webhook away."""
    del world.figma.webhooks[webhook_of(world, id).id]
    return {"ok": True}


@router.get("/events/{webhook}/{comment_id}")
async def event(world: TheWorld, webhook: str, comment_id: str) -> Json:
    """Return the body with which a webhook tells of a comment."""
    for file in world.figma.files.values():
        if comment_id in file.comments:
            return world.figma_sender.event(webhook_of(world, webhook), file, file.comments[comment_id])
    raise HTTPException(404, f"no comment {comment_id}")


@router.post("/events")
async def send(world: TheWorld, sending: Sending) -> Json:
    """Send one request and return the receiver's answer."""
    hook = webhook_of(world, sending.webhook)
    body = sending.event or {}
    if sending.comment_id:
        body = await event(world, hook.id, sending.comment_id)
    if sending.passcode is not None:
        body = body | {"passcode": sending.passcode}
    raw = sending.raw.encode() if sending.raw is not None else json.dumps(body).encode()
    parcel = Parcel(sending.comment_id or "event", hook.endpoint, HEADERS, raw, (), FINAL)
    return asdict(await world.figma_courier.attempt(parcel))


@router.get("/deliveries")
async def deliveries(world: TheWorld, about: str | None = None) -> Json:
    """List the attempts to deliver, and how many are still on their way."""
    return {"deliveries": world.figma_courier.listed(about), "pending": world.figma_courier.pending}
