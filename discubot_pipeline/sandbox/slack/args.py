"""Reads the arguments of a Web API call the way Slack does, and refuses in its words. Used by the Web API
methods.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from discubot_pipeline.sandbox.slack.state import Channel, Workspace
from discubot_pipeline.sandbox.wire import Call, Json

TS = re.compile(r"\d{1,10}\.\d{6}")
HISTORY = ("channels:history", "groups:history", "mpim:history", "im:history")
MAX_LIMIT = 999
FORM_TYPES = ("", "application/x-www-form-urlencoded")


class Refusal(Exception):
    """An application error: HTTP 200 with ok false and the code."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.body: Json = {"ok": False, "error": error, **extra}


def invalid(*messages: str) -> Refusal:
    """Refuse arguments, saying which."""
    return Refusal("invalid_arguments", response_metadata={"messages": [f"[ERROR] {m}" for m in messages]})


def arguments(call: Call, *, takes_json: bool) -> Json:
    """Collect the arguments from query and body; a JSON body counts only for methods that write."""
    found: Json = dict(call.query)
    kind = call.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return found | (json_body(call.body) if takes_json else {})
    if call.verb == "POST" and kind not in FORM_TYPES:
        raise Refusal("invalid_post_type")
    try:
        return found | dict(parse_qsl(call.body.decode(), keep_blank_values=True))
    except UnicodeDecodeError as wrong:
        raise Refusal("invalid_form_data") from wrong


def json_body(body: bytes) -> Json:
    """Parse a JSON body; an empty one is no arguments."""
    try:
        parsed = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as wrong:
        raise Refusal("invalid_json") from wrong
    if not isinstance(parsed, dict):
        raise Refusal("json_not_object")
    return parsed


def text(args: Json, name: str) -> str:
    """Return a required string."""
    value = args.get(name)
    if value is None or value == "":
        raise invalid(f"missing required field: {name}")
    if not isinstance(value, str):
        raise invalid(f"must be a string [json-pointer:/{name}]")
    return value


def flag(args: Json, name: str) -> bool:
    """Return an optional boolean; forms say true or 1."""
    return str(args.get(name, "")).lower() in ("true", "1")


def limit(args: Json, default: int, most: int = MAX_LIMIT) -> int:
    """Return the page size: too large is cut, too small or no number is refused."""
    value = args.get("limit")
    if value in (None, "", 0, "0"):
        return min(default, most)
    try:
        wanted = int(str(value))
    except ValueError as wrong:
        raise invalid("must be a number [json-pointer:/limit]") from wrong
    if wanted < 0:
        raise Refusal("invalid_limit")
    return min(wanted, most)


def timestamp(args: Json, name: str, error: str) -> str | None:
    """Return an optional ts in Slack's form with six decimals."""
    value = args.get(name)
    if value in (None, "", "0", 0):
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,10}(\.\d{1,6})?", value):
        raise Refusal(error)
    seconds, _, rest = value.partition(".")
    return f"{int(seconds):010d}.{rest:0<6}"


def structure(args: Json, name: str, error: str) -> Any:
    """Return a list or object: JSON inside JSON bodies, a JSON string inside forms."""
    value = args.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except (ValueError, RecursionError) as wrong:
        raise Refusal(error) from wrong


def page(keys: Iterable[str], args: Json, size: int, prefix: str) -> tuple[list[str], str]:
    """Cut one page out of ordered keys; returns it with the cursor of the next, empty at the end."""
    ordered = list(keys)
    start = 0
    if args.get("cursor"):
        first = cursor_key(str(args["cursor"]), prefix)
        if first not in ordered:
            raise Refusal("invalid_cursor")
        start = ordered.index(first)
    rest = ordered[start + size : start + size + 1]
    return ordered[start : start + size], cursor(prefix, rest[0]) if rest else ""


def cursor(prefix: str, key: str) -> str:
    """Wrap a key into an opaque cursor."""
    return base64.b64encode(f"{prefix}:{key}".encode()).decode()


def cursor_key(value: str, prefix: str) -> str:
    """Unwrap a cursor, refusing what this method did not give out."""
    try:
        kind, _, key = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as wrong:
        raise Refusal("invalid_cursor") from wrong
    if kind != prefix:
        raise Refusal("invalid_cursor")
    return key


def channel(workspace: Workspace, args: Json) -> Channel:
    """Find the conversation; private ones without the bot do not exist for it."""
    found = workspace.channels.get(text(args, "channel"))
    if found is None or (not found.is_member and (found.is_private or found.is_im)):
        raise Refusal("channel_not_found")
    return found


def joined(workspace: Workspace, args: Json) -> Channel:
    """Find a conversation that the bot is a member of."""
    found = channel(workspace, args)
    if not found.is_member:
        raise Refusal("not_in_channel")
    return found


def readable(workspace: Workspace, args: Json) -> Channel:
    """Find a conversation whose history the bot may read."""
    if not set(HISTORY) & set(workspace.scopes):
        raise missing_scope(workspace, ",".join(HISTORY))
    found = joined(workspace, args)
    needed = {"im": "im:history", "group": "groups:history"}.get(found.kind, "channels:history")
    if needed not in workspace.scopes:
        raise missing_scope(workspace, needed)
    return found


def missing_scope(workspace: Workspace, needed: str) -> Refusal:
    """Refuse for lack of a scope."""
    return Refusal("missing_scope", needed=needed, provided=",".join(workspace.scopes))
