"""Checks rich text and writes it back as Notion does. Used by property values and blocks."""

import re
from datetime import datetime
from typing import Any

from discubot_pipeline.sandbox.notion import checks
from discubot_pipeline.sandbox.notion.checks import MAX_TEXT, invalid, mapping, only, quoted, string, wrong
from discubot_pipeline.sandbox.notion.state import NotionState
from discubot_pipeline.sandbox.wire import Json

KINDS = ("text", "mention", "equation")
STYLES = ("bold", "italic", "strikethrough", "underline", "code")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def rich_text(state: NotionState, value: Any, at: str) -> list[Json]:
    """Check an array of rich text and return it complete."""
    return [_piece(state, item, f"{at}[{n}]") for n, item in enumerate(checks.objects(value, at))]


def _piece(state: NotionState, item: Json, at: str) -> Json:
    kind = item.get("type") or next((k for k in KINDS if k in item), None)
    if kind not in KINDS:
        raise wrong(f"{at}.type", f"should be one of {', '.join(KINDS)}, instead was {quoted(item.get('type'))}")
    only(item, {"type", kind, "annotations", "plain_text", "href"}, at)
    content = mapping(item.get(kind), f"{at}.{kind}")
    readers = {"text": _text, "mention": _mention, "equation": _equation}
    shown, plain, href = readers[kind](state, content, f"{at}.{kind}")
    marks = _annotations(item.get("annotations") or {}, f"{at}.annotations")
    return {"type": kind, kind: shown, "annotations": marks, "plain_text": plain, "href": href}


def _text(state: NotionState, content: Json, at: str) -> tuple[Json, str, str | None]:
    only(content, {"content", "link"}, at)
    words = string(content.get("content"), f"{at}.content")
    link = content.get("link")
    if link is None:
        return {"content": words, "link": None}, words, None
    only(mapping(link, f"{at}.link"), {"url", "type"}, f"{at}.link")
    href = checks.url(link.get("url"), f"{at}.link.url")
    return {"content": words, "link": {"url": href}}, words, href


def _equation(state: NotionState, content: Json, at: str) -> tuple[Json, str, str | None]:
    only(content, {"expression"}, at)
    words = string(content.get("expression"), f"{at}.expression", 1000)
    return {"expression": words}, words, None


def _mention(state: NotionState, content: Json, at: str) -> tuple[Json, str, str | None]:
    kind = content.get("type") or next(iter(content), None)
    only(content, {"type", str(kind)}, at)
    target = mapping(content.get(str(kind)), f"{at}.{kind}")
    if kind == "user":
        id = checks.user(state, target, f"{at}.user")
        return {"type": "user", "user": {"object": "user", "id": id}}, f"@{state.users[id].name}", None
    if kind == "date":
        shown = date(target, f"{at}.date")
        return {"type": "date", "date": shown}, str(shown["start"]), None
    if kind in ("page", "database"):
        id = checks.identity(target.get("id"), f"{at}.{kind}.id")
        if id not in (state.pages if kind == "page" else state.databases):
            raise checks.not_found(kind, id)
        return {"type": kind, kind: {"id": id}}, "Untitled", state.url(id)
    raise wrong(f"{at}.type", f"should be one of user, date, page, database, instead was {quoted(kind)}")


def _annotations(found: Any, at: str) -> Json:
    only(mapping(found, at), {*STYLES, "color"}, at)
    marks: Json = {style: checks.boolean(found.get(style, False), f"{at}.{style}") for style in STYLES}
    return marks | {"color": color(found.get("color", "default"), at)}


def color(value: Any, at: str) -> str:
    """Demand one of Notion's colours."""
    if not isinstance(value, str) or value not in checks.COLORS:
        raise wrong(f"{at}.color", f"should be a known color, instead was {quoted(value)}")
    return value


def date(value: Any, at: str) -> Json:
    """Check a date with its optional end and time zone."""
    only(mapping(value, at), {"start", "end", "time_zone"}, at)
    moment(value.get("start"), f"{at}.start")
    if value.get("end") is not None:
        moment(value["end"], f"{at}.end")
    if value.get("time_zone") is not None:
        string(value["time_zone"], f"{at}.time_zone")
    return {"start": value["start"], "end": value.get("end"), "time_zone": value.get("time_zone")}


def moment(value: Any, at: str) -> datetime:
    """Demand an ISO 8601 date or time."""
    found = string(value, at)
    try:
        parsed = datetime.fromisoformat(found)
    except ValueError as problem:
        raise wrong(at, f"should be a valid ISO 8601 date string, instead was {quoted(value)}") from problem
    if not DAY.match(found):
        raise wrong(at, f"should be a valid ISO 8601 date string, instead was {quoted(value)}")
    return parsed


def plain(pieces: list[Json]) -> str:
    """Join rich text to what a person reads."""
    return "".join(piece["plain_text"] for piece in pieces)


def piece(words: str) -> Json:
    """Write a plain piece of rich text."""
    if len(words) > MAX_TEXT:
        raise invalid("too long for one piece")
    marks: Json = dict.fromkeys(STYLES, False) | {"color": "default"}
    text = {"content": words, "link": None}
    return {"type": "text", "text": text, "annotations": marks, "plain_text": words, "href": None}
