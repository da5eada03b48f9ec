"""The methods of Slack's Web API that write: posting and reactions. Listed in the table of slack/api.py."""

from functools import cache
from typing import Any

import emoji

from discubot_pipeline.sandbox.slack import args as arg
from discubot_pipeline.sandbox.slack import shapes
from discubot_pipeline.sandbox.slack.args import Refusal
from discubot_pipeline.sandbox.slack.reading import reacted
from discubot_pipeline.sandbox.slack.state import Channel, Message, Workspace
from discubot_pipeline.sandbox.wire import Json

MAX_TEXT = 40_000
MAX_MARKDOWN = 12_000
MAX_BLOCKS = 50
MAX_METADATA = 16_000
# What a block must have: exactly these fields, of these types; of alternatives (section) one is enough.
BLOCKS: dict[str, tuple[tuple[str, type], ...]] = {
    "section": (("text", dict), ("fields", list)),
    "context": (("elements", list),),
    "actions": (("elements", list),),
    "rich_text": (("elements", list),),
    "header": (("text", dict),),
    "markdown": (("text", str),),
    "image": (("alt_text", str),),
    "divider": (),
}
MAX_BLOCK_TEXT = {"section": 3000, "header": 150, "markdown": MAX_MARKDOWN}


def post(workspace: Workspace, args: Json) -> tuple[Json, Channel, Message]:
    """Post as the bot; also returns what was posted, for the echo event."""
    channel = arg.channel(workspace, args)
    if not channel.is_member and "chat:write.public" not in workspace.scopes:
        raise Refusal("not_in_channel")
    if channel.is_archived:
        raise Refusal("is_archived")
    message = Message(channel.next_ts(), workspace.bot_user_id, _words(args), is_bot=True)
    message.extras = _extras(args)
    message.metadata = _metadata(args)
    message.thread_ts = _thread(channel, args)
    channel.add(message)
    shown = shapes.message_body(workspace, message)
    if message.metadata is not None:
        shown["metadata"] = message.metadata
    return {"channel": channel.id, "ts": message.ts, "message": shown}, channel, message


def _words(args: Json) -> str:
    words, markdown = args.get("text"), args.get("markdown_text")
    if not any(args.get(key) for key in ("text", "blocks", "attachments", "markdown_text")):
        raise Refusal("no_text")
    if markdown and (words or args.get("blocks")):
        raise Refusal("markdown_text_conflict")
    if any(not isinstance(value, str) for value in (words, markdown) if value is not None):
        raise arg.invalid("must be a string [json-pointer:/text]")
    if len(words or "") > MAX_TEXT or len(markdown or "") > MAX_MARKDOWN:
        raise Refusal("msg_too_long")
    return str(words or markdown or "")


def _extras(args: Json) -> Json:
    found: Json = {}
    blocks = arg.structure(args, "blocks", "invalid_blocks_format")
    if blocks:
        found["blocks"] = _blocks(blocks)
    attachments = arg.structure(args, "attachments", "invalid_attachments")
    if attachments:
        found["attachments"] = attachments
    return found


def _blocks(blocks: Any) -> list[Json]:
    if not isinstance(blocks, list):
        raise Refusal("invalid_blocks_format")
    problems = [f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > MAX_BLOCKS else []
    problems += [f"{words} [json-pointer:/blocks/{i}]" for i, block in enumerate(blocks) if (words := _wrong(block))]
    if problems:
        raise Refusal("invalid_blocks", response_metadata={"messages": [f"[ERROR] {p}" for p in problems]})
    return blocks


def _wrong(block: Any) -> str | None:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(kind, str) or kind not in BLOCKS:
        return "unsupported type"
    fields = BLOCKS[kind]
    if fields and not any(isinstance(block.get(name), type_) for name, type_ in fields):
        return f"missing required field: {fields[0][0]}"
    text = block.get("text")
    words = text.get("text") if isinstance(text, dict) else text
    if text is not None and (not isinstance(words, str) or not words):
        return "must be more than 0 characters"
    if len(words or "") > MAX_BLOCK_TEXT.get(kind, MAX_TEXT):
        return f"must be less than {MAX_BLOCK_TEXT[kind] + 1} characters"
    return None


def _metadata(args: Json) -> Json | None:
    found = arg.structure(args, "metadata", "invalid_metadata_format")
    if found is None:
        return None
    if not isinstance(found, dict) or set(found) != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    if not isinstance(found["event_type"], str) or not isinstance(found["event_payload"], dict):
        raise Refusal("invalid_metadata_schema")
    if len(str(found)) > MAX_METADATA:
        raise Refusal("metadata_too_large")
    return found


def _thread(channel: Channel, args: Json) -> str | None:
    wanted = args.get("thread_ts")
    if not wanted:
        return None
    root = channel.messages.get(wanted) if isinstance(wanted, str) else None
    if root is None:
        raise Refusal("thread_not_found")
    if root.is_reply:
        raise Refusal("cannot_reply_to_message")
    return root.ts


def react(workspace: Workspace, args: Json) -> Json:
    """Add the bot's reaction to a message."""
    message, name = _target(workspace, args)
    users = message.reactions.setdefault(name, [])
    if workspace.bot_user_id in users:
        raise Refusal("already_reacted")
    users.append(workspace.bot_user_id)
    return {}


def unreact(workspace: Workspace, args: Json) -> Json:
    """Take the bot's reaction away."""
    message, name = _target(workspace, args)
    if workspace.bot_user_id not in message.reactions.get(name, []):
        raise Refusal("no_reaction")
    message.reactions[name].remove(workspace.bot_user_id)
    if not message.reactions[name]:
        del message.reactions[name]
    return {}


def _target(workspace: Workspace, args: Json) -> tuple[Message, str]:
    name = arg.text(args, "name")
    if name.split("::")[0] not in emoji_names():
        raise Refusal("invalid_name")
    return reacted(arg.joined(workspace, args), args), name


@cache
def emoji_names() -> frozenset[str]:
    """List the short codes that exist, without colons."""
    codes = (code for data in emoji.EMOJI_DATA.values() for code in [data["en"], *data.get("alias", [])])
    return frozenset(code.strip(":") for code in codes)
