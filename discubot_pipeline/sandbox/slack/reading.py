"""The methods of Slack's Web API that read. Listed in the table of slack/api.py."""

from discubot_pipeline.sandbox.slack import args as arg
from discubot_pipeline.sandbox.slack import shapes
from discubot_pipeline.sandbox.slack.args import Refusal
from discubot_pipeline.sandbox.slack.state import Channel, Message, Workspace
from discubot_pipeline.sandbox.wire import Json

LIST_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


def auth_test(workspace: Workspace, args: Json) -> Json:
    """Tell who the token belongs to."""
    return {
        "url": workspace.url, "team": workspace.name, "user": workspace.bot_name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id, "bot_id": workspace.bot_id, "is_enterprise_install": False,
    }  # fmt: skip


def team_info(workspace: Workspace, args: Json) -> Json:
    """Describe the workspace."""
    team = {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain, "url": workspace.url}
    return {"team": team | {"email_domain": "", "icon": {"image_default": True}}}


def replies(workspace: Workspace, args: Json) -> Json:
    """Return one page of a thread, oldest first, the parent first of all; any ts of the thread will do."""
    channel = arg.readable(workspace, args)
    asked = channel.messages.get(arg.text(args, "ts"))
    if asked is None:
        raise Refusal("thread_not_found")
    root = asked.thread_ts if asked.is_reply and asked.thread_ts else asked.ts
    below = _between([m.ts for m in channel.thread(root)], args)
    keys, cursor = arg.page([root, *below], args, arg.limit(args, 1000), "next_ts")
    if workspace.repeat_parent and keys[0] != root:
        keys.insert(0, root)
    return _messages(workspace, channel, keys, args) | _more(cursor)


def history(workspace: Workspace, args: Json) -> Json:
    """Return one page of a channel's roots, newest first."""
    channel = arg.readable(workspace, args)
    keys = list(reversed(_between(channel.roots, args)))
    chosen, cursor = arg.page(keys, args, arg.limit(args, 100), "next_ts")
    return _messages(workspace, channel, chosen, args) | {"pin_count": 0} | _more(cursor)


def _between(keys: list[str], args: Json) -> list[str]:
    """Keep what lies between `oldest` and `latest`; the limits themselves only when inclusive."""
    oldest = arg.timestamp(args, "oldest", "invalid_ts_oldest") or ""
    latest = arg.timestamp(args, "latest", "invalid_ts_latest") or "9" * 17
    if arg.flag(args, "inclusive"):
        return [ts for ts in keys if oldest <= ts <= latest]
    return [ts for ts in keys if oldest < ts < latest]


def _messages(workspace: Workspace, channel: Channel, keys: list[str], args: Json) -> Json:
    with_metadata = arg.flag(args, "include_all_metadata")
    found = [channel.messages[ts] for ts in keys]
    return {"messages": [shapes.stored(workspace, channel, m, with_metadata=with_metadata) for m in found]}


def _more(cursor: str) -> Json:
    return {"has_more": bool(cursor)} | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def conversation(workspace: Workspace, args: Json) -> Json:
    """Describe one conversation."""
    channel = arg.channel(workspace, args)
    needed = {"im": "im:read", "group": "groups:read"}.get(channel.kind, "channels:read")
    if needed not in workspace.scopes:
        raise arg.missing_scope(workspace, needed)
    return {"channel": shapes.channel_body(channel)}


def conversations(workspace: Workspace, args: Json) -> Json:
    """List conversations of the wanted types."""
    types = [kind.strip() for kind in str(args.get("types") or "public_channel").split(",")]
    if set(types) - set(LIST_SCOPES):
        raise Refusal("invalid_types")
    missing = [LIST_SCOPES[kind] for kind in types if LIST_SCOPES[kind] not in workspace.scopes]
    if missing:
        raise arg.missing_scope(workspace, ",".join(missing))
    shown = {c.id: c for c in workspace.channels.values() if _listed(c, types, args)}
    keys, cursor = arg.page(shown, args, arg.limit(args, 100), "channel")
    return {
        "channels": [shapes.channel_body(shown[key]) for key in keys],
        "response_metadata": {"next_cursor": cursor},
    }


def _listed(channel: Channel, types: list[str], args: Json) -> bool:
    names = {"im": "im", "group": "private_channel", "channel": "public_channel"}
    if channel.is_archived and arg.flag(args, "exclude_archived"):
        return False
    return names[channel.kind] in types and (channel.is_member or channel.kind == "channel")


def permalink(workspace: Workspace, args: Json) -> Json:
    """Return the address of a message."""
    channel = arg.channel(workspace, args)
    found = channel.messages.get(arg.text(args, "message_ts"))
    if found is None:
        raise Refusal("message_not_found")
    return {"channel": channel.id, "permalink": shapes.permalink(workspace, channel, found)}


def reactions(workspace: Workspace, args: Json) -> Json:
    """Return a message with its reactions."""
    channel = arg.joined(workspace, args)
    found = reacted(channel, args)
    return {"type": "message", "channel": channel.id, "message": shapes.stored(workspace, channel, found)}


def reacted(channel: Channel, args: Json) -> Message:
    """Find the message that `timestamp` names."""
    if not args.get("timestamp"):
        raise Refusal("no_item_specified")
    if not isinstance(args["timestamp"], str) or not arg.TS.fullmatch(args["timestamp"]):
        raise Refusal("bad_timestamp")
    if args["timestamp"] not in channel.messages:
        raise Refusal("message_not_found")
    return channel.messages[args["timestamp"]]


def user(workspace: Workspace, args: Json) -> Json:
    """Describe one member."""
    person = workspace.people.get(arg.text(args, "user"))
    if person is None:
        raise Refusal("user_not_found")
    return {"user": shapes.user_body(workspace, person)}


def users(workspace: Workspace, args: Json) -> Json:
    """List the members; without a limit all of them."""
    everybody = len(workspace.people)
    keys, cursor = arg.page(workspace.people, args, arg.limit(args, everybody, most=1000), "user")
    members = [shapes.user_body(workspace, workspace.people[key]) for key in keys]
    return {"members": members, "cache_ts": 1_763_000_000, "response_metadata": {"next_cursor": cursor}}
