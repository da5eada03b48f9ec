"""Reads how a task's page stands: which property is its status, and whether that means done. Used by `notion.py`."""

from collections.abc import Iterator
from typing import Any

from discubot_pipeline.adapters.notionapi import Answer, Notion
from discubot_pipeline.adapters.options import words
from discubot_pipeline.adapters.pagetext import plain_text
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.task import Standing

STATUS_NAMES = ("status", "state", "task status", "stage", "progress", "phase")
TICK_NAMES = ("done", "completed", "complete", "finished", "closed")
DONE = frozenset({"done", "complete", "completed", "finished", "closed", "resolved", "shipped", "released", "fixed"})
GIVEN_UP = frozenset(
    {"cancelled", "canceled", "abandoned", "declined", "duplicate", "dropped", "obsolete", "rejected", "wont"}
)
"""Words of a status that ends a task without its being done, wherever it is grouped."""


def read_standing(notion: Notion, page_id: str) -> Standing | None:
    """Read a page's title and status; None when it is in the trash."""
    page = notion.read("GET", f"/v1/pages/{page_id}")
    if page.get("in_trash"):
        return None
    properties = page.get("properties") or {}
    title = next((plain_text(about["title"]) for about in properties.values() if about.get("type") == "title"), "")
    found = _status(properties)
    if found is None:
        return Standing(title=title, is_done=any(_ticks(properties)))
    value = found.get(found["type"]) or {}
    name = str(value.get("name") or "")
    is_done = bool(name) and (_is_done(name) or _is_complete(notion, page, found, value.get("id")))
    return Standing(title=title, status=name or None, is_done=is_done and not _is_given_up(name))


def _status(properties: dict[str, Any]) -> Answer | None:
    """Choose the status: a property of that type, a well-known name first, else a select of such a name."""
    for kind in ("status", "select"):
        named = {words(name): about for name, about in properties.items() if about.get("type") == kind}
        known = [named[name] for name in STATUS_NAMES if name in named]
        chosen = known or (list(named.values()) if kind == "status" else [])
        if chosen:
            return chosen[0]  # type: ignore[no-any-return]
    return None


def _ticks(properties: dict[str, Any]) -> Iterator[bool]:
    """Give the boxes that say whether a task is done."""
    for name, about in properties.items():
        if about.get("type") == "checkbox" and words(name) in TICK_NAMES:
            yield bool(about.get("checkbox"))


def _is_done(name: str) -> bool:
    return not DONE.isdisjoint(words(name).split()) and "not" not in words(name).split()


def _is_given_up(name: str) -> bool:
    said = words(name.replace("\u2019", "").replace("'", ""))
    return not GIVEN_UP.isdisjoint(said.split())


def _is_complete(notion: Notion, page: Answer, found: Answer, option_id: Any) -> bool:
    """Look the option up among the groups of a status property: the group that is complete is the last one."""
    if found["type"] != "status":
        return False
    groups = _groups(notion, page, str(found.get("id")))
    complete = [group for group in groups if words(str(group.get("name"))) == "complete"] or groups[-1:]
    return any(option_id in group.get("option_ids", ()) for group in complete)


def _groups(notion: Notion, page: Answer, property_id: str) -> list[Answer]:
    parent = page.get("parent") or {}
    source, database = parent.get("data_source_id"), parent.get("database_id")
    path = f"/v1/data_sources/{source}" if source else f"/v1/databases/{database}" if database else None
    try:
        properties = (notion.read("GET", path).get("properties") or {}) if path else {}
    except Permanent:
        return []
    about: Answer = next((about for about in properties.values() if about.get("id") == property_id), {})
    groups = (about.get("status") or {}).get("groups")
    return groups if isinstance(groups, list) else []
