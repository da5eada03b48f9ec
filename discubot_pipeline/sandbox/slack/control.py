"""Control of the Slack stand-in: workspaces, people, channels, and what people say. Mounted by app."""

import uuid
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import Field, StringConstraints

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.slack.shapes import message_body
from discubot_pipeline.sandbox.slack.state import (
    SCOPES,
    Channel,
    Message,
    Person,
    Workspace,
    new_id,
    new_workspace,
)
from discubot_pipeline.sandbox.slack.writing import emoji_names
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox/slack")
Ts = Annotated[str, StringConstraints(pattern=r"^\d{10}\.\d{6}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]+$")]
Subscription = Annotated[str, StringConstraints(pattern="^(app_mention|message)$")]
Delay = Annotated[float, Field(ge=0)]


class WorkspaceSettings(Strict):
    """What may be changed of a workspace later on."""

    events_url: str | None = None
    subscribe: list[Subscription] | None = None
    retry_delays: list[Delay] | None = Field(None, max_length=3)
    scopes: list[str] | None = None
    url: str | None = None
    repeat_parent: bool | None = None
    socket_mode: bool | None = None


class NewWorkspace(WorkspaceSettings):
    """A workspace to make."""

    name: str = Field(min_length=1)
    team_id: Id | None = None
    channel: str | None = "general"


class NewChannel(Strict):
    """A channel to make; of direct conversations `user` is the person on the other side."""

    name: str = ""
    id: Id | None = None
    is_member: bool = True
    is_im: bool = False
    is_private: bool = False
    user: str | None = None


class ChannelChange(Strict):
    """What may be changed of a channel."""

    is_member: bool | None = None
    is_archived: bool | None = None


class NewUser(Strict):
    """A person to add."""

    name: str = Field(min_length=1)
    real_name: str = Field(min_length=1)
    email: str | None = None
    tz: str = "Europe/Amsterdam"
    id: Id | None = None


class NewMessage(Strict):
    """What a person says; `ts` for imports only, `more` for fields that other apps' messages have."""

    team_id: str
    channel: str
    user: str
    text: str
    thread_ts: Ts | None = None
    ts: Ts | None = None
    client_msg_id: str | None = None
    quiet: bool = False
    files: list[Json] | None = None
    attachments: list[Json] | None = None
    blocks: list[Json] | None = None
    more: Json | None = None


class NewReaction(Strict):
    """A person's reaction."""

    team_id: str
    channel: str
    ts: Ts
    user: str
    name: str


class Edit(Strict):
    """A new text for a message."""

    text: str
    quiet: bool = False


def workspace(world: World, team_id: str) -> Workspace:
    """Find a workspace or answer 404."""
    if team_id not in world.slack.workspaces:
        raise HTTPException(404, f"no workspace {team_id}")
    return world.slack.workspaces[team_id]


def channel(home: Workspace, id: str) -> Channel:
    """Find a channel or answer 404."""
    if id not in home.channels:
        raise HTTPException(404, f"no channel {id}")
    return home.channels[id]


def message(home: Channel, ts: str) -> Message:
    """Find a message or answer 404."""
    if ts not in home.messages:
        raise HTTPException(404, f"no message {ts}")
    return home.messages[ts]


@router.post("/workspaces")
async def add_workspace(world: TheWorld, new: NewWorkspace) -> Json:
    """Make a workspace with one channel and an app in it; returns its secrets."""
    if new.team_id in world.slack.workspaces:
        raise HTTPException(409, f"workspace {new.team_id} exists")
    made = world.slack.add(new_workspace(new.name, new.team_id))
    if new.channel:
        first = Channel(new_id("C"), new.channel)
        made.channels[first.id] = first
    _set(made, new)
    return made.record()


@router.get("/workspaces/{team_id}")
async def show_workspace(world: TheWorld, team_id: str) -> Json:
    """Return a workspace with its secrets, channels and people."""
    return workspace(world, team_id).record()


@router.patch("/workspaces/{team_id}")
async def change_workspace(world: TheWorld, team_id: str, settings: WorkspaceSettings) -> Json:
    """Set the address that events go to, subscriptions, retry delays, scopes."""
    home = workspace(world, team_id)
    _set(home, settings)
    world.slack.changed()
    return home.record()


def _set(home: Workspace, settings: WorkspaceSettings) -> None:
    for name in settings.model_fields_set & set(WorkspaceSettings.model_fields):
        value = getattr(settings, name)
        if value is None and name != "events_url":
            value = SCOPES if name == "scopes" else getattr(home, name)
        setattr(home, name, tuple(value) if isinstance(value, list) else value)


@router.post("/workspaces/{team_id}/channels")
async def add_channel(world: TheWorld, team_id: str, new: NewChannel) -> Json:
    """Make a channel or a direct conversation with the bot."""
    home = workspace(world, team_id)
    id = new.id or new_id("D" if new.is_im else "C")
    if id in home.channels:
        raise HTTPException(409, f"channel {id} exists")
    if new.is_im and new.user not in home.people:
        raise HTTPException(422, "a direct conversation needs a user of the workspace")
    made = Channel(id, new.name, new.is_member, new.is_im, new.is_private, im_user=new.user)
    home.channels[id] = made
    world.slack.changed()
    return {
        "id": id,
        "name": new.name,
        "is_member": new.is_member,
        "is_im": new.is_im,
        "is_private": new.is_private,
    }


@router.patch("/workspaces/{team_id}/channels/{id}")
async def change_channel(world: TheWorld, team_id: str, id: str, change: ChannelChange) -> Json:
    """Invite or remove the bot, archive the channel."""
    found = channel(workspace(world, team_id), id)
    for name in change.model_fields_set:
        setattr(found, name, bool(getattr(change, name)))
    world.slack.changed()
    return {"id": id, "is_member": found.is_member, "is_archived": found.is_archived}


@router.post("/workspaces/{team_id}/users")
async def add_user(world: TheWorld, team_id: str, new: NewUser) -> Json:
    """Add a person."""
    home = workspace(world, team_id)
    id = new.id or new_id("U")
    if id in home.people:
        raise HTTPException(409, f"user {id} exists")
    home.people[id] = Person(id, new.name, new.real_name, new.email, new.tz)
    world.slack.changed()
    return {"id": id, **new.model_dump(exclude={"id"})}


@router.post("/messages")
async def say(world: TheWorld, new: NewMessage) -> Json:
    """Let a person say something; sends the events that Slack would send."""
    made, home, place = _stored(world, new)
    sent = [] if new.quiet else world.announcer.posted(home, place, made)
    return {
        "ts": made.ts,
        "thread_ts": made.thread_ts,
        "event_id": sent[0] if sent else None,
        "event_ids": sent,
    }


@router.post("/messages/bulk")
async def say_all(world: TheWorld, new: list[NewMessage]) -> Json:
    """Import many messages in the order given; one that cannot be stored stops the import with 4xx."""
    results = [await say(world, one) for one in new]
    return {"messages": results}


def _stored(world: World, new: NewMessage) -> tuple[Message, Workspace, Channel]:
    home = workspace(world, new.team_id)
    place = channel(home, new.channel)
    if new.user not in home.people:
        raise HTTPException(422, f"no user {new.user}")
    ts = new.ts or place.next_ts()
    if ts in place.messages:
        raise HTTPException(409, f"message {ts} exists")
    thread_ts = None if new.thread_ts == ts else new.thread_ts
    if thread_ts and message(place, thread_ts).is_reply:
        raise HTTPException(422, "thread_ts must be the root of a thread")
    is_bot = new.user == home.bot_user_id
    made = Message(ts, new.user, new.text, thread_ts, new.client_msg_id or str(uuid.uuid4()), is_bot=is_bot)
    made.extras = new.model_dump(include={"files", "attachments", "blocks"}, exclude_none=True) | (new.more or {})
    place.add(made)
    world.slack.changed()
    return made, home, place


@router.patch("/messages/{team_id}/{channel_id}/{ts}")
async def edit(world: TheWorld, team_id: str, channel_id: str, ts: str, change: Edit) -> Json:
    """Let the author change a message."""
    home = workspace(world, team_id)
    place = channel(home, channel_id)
    found = message(place, ts)
    before = message_body(home, found)
    found.text, found.edited = change.text, {"user": found.user, "ts": place.next_ts()}
    world.slack.changed()
    sent = None if change.quiet else world.announcer.edited(home, place, before, found)
    return {"ts": ts, "event_id": sent}


@router.delete("/messages/{team_id}/{channel_id}/{ts}")
async def delete(world: TheWorld, team_id: str, channel_id: str, ts: str, quiet: bool = False) -> Json:
    """Let the author delete a message."""
    home = workspace(world, team_id)
    place = channel(home, channel_id)
    found = message(place, ts)
    before = message_body(home, found)
    place.remove(found)
    world.slack.changed()
    return {"ts": ts, "event_id": None if quiet else world.announcer.deleted(home, place, before)}


@router.post("/reactions")
async def react(world: TheWorld, new: NewReaction) -> Json:
    """Let a person react to a message."""
    found = message(channel(workspace(world, new.team_id), new.channel), new.ts)
    if new.name not in emoji_names():
        raise HTTPException(422, f"no emoji {new.name}")
    users = found.reactions.setdefault(new.name, [])
    if new.user not in users:
        users.append(new.user)
    world.slack.changed()
    return {"ok": True}
