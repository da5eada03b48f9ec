"""Control of Slack's event delivery: handshake, custom and repeated events, the record of attempts.
Mounted by app.
"""

import json
from dataclasses import asdict

from fastapi import APIRouter, HTTPException
from pydantic import Field, model_validator

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.slack.control import workspace
from discubot_pipeline.sandbox.slack.courier import Signature
from discubot_pipeline.sandbox.slack.events import event_id
from discubot_pipeline.sandbox.slack.state import Workspace
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

router = APIRouter(prefix="/sandbox/slack")


class Sending(Strict):
    """One request to the receiver: an envelope, an earlier event again, or any body; signed or missigned."""

    team_id: str
    envelope: Json | None = None
    redeliver: str | None = None
    raw: str | None = None
    signature: Signature = "valid"
    retry_num: int | None = Field(None, ge=1, le=3)
    retry_reason: str = "http_timeout"
    background: bool = False

    @model_validator(mode="after")
    def _one_of_three(self) -> "Sending":
        if sum(part is not None for part in (self.envelope, self.redeliver, self.raw)) != 1:
            raise ValueError("exactly one of envelope, redeliver, raw")
        if self.background and (self.raw is not None or self.signature != "valid"):
            raise ValueError("only sound envelopes go the usual way in the background")
        return self


def _reachable(world: World, team_id: str) -> Workspace:
    home = workspace(world, team_id)
    if home.events_url is None:
        raise HTTPException(409, f"workspace {team_id} has no events_url")
    return home


@router.post("/workspaces/{team_id}/verify")
async def verify(world: TheWorld, team_id: str) -> Json:
    """Send the url_verification challenge and tell whether it came back."""
    home = _reachable(world, team_id)
    challenge = event_id()
    envelope = {"token": "sandbox-verification-token", "challenge": challenge, "type": "url_verification"}
    attempt, _ = await world.courier.attempt(home, json.dumps(envelope).encode(), envelope)
    return {"verified": attempt.status == 200 and challenge in attempt.answer, **asdict(attempt)}


class Disconnection(Strict):
    """How Slack ends an app's sockets: by a word before it closes them, or without one."""

    reason: str = "refresh_requested"
    close: bool = False


@router.post("/workspaces/{team_id}/disconnect")
async def disconnect(world: TheWorld, team_id: str, how: Disconnection) -> Json:
    """Tell the app's sockets to be replaced, or cut them."""
    home = workspace(world, team_id)
    return {"connections": await world.courier.sockets.disconnect(home, how.reason, how.close)}


@router.get("/workspaces/{team_id}/sockets")
async def sockets(world: TheWorld, team_id: str) -> Json:
    """Count the app's open sockets."""
    return {"connections": len(world.courier.sockets.lines(workspace(world, team_id)))}


@router.post("/events")
async def send(world: TheWorld, sending: Sending) -> Json:
    """Send one request and return the receiver's answer, or start a delivery with retries behind it."""
    home = _reachable(world, sending.team_id)
    envelope = _envelope(world, sending)
    if sending.background:
        return {"event_id": world.courier.send(home, envelope)}
    body = sending.raw.encode() if sending.raw is not None else json.dumps(envelope).encode()
    extra = {}
    if sending.retry_num is not None:
        extra = {"x-slack-retry-num": str(sending.retry_num), "x-slack-retry-reason": sending.retry_reason}
    attempt, _ = await world.courier.attempt(
        home, body, envelope, number=sending.retry_num or 0, signature=sending.signature, extra=extra
    )
    return asdict(attempt)


def _envelope(world: World, sending: Sending) -> Json:
    if sending.redeliver is not None:
        if sending.redeliver not in world.courier.envelopes:
            raise HTTPException(404, f"no event {sending.redeliver}")
        return world.courier.envelopes[sending.redeliver]
    return sending.envelope or {}


@router.get("/events/{id}")
async def envelope(world: TheWorld, id: str) -> Json:
    """Return the envelope of an event that was sent."""
    if id not in world.courier.envelopes:
        raise HTTPException(404, f"no event {id}")
    return world.courier.envelopes[id]


@router.get("/deliveries")
async def deliveries(world: TheWorld, event_id: str | None = None) -> Json:
    """List the attempts to deliver, and how many events are still on their way."""
    return {"deliveries": world.courier.listed(event_id), "pending": world.courier.pending}
