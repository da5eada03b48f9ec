"""Filters, sorts and paging of queries. Used by the API's query and list endpoints."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from discubot_pipeline.sandbox.notion import checks, text, values
from discubot_pipeline.sandbox.notion.checks import identity, invalid, mapping, only, quoted, string, wrong
from discubot_pipeline.sandbox.notion.state import DataSource, NotionState, Page, Property
from discubot_pipeline.sandbox.wire import Json

MAX_PAGE = 100
TIMES = ("created_time", "last_edited_time")
WORDS = (
    "equals",
    "does_not_equal",
    "contains",
    "does_not_contain",
    "starts_with",
    "ends_with",
    "is_empty",
    "is_not_empty",
)
CHOICE = ("equals", "does_not_equal", "is_empty", "is_not_empty")
MANY = ("contains", "does_not_contain", "is_empty", "is_not_empty")
DATES = ("equals", "before", "after", "on_or_before", "on_or_after", "is_empty", "is_not_empty")
NUMBERS = (
    "equals", "does_not_equal", "greater_than", "less_than", "greater_than_or_equal_to",
    "less_than_or_equal_to",
    "is_empty", "is_not_empty",
)  # fmt: skip
CONDITIONS: dict[str, tuple[str, ...]] = {
    "title": WORDS, "rich_text": WORDS, "url": WORDS, "email": WORDS, "phone_number": WORDS, "status": CHOICE,
    "select": CHOICE, "multi_select": MANY, "people": MANY, "relation": MANY, "checkbox": ("equals",
    "does_not_equal"),
    "date": DATES, "number": NUMBERS,
}  # fmt: skip
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: bool(a == b),
    "does_not_equal": lambda a, b: bool(a != b),
    "contains": lambda a, b: b in (a or ""),
    "does_not_contain": lambda a, b: b not in (a or ""),
    "starts_with": lambda a, b: (a or "").startswith(b),
    "ends_with": lambda a, b: (a or "").endswith(b),
    "is_empty": lambda a, b: a in (None, "", []),
    "is_not_empty": lambda a, b: a not in (None, "", []),
    "before": lambda a, b: a is not None and a < b,
    "after": lambda a, b: a is not None and a > b,
    "on_or_before": lambda a, b: a is not None and a <= b,
    "on_or_after": lambda a, b: a is not None and a >= b,
}
TESTS |= {"less_than": TESTS["before"], "greater_than": TESTS["after"]}
TESTS |= {"less_than_or_equal_to": TESTS["on_or_before"], "greater_than_or_equal_to": TESTS["on_or_after"]}
Keep = Callable[[Page], bool]


def matching(state: NotionState, source: DataSource, body: Json) -> list[Page]:
    """Return the rows that a query finds, in its order; without sorts the order is arbitrary but fixed."""
    only(body, {"filter", "sorts", "start_cursor", "page_size", "in_trash", "archived", "result_type"}, "body")
    keep = condition(state, source, body["filter"], "body.filter", 0) if body.get("filter") else lambda page: True
    seen = time.time() - state.limits.query_lag_seconds
    trashed = checks.boolean(body.get("in_trash", body.get("archived", False)), "body.in_trash")
    rows = [p for p in state.rows(source) if p.in_trash == trashed and p.created <= seen and keep(p)]
    rows.sort(key=lambda page: page.id)
    for key, descending in reversed(_sorts(state, source, body.get("sorts") or [])):
        rows.sort(key=key, reverse=descending)
    return rows


def condition(state: NotionState, source: DataSource, given: Any, at: str, depth: int) -> Keep:
    """Check a filter and turn it into a test of one page."""
    mapping(given, at)
    for word, gather in (("and", all), ("or", any)):
        if word in given:
            return _compound(state, source, given, word, gather, at, depth)
    if "timestamp" in given:
        return _time_condition(given, at)
    return _property_condition(state, source, given, at)


def _compound(
    state: NotionState,
    source: DataSource,
    given: Json,
    word: str,
    gather: Callable[[list[bool]], bool],
    at: str,
    depth: int,
) -> Keep:
    only(given, {word}, at)
    if depth == 2 or not isinstance(given[word], list):
        raise wrong(f"{at}.{word}", "should be an array nested at most twice")
    parts = [condition(state, source, part, f"{at}.{word}[{n}]", depth + 1) for n, part in enumerate(given[word])]
    return lambda page: gather([part(page) for part in parts])


def _time_condition(given: Json, at: str) -> Keep:
    name = given["timestamp"]
    if name not in TIMES:
        raise wrong(f"{at}.timestamp", f"should be one of {', '.join(TIMES)}, instead was {quoted(name)}")
    only(given, {"timestamp", name}, at)
    word, wanted = _test(given.get(name), DATES[:5], f"{at}.{name}")
    limit = _utc(text.moment(wanted, f"{at}.{name}.{word}"))
    attribute = "created" if name == "created_time" else "edited"
    return lambda page: TESTS[word](_minute(getattr(page, attribute)), limit)


def _property_condition(state: NotionState, source: DataSource, given: Json, at: str) -> Keep:
    key = string(given.get("property"), f"{at}.property")
    column = source.find(key)
    if column is None:
        raise invalid(f"Could not find property with name or id: {key}")
    kinds = sorted(set(given) - {"property", "type"})
    if kinds != [column.type] or column.type not in CONDITIONS:
        raise invalid(f"database property {column.type} does not match filter {', '.join(kinds) or 'undefined'}")
    word, wanted = _test(given[column.type], CONDITIONS[column.type], f"{at}.{column.type}")
    _check_wanted(column, word, wanted, f"{at}.{column.type}.{word}")
    return lambda page: TESTS[word](_comparable(state, column, page), wanted)


def _test(given: Any, allowed: tuple[str, ...], at: str) -> tuple[str, Any]:
    found = list(mapping(given, at).items())
    if len(found) != 1 or found[0][0] not in allowed:
        raise wrong(at, f"should have exactly one of {', '.join(allowed)}, instead was {quoted(given)}")
    return found[0]


def _check_wanted(column: Property, word: str, wanted: Any, at: str) -> None:
    if word.endswith("_empty"):
        right = wanted is True
    elif column.type in ("checkbox", "number"):
        right = isinstance(wanted, bool if column.type == "checkbox" else int | float)
    elif column.type in ("people", "relation"):
        right = bool(identity(wanted, at))
    else:
        right = isinstance(wanted, str)
    if not right:
        raise wrong(at, f"has the wrong type, instead was {quoted(wanted)}")
    if column.type in ("status", "select") and word == "equals" and column.option({"name": wanted}) is None:
        raise invalid(f'{column.type} option "{wanted}" not found for property "{column.name}".')


def _comparable(state: NotionState, column: Property, page: Page) -> Any:
    """Return what filters compare: plain data, but ids of people and pages."""
    value = values.kept(column, page)
    if column.type == "people":
        return value
    if column.type == "relation":
        return [item["id"] for item in value]
    if column.type == "date":
        return value["start"] if value else None
    return values.flat(state, column, page)


def _minute(at: float) -> datetime:
    return datetime.fromtimestamp(at // 60 * 60, UTC)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sorts(state: NotionState, source: DataSource, given: Any) -> list[tuple[Callable[[Page], Any], bool]]:
    if not isinstance(given, list):
        raise wrong("body.sorts", f"should be an array, instead was {quoted(given)}")
    return [_sort(state, source, mapping(item, f"body.sorts[{n}]"), f"body.sorts[{n}]") for n, item in enumerate(given)]


def _sort(state: NotionState, source: DataSource, item: Json, at: str) -> tuple[Callable[[Page], Any], bool]:
    only(item, {"property", "timestamp", "direction"}, at)
    if item.get("direction") not in ("ascending", "descending"):
        raise wrong(f"{at}.direction", "should be `ascending` or `descending`")
    descending = item["direction"] == "descending"
    if "timestamp" in item:
        if item["timestamp"] not in TIMES:
            raise wrong(f"{at}.timestamp", f"should be one of {', '.join(TIMES)}")
        attribute = "created" if item["timestamp"] == "created_time" else "edited"
        return lambda page: _minute(getattr(page, attribute)), descending
    column = source.find(string(item.get("property"), f"{at}.property"))
    if column is None:
        raise invalid(f"Could not find sort property with name or id: {item['property']}")
    return lambda page: str(values.flat(state, column, page) or ""), descending


def cut(keys: list[str], size: Any, cursor: Any, cap: int | None = None) -> tuple[slice, str | None, bool]:
    """Choose one page of ordered ids: where it lies, the next cursor, whether the cap cut the list."""
    start = 0
    if cursor is not None:
        if identity(cursor, "body.start_cursor") not in keys[:cap]:
            raise invalid(f"The start_cursor provided is invalid: {cursor}")
        start = keys.index(identity(cursor, "body.start_cursor"))
    end = min(start + page_size(size), cap or len(keys))
    more = end < min(len(keys), cap or len(keys))
    return slice(start, end), keys[end] if more else None, cap is not None and not more and len(keys) > cap


def page_size(value: Any) -> int:
    """Check a page size, 100 when absent."""
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if number is None:
        return MAX_PAGE
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_PAGE:
        raise wrong("body.page_size", f"should be between `1` and `{MAX_PAGE}`, instead was {quoted(value)}")
    return number
