"""Checks property values against a data source's schema, keeps them, and writes them back. Used by pages
and control.
"""

from collections.abc import Callable
from typing import Any

from discubot_pipeline.sandbox.notion import checks, text
from discubot_pipeline.sandbox.notion.checks import (
    MAX_OPTION,
    invalid,
    mapping,
    objects,
    only,
    quoted,
    string,
    wrong,
)
from discubot_pipeline.sandbox.notion.state import DataSource, NotionState, Option, Page, Property, new_id

READ_ONLY = frozenset({
    "formula", "rollup", "created_time", "created_by", "last_edited_time", "last_edited_by", "unique_id",
    "button",
})  # fmt: skip
EMPTY: dict[str, Any] = {
    "title": [], "rich_text": [], "multi_select": [], "people": [], "files": [], "relation": [],
    "checkbox": False,
}  # fmt: skip
CLEARED_BY_NULL = frozenset({"rich_text", "multi_select", "people", "files", "relation"})
Checker = Callable[[NotionState, Property, Any, str], Any]


def accept(state: NotionState, source: DataSource, given: Any, at: str = "body.properties") -> dict[str, Any]:
    """Check all given values; returns what to store by property id. New options are only made by `settle`."""
    stored: dict[str, Any] = {}
    for key, value in mapping(given, at).items():
        column = source.find(key)
        if column is None:
            raise invalid(f"{key} is not a property that exists.")
        stored[column.id] = _value(state, column, value, f"{at}.{key}")
    return stored


def _value(state: NotionState, column: Property, value: Any, at: str) -> Any:
    if column.type in READ_ONLY:
        raise invalid(f"{column.name} is a {column.type} property, which is read-only and cannot be set.")
    mapping(value, at)
    kinds = set(value) - {"id", "type", "name"}
    if kinds != {column.type} or value.get("type", column.type) != column.type:
        raise invalid(f"{column.name} is expected to be {column.type}.")
    if value[column.type] is None and column.type in CLEARED_BY_NULL:
        return []
    return CHECKERS[column.type](state, column, value[column.type], f"{at}.{column.type}")


def settle(source: DataSource, values: dict[str, Any]) -> None:
    """Add the select options that do not exist yet, once the whole call is known to be good."""
    for column in source.properties.values():
        chosen = values.get(column.id) if column.type in ("select", "multi_select") else None
        for option in chosen if isinstance(chosen, list) else [chosen] if chosen else []:
            if option not in column.options:
                column.options.append(option)


def _rich(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return text.rich_text(state, value, at)


def _number(state: NotionState, column: Property, value: Any, at: str) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise wrong(at, f"should be a number, instead was {quoted(value)}")
    return value


def _choice(column: Property, value: Any, at: str) -> Option:
    only(mapping(value, at), {"id", "name", "color", "description"}, at)
    if "id" not in value and "name" not in value:
        raise wrong(f"{at}.name", "should be defined")
    found = column.option(value)
    if found is None and ("name" not in value or column.type == "status"):
        name = value.get("name", value.get("id"))
        raise invalid(f'Invalid {column.type} option. {column.type.capitalize()} option "{name}" does not exist.')
    return found or _new_option(value["name"], at)


def _new_option(name: Any, at: str) -> Option:
    words = string(name, f"{at}.name", MAX_OPTION)
    if "," in words:
        raise invalid(f"Invalid select option, commas not allowed: {words}")
    if not words:
        raise wrong(f"{at}.name.length", "should be ≥ `1`, instead was `0`")
    return Option(new_id()[:4], words)


def _select(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return None if value is None else _choice(column, value, at)


def _multi_select(state: NotionState, column: Property, value: Any, at: str) -> Any:
    chosen: dict[str, Option] = {}
    for number, item in enumerate(objects(value, at)):
        option = _choice(column, item, f"{at}[{number}]")
        chosen.setdefault(option.name, option)
    return list(chosen.values())


def _date(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return None if value is None else text.date(value, at)


def _people(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return [checks.user(state, item, f"{at}[{n}]") for n, item in enumerate(objects(value, at))]


def _relation(state: NotionState, column: Property, value: Any, at: str) -> Any:
    ids = [checks.identity(item.get("id"), f"{at}[{n}].id") for n, item in enumerate(objects(value, at))]
    for id in ids:
        if id not in state.pages:
            raise checks.not_found("page", id)
    return [{"id": id} for id in ids]


def _checkbox(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return checks.boolean(value, at)


def _url(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return None if value is None else checks.url(value, at)


def _short(state: NotionState, column: Property, value: Any, at: str) -> Any:
    return None if value is None else string(value, at, 200)


def _files(state: NotionState, column: Property, value: Any, at: str) -> Any:
    for number, item in enumerate(objects(value, at)):
        only(item, {"type", "name", "external"}, f"{at}[{number}]")
        string(item.get("name"), f"{at}[{number}].name", 100)
        checks.url(
            mapping(item.get("external"), f"{at}[{number}].external").get("url"),
            f"{at}[{number}].external.url",
        )
    return value


CHECKERS: dict[str, Checker] = {
    "title": _rich, "rich_text": _rich, "number": _number, "select": _select, "status": _select,
    "multi_select": _multi_select, "date": _date, "people": _people, "relation": _relation,
    "checkbox": _checkbox,
    "url": _url, "email": _short, "phone_number": _short, "files": _files,
}  # fmt: skip


def kept(column: Property, page: Page) -> Any:
    """Return what is stored for a column, or its type's empty value."""
    return page.values.get(column.id, EMPTY.get(column.type))


def shown(state: NotionState, column: Property, page: Page) -> Any:
    """Return a page's value of a column as the API writes it."""
    value = kept(column, page)
    if isinstance(value, Option):
        return {"id": value.id, "name": value.name, "color": value.color}
    if column.type == "multi_select":
        return [{"id": o.id, "name": o.name, "color": o.color} for o in value]
    if column.type == "people":
        return [{"object": "user", "id": id, "name": state.users[id].name} for id in value]
    return value


def flat(state: NotionState, column: Property, page: Page) -> Any:
    """Return a page's value of a column as plain data: text, number, list of names."""
    value = kept(column, page)
    if isinstance(value, Option):
        return value.name
    if column.type in ("title", "rich_text"):
        return text.plain(value)
    if column.type == "multi_select":
        return [option.name for option in value]
    if column.type == "people":
        return [state.users[id].name for id in value]
    if column.type == "date" and value is not None:
        return value["start"] if value["end"] is None else f"{value['start']} → {value['end']}"
    return value


def title_of(state: NotionState, page: Page) -> str:
    """Return a page's title."""
    if page.source_id is None:
        return text.plain(page.values.get("title", []))
    columns = state.sources[page.source_id].properties.values()
    return next((str(flat(state, c, page)) for c in columns if c.type == "title"), "")
