"""Words and small checks that all of Notion's validation shares: errors, lengths, keys, ids."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from discubot_pipeline.sandbox.notion.state import NotionState, normal_id
from discubot_pipeline.sandbox.wire import Json

MAX_TEXT = 2000
MAX_URL = 2000
MAX_ITEMS = 100
MAX_OPTION = 100
COLORS = frozenset(
    f"{color}{suffix}"
    for color in ("default", "gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
    for suffix in ("", "_background")
)


class Refusal(Exception):
    """An answer with an error: status, code, message and perhaps additional data."""

    def __init__(self, status: int, code: str, message: str, **additional: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.additional = additional


def invalid(message: str, **additional: Any) -> Refusal:
    """Refuse with Notion's validation error."""
    return Refusal(400, "validation_error", message, **additional)


def wrong(at: str, words: str) -> Refusal:
    """Refuse one place of the body."""
    return invalid(f"body failed validation: {at} {words}.")


def not_found(kind: str, id: str) -> Refusal:
    """Refuse what does not exist or is not shared."""
    advice = "Make sure the relevant pages and databases are shared with your integration."
    return Refusal(404, "object_not_found", f"Could not find {kind} with ID: {id}. {advice}")


def body_of(raw: bytes) -> Json:
    """Parse a JSON object; no body is an empty one."""
    try:
        found = json.loads(raw, parse_constant=_no_number) if raw.strip() else {}
    except (ValueError, RecursionError) as problem:
        raise Refusal(400, "invalid_json", "Error parsing JSON body.") from problem
    if not isinstance(found, dict):
        raise Refusal(400, "invalid_json", "Error parsing JSON body.")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def units(text: str) -> int:
    """Count UTF-16 code units, as Notion does."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def only(found: Json, allowed: set[str], at: str) -> None:
    """Refuse keys that do not belong there."""
    extra = sorted(set(found) - allowed)
    if extra:
        raise wrong(f"{at}.{extra[0]}", "should be not present, instead was " + quoted(found[extra[0]]))


def quoted(value: Any) -> str:
    """Quote what was sent, shortened."""
    return f"`{json.dumps(value)[:100]}`"


def objects(value: Any, at: str) -> list[Json]:
    """Demand an array of at most 100 objects."""
    if not isinstance(value, list):
        raise wrong(at, f"should be an array, instead was {quoted(value)}")
    if len(value) > MAX_ITEMS:
        raise wrong(f"{at}.length", f"should be ≤ `{MAX_ITEMS}`, instead was `{len(value)}`")
    for number, item in enumerate(value):
        mapping(item, f"{at}[{number}]")
    return value


def mapping(value: Any, at: str) -> Json:
    """Demand an object."""
    if not isinstance(value, dict):
        raise wrong(at, f"should be an object, instead was {quoted(value)}")
    return value


def string(value: Any, at: str, most: int = MAX_TEXT) -> str:
    """Demand a string of bounded length."""
    if not isinstance(value, str):
        raise wrong(at, "should be defined" if value is None else f"should be a string, instead was {quoted(value)}")
    if units(value) > most:
        raise wrong(f"{at}.length", f"should be ≤ `{most}`, instead was `{units(value)}`")
    return value


def boolean(value: Any, at: str) -> bool:
    """Demand true or false."""
    if not isinstance(value, bool):
        raise wrong(at, f"should be a boolean, instead was {quoted(value)}")
    return value


def url(value: Any, at: str) -> str:
    """Demand a web address."""
    found = string(value, at, MAX_URL)
    try:
        parts = urlsplit(found)
    except ValueError as problem:
        raise invalid("Invalid URL for link.") from problem
    bare = parts.scheme == "mailto" and bool(parts.path)
    if re.search(r"\s", found) or not (bare or (parts.scheme in ("http", "https") and parts.hostname)):
        raise invalid("Invalid URL for link.")
    return found


def identity(value: Any, at: str) -> str:
    """Demand an id."""
    found = normal_id(value)
    if found is None:
        raise wrong(at, f"should be a valid uuid, instead was {quoted(value)}")
    return found


def user(state: NotionState, value: Json, at: str) -> str:
    """Demand the id of a known user."""
    only(value, {"object", "id", "name", "avatar_url", "type", "person", "bot"}, at)
    found = identity(value.get("id"), f"{at}.id")
    if found not in state.users:
        raise not_found("user", found)
    return found
