"""Turns what happens in a channel into event envelopes and hands them to the courier. Called by the API
and control.
"""

import base64
import secrets
import string
import time
import uuid

from discubot_pipeline.sandbox.slack.courier import Courier
from discubot_pipeline.sandbox.slack.shapes import message_body
from discubot_pipeline.sandbox.slack.state import Channel, Message, Workspace
from discubot_pipeline.sandbox.wire import Json


class Announcer:
    """Decides which events a change causes: mentions, messages, edits, deletions."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier

    def posted(self, workspace: Workspace, channel: Channel, message: Message) -> list[str]:
        """Announce a new message; returns the ids of the events sent, a mention's first."""
        sent = []
        if self._is_mention(workspace, channel, message):
            sent.append(self._send(workspace, mention_event(workspace, channel, message)))
        if self._is_heard(workspace, channel):
            sent.append(self._send(workspace, message_event(workspace, channel, message)))
        return [id for id in sent if id]

    def edited(self, workspace: Workspace, channel: Channel, before: Json, after: Message) -> str | None:
        """Announce an edit."""
        event = _hidden(channel, "message_changed")
        event |= {"message": message_body(workspace, after), "previous_message": before}
        return self._send(workspace, event) if self._is_heard(workspace, channel) else None

    def deleted(self, workspace: Workspace, channel: Channel, before: Json) -> str | None:
        """Announce a deletion."""
        event = _hidden(channel, "message_deleted")
        event |= {"deleted_ts": before["ts"], "previous_message": before}
        return self._send(workspace, event) if self._is_heard(workspace, channel) else None

    def _is_mention(self, workspace: Workspace, channel: Channel, message: Message) -> bool:
        if "app_mention" not in workspace.subscribe or channel.is_im or not channel.is_member or message.is_bot:
            return False
        return mentions(message.text, workspace.bot_user_id)

    def _is_heard(self, workspace: Workspace, channel: Channel) -> bool:
        return channel.is_member and (channel.is_im or "message" in workspace.subscribe)

    def _send(self, workspace: Workspace, event: Json) -> str | None:
        if workspace.events_url is None and not workspace.socket_mode:
            return None
        return self.courier.send(workspace, envelope(workspace, event))


def mentions(text: str, user: str) -> bool:
    """Tell whether a text mentions a user."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def mention_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    """Write the inner event of a mention."""
    body = message_body(workspace, message)
    return body | {
        "type": "app_mention",
        "channel": channel.id,
        "event_ts": message.ts,
        "blocks": body.get("blocks", []),
    }


def message_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    """Write the inner event of a new message."""
    body = message_body(workspace, message)
    if message.is_reply:
        root = channel.messages.get(str(message.thread_ts))
        body["parent_user_id"] = root.user if root else ""
    return body | {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind}


def _hidden(channel: Channel, subtype: str) -> Json:
    now = channel.next_ts()
    body = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "ts": now,
        "event_ts": now,
    }
    return body | {"channel_type": channel.kind}


def envelope(workspace: Workspace, event: Json) -> Json:
    """Wrap an inner event for one installation of the app."""
    person = {"enterprise_id": None, "team_id": workspace.team_id, "user_id": workspace.bot_user_id}
    context = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return {
        "token": "sandbox-verification-token", "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": None, "api_app_id": workspace.app_id, "event": event,
        "type": "event_callback",
        "event_id": event_id(), "event_time": int(time.time()),
        "authorizations": [{**person, "is_bot": True, "is_enterprise_install": False}],
        "is_ext_shared_channel": False, "event_context": f"4-{context}",
    }  # fmt: skip


def event_id() -> str:
    """Make a fresh event id."""
    return "Ev0" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(10))
