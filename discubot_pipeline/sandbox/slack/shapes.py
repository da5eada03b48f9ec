"""How Slack writes its things as JSON. Used by the Web API and by events."""

import emoji

from discubot_pipeline.sandbox.slack.state import Channel, Message, Person, Workspace
from discubot_pipeline.sandbox.wire import Json


def message_body(workspace: Workspace, message: Message) -> Json:
    """Write a message as it is on its own, without the counts of its thread."""
    body: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    if message.is_tombstone:
        body |= {"subtype": "tombstone", "hidden": True}
    if message.client_msg_id:
        body["client_msg_id"] = message.client_msg_id
    if message.is_bot:
        body |= bot_marks(workspace)
    body |= {"team": workspace.team_id, **message.extras}
    if message.edited:
        body["edited"] = message.edited
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    return body


def bot_marks(workspace: Workspace) -> Json:
    """Return what tells a message of the app from one of a person."""
    profile = {
        "id": workspace.bot_id, "deleted": False, "name": workspace.bot_name, "updated": 1_763_000_000,
        "app_id": workspace.app_id, "icons": {}, "team_id": workspace.team_id,
    }  # fmt: skip
    return {"bot_id": workspace.bot_id, "app_id": workspace.app_id, "bot_profile": profile}


def stored(workspace: Workspace, channel: Channel, message: Message, *, with_metadata: bool = False) -> Json:
    """Write a message as reading methods show it, with counts, reactions and, if asked for, metadata."""
    body = message_body(workspace, message)
    replies = [] if message.is_reply else channel.thread(message.ts)
    if replies:
        body |= thread_counts(message, replies)
    if message.is_reply:
        root = channel.messages.get(str(message.thread_ts))
        body["parent_user_id"] = root.user if root else ""
    if message.reactions:
        body["reactions"] = reactions(message)
    if message.metadata is not None and with_metadata:
        body["metadata"] = message.metadata
    return body


def thread_counts(root: Message, replies: list[Message]) -> Json:
    """Return what a root carries once somebody has replied."""
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": root.ts, "reply_count": len(replies), "reply_users_count": len(users),
        "latest_reply": replies[-1].ts, "reply_users": users[:5], "is_locked": False, "subscribed": False,
    }  # fmt: skip


def reactions(message: Message) -> list[Json]:
    """List the reactions of a message."""
    return [{"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()]


def channel_body(channel: Channel, *, with_membership: bool = True) -> Json:
    """Write a conversation."""
    body: Json = {
        "id": channel.id, "created": channel.created,
        "is_channel": not channel.is_im and not channel.is_private,
        "is_group": channel.is_private and not channel.is_im, "is_im": channel.is_im, "is_mpim": False,
        "is_private": channel.is_private or channel.is_im, "is_archived": channel.is_archived,
    }  # fmt: skip
    if channel.is_im:
        return body | {"user": channel.im_user, "is_user_deleted": False}
    names = {"name": channel.name, "name_normalized": channel.name, "is_general": False, "is_shared": False}
    texts = {key: {"value": "", "creator": "", "last_set": 0} for key in ("topic", "purpose")}
    return body | names | texts | ({"is_member": channel.is_member} if with_membership else {})


def user_body(workspace: Workspace, person: Person) -> Json:
    """Write a member; the e-mail address is there only with the scope for it."""
    profile: Json = {
        "display_name": person.name, "real_name": person.real_name, "team": workspace.team_id,
        "image_72": f"{workspace.url}avatars/{person.id}.png",
    }  # fmt: skip
    if person.email and "users:read.email" in workspace.scopes:
        profile["email"] = person.email
    if person.is_bot:
        profile |= {"bot_id": workspace.bot_id, "api_app_id": workspace.app_id}
    return {
        "id": person.id, "team_id": workspace.team_id, "name": person.name, "deleted": False,
        "real_name": person.real_name, "tz": person.tz, "is_bot": person.is_bot, "is_app_user": False,
        "updated": 1_763_000_000, "profile": profile,
    }  # fmt: skip


def permalink(workspace: Workspace, channel: Channel, message: Message) -> str:
    """Return the address of a message."""
    link = f"{workspace.url}archives/{channel.id}/p{message.ts.replace('.', '')}"
    return link + (f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else "")


def glyph(name: str) -> str:
    """Return the emoji of a short code, or the code in colons where there is none."""
    code = f":{name.split('::', maxsplit=1)[0]}:"
    return emoji.emojize(emoji.emojize(code, language="alias"))
