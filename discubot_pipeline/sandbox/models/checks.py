"""Small checks that both kinds of API share: bodies, keys, values, and what a schema may hold."""

import json
from collections.abc import Iterator
from typing import Any

from discubot_pipeline.sandbox.wire import Call, Json


class Refusal(Exception):
    """An error of the API: its status, kind, words, the parameter they are about, and headers."""

    def __init__(
        self, status: int, kind: str, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code


def wrong(message: str, param: str | None = None) -> Refusal:
    """Refuse a request for what is in it."""
    return Refusal(400, "invalid_request_error", message, param=param)


def body_of(call: Call) -> Json:
    """Parse the JSON object of a request."""
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise wrong("the content type must be application/json")
    try:
        found = json.loads(call.body)
    except (ValueError, RecursionError) as problem:
        raise wrong("the body is no JSON") from problem
    if not isinstance(found, dict):
        raise wrong("the body must be an object")
    return found


def only(found: Json, allowed: frozenset[str], at: str = "") -> None:
    """Refuse keys that do not belong there."""
    for key in found:
        if key not in allowed:
            raise wrong(f"{at}{key}: Extra inputs are not permitted", f"{at}{key}")


def text(found: Json, key: str) -> str:
    """Demand a text that says something."""
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise wrong(f"{key}: Field required", key)
    return value


def count(found: Json, key: str, most: int, least: int = 1) -> int | None:
    """Take an optional whole number within bounds."""
    value = found.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(f"{key}: must be a whole number from {least} to {most}", key)
    return value


def items(found: Json, key: str) -> list[Json]:
    """Demand a list of objects that is not empty."""
    value = found.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise wrong(f"{key}: must be a list of objects", key)
    return value


def schema(value: Any, at: str, forbidden: frozenset[str], *, all_required: bool) -> Json:
    """Demand a JSON schema that can be enforced: objects are closed, and in OpenAI's strict mode name all they have."""
    if not isinstance(value, dict) or value.get("type") != "object":
        raise wrong(f"{at}: schema must have type object", at)
    for part in walk(value):
        strange = sorted(forbidden & set(part))
        if strange:
            raise wrong(f"{at}: '{strange[0]}' is not supported in schemas", at)
        if part.get("type") != "object":
            continue
        if part.get("additionalProperties") is not False:
            raise wrong(f"{at}: 'additionalProperties' is required to be supplied and to be false", at)
        if all_required and set(part.get("required", ())) != set(part.get("properties", {})):
            raise wrong(f"{at}: 'required' must include every key in properties", at)
    return value


def walk(value: Any) -> Iterator[Json]:
    """Go through a schema and all schemas in it."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    if not isinstance(value, dict):
        return
    yield value
    for key, inner in value.items():
        if key in ("properties", "$defs"):
            yield from walk(list(inner.values()))
        elif key in ("items", "anyOf", "allOf", "oneOf", "not"):
            yield from walk(inner)
