"""Control of Notion's webhooks and of what people comment: subscriptions, documents, comments, events.
Mounted by app.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import Field, model_validator

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.notion import comments, setup
from discubot_pipeline.sandbox.notion.checks import Refusal
from discubot_pipeline.sandbox.notion.courier import Signature, Subscription
from discubot_pipeline.sandbox.notion.state import Comment, normal_id
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox/notion")
Delay = Annotated[float, Field(ge=0)]


class SubscriptionSettings(Strict):
    """What may be changed of a subscription later on."""

    url: str | None = None
    types: list[str] | None = None
    retry_delays: list[Delay] | None = Field(None, max_length=7)
    names_discussions: bool | None = None


class NewSubscription(SubscriptionSettings):
    """A subscription of a connection's; `greet` false keeps the verification token for a later handshake."""

    token: str
    url: str
    greet: bool = True


class Verification(Strict):
    """The token that the owner of a subscription enters."""

    verification_token: str


class NewDocument(Strict):
    """A page of its own, shared with some connections, with blocks as the API takes them."""

    title: str
    tokens: list[str] = Field(min_length=1)
    children: list[Json] = Field(default_factory=list)


class NewComment(Strict):
    """What a person comments: in a discussion, or opening one on a page or block."""

    user: str | None = None
    page_id: str | None = None
    block_id: str | None = None
    discussion_id: str | None = None
    text: str | None = None
    rich_text: list[Json] | None = None
    quiet: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> "NewComment":
        if sum(part is not None for part in (self.page_id, self.block_id, self.discussion_id)) != 1:
            raise ValueError("exactly one of page_id, block_id, discussion_id")
        if (self.text is None) == (self.rich_text is None):
            raise ValueError("exactly one of text, rich_text")
        return self


class Sending(Strict):
    """One request to a subscription's address: an event, an earlier one again, or any body; signed or missigned."""

    subscription_id: str
    envelope: Json | None = None
    redeliver: str | None = None
    raw: str | None = None
    signature: Signature = "valid"


def subscription(world: World, id: str) -> Subscription:
    """Find a subscription or answer 404."""
    if id not in world.notion_courier.subscriptions:
        raise HTTPException(404, f"no subscription {id}")
    return world.notion_courier.subscriptions[id]


@router.post("/subscriptions")
async def subscribe(world: TheWorld, new: NewSubscription) -> Json:
    """Enter an address for a connection's events and send its verification token there."""
    if new.token not in world.notion.integrations:
        raise HTTPException(404, "no such connection")
    made = world.notion_courier.subscribe(new.token, new.url)
    _set(made, new)
    return asdict(made) | {"handshake": asdict(await world.notion_courier.greet(made)) if new.greet else None}


def _set(found: Subscription, settings: SubscriptionSettings) -> None:
    for name in settings.model_fields_set & set(SubscriptionSettings.model_fields):
        value = getattr(settings, name)
        if value is not None:
            setattr(found, name, tuple(value) if isinstance(value, list) else value)


@router.get("/subscriptions")
async def subscriptions(world: TheWorld) -> Json:
    """List the subscriptions with their tokens."""
    return {"subscriptions": [asdict(one) for one in world.notion_courier.subscriptions.values()]}


@router.patch("/subscriptions/{id}")
async def resubscribe(world: TheWorld, id: str, settings: SubscriptionSettings) -> Json:
    """Change address, types of events, or retry delays."""
    found = subscription(world, id)
    _set(found, settings)
    return asdict(found)


@router.post("/subscriptions/{id}/handshake")
async def greet(world: TheWorld, id: str) -> Json:
    """Send the verification token once more."""
    return asdict(await world.notion_courier.greet(subscription(world, id)))


@router.post("/subscriptions/{id}/verify")
async def verify(world: TheWorld, id: str, given: Verification) -> Json:
    """Enter the verification token; only then events are sent."""
    found = subscription(world, id)
    if given.verification_token != found.verification_token:
        raise HTTPException(422, "this is not the verification token")
    found.is_verified = True
    world.notion.changed()
    return {"id": id, "is_verified": True}


@router.post("/documents")
async def write_document(world: TheWorld, new: NewDocument) -> Json:
    """Let a person write a page that is no row of a database."""
    try:
        made = setup.add_document(world.notion, new.title, set(new.tokens), new.children)
    except Refusal as refusal:
        raise HTTPException(422, refusal.message) from refusal
    return {"page_id": made.id, "url": world.notion.url(made.id), "block_ids": made.children}


@router.post("/comments")
async def comment(world: TheWorld, new: NewComment) -> Json:
    """Let a person comment; tells the subscriptions of it, unless it is to be quiet."""
    try:
        made = _written(world, new)
    except Refusal as refusal:
        raise HTTPException(422, refusal.message) from refusal
    if new.quiet:
        world.notion.news.pop()
    return described(world, made) | {"event_ids": world.notion_announcer.announce(world.notion)}


@router.post("/comments/bulk")
async def comment_all(world: TheWorld, new: list[NewComment]) -> Json:
    """Let people comment one after the other; those after the first may name its discussion by an empty string."""
    made: list[Json] = []
    for one in new:
        place = {"discussion_id": made[0]["discussion_id"]} if one.discussion_id == "" and made else {}
        made.append(await comment(world, one.model_copy(update=place)))
    return {"comments": made}


def _written(world: World, new: NewComment) -> Comment:
    state = world.notion
    person = new.user or next(user.id for user in state.users.values() if not user.is_bot)
    if person not in state.users:
        raise HTTPException(422, f"no user {new.user}")
    id = normal_id(new.discussion_id or new.block_id or new.page_id)
    discussion = next((c for c in state.comments.values() if new.discussion_id and c.discussion_id == id), None)
    parent = discussion.parent if discussion else id
    if parent not in (state.pages if new.page_id else state.blocks if new.block_id else {parent} if discussion else {}):
        raise HTTPException(404, f"no such place: {id}")
    pieces: Any = new.text if new.rich_text is None else new.rich_text
    known = discussion.discussion_id if discussion else None
    return comments.write(state, str(parent), known, person, comments.words(pieces, state))


@router.get("/comments")
async def listed(world: TheWorld, page_id: str | None = None) -> Json:
    """List comments, oldest first, of one page where it is named."""
    wanted = normal_id(page_id) if page_id else None
    found = [described(world, one) for one in world.notion.comments.values()]
    return {"comments": [one for one in found if wanted in (None, one["page_id"])]}


@router.post("/discussions/{id}/resolve")
async def resolve(world: TheWorld, id: str) -> Json:
    """Let a person resolve a discussion: its comments are not listed any more."""
    found = [one for one in world.notion.comments.values() if one.discussion_id == normal_id(id)]
    for one in found:
        one.is_resolved = True
    world.notion.changed()
    return {"discussion_id": id, "resolved": len(found)}


def described(world: World, found: Comment) -> Json:
    """Describe a comment with plain words."""
    writer = world.notion.users[found.by]
    return {
        "id": found.id, "discussion_id": found.discussion_id, "parent": found.parent,
        "page_id": comments.page_of(world.notion, found).id, "user": found.by, "name": writer.name,
        "is_bot": writer.is_bot, "text": comments.plain(found), "rich_text": found.rich_text,
        "is_resolved": found.is_resolved, "created_at": found.created,
    }  # fmt: skip


@router.post("/events")
async def send(world: TheWorld, sending: Sending) -> Json:
    """Send one request and return the receiver's answer."""
    home, courier = subscription(world, sending.subscription_id), world.notion_courier
    if sending.redeliver is not None and sending.redeliver not in courier.envelopes:
        raise HTTPException(404, f"no event {sending.redeliver}")
    envelope = courier.envelopes[sending.redeliver] if sending.redeliver else sending.envelope or {}
    body = sending.raw.encode() if sending.raw is not None else json.dumps(envelope).encode()
    return asdict(await courier.attempt(home, body, envelope, number=2, signature=sending.signature))


@router.get("/events/{id}")
async def envelope(world: TheWorld, id: str) -> Json:
    """Return an event that was sent."""
    if id not in world.notion_courier.envelopes:
        raise HTTPException(404, f"no event {id}")
    return world.notion_courier.envelopes[id]


@router.get("/deliveries")
async def deliveries(world: TheWorld, event_id: str | None = None) -> Json:
    """List the attempts to deliver, and how many events are still on their way."""
    return {"deliveries": world.notion_courier.listed(event_id), "pending": world.notion_courier.pending}
