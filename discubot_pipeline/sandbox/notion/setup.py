"""Makes databases with their columns, as a person would in Notion. Used by the default world and by
control.
"""

import uuid

from discubot_pipeline.sandbox.notion import blocks, text
from discubot_pipeline.sandbox.notion.state import Database, DataSource, NotionState, Option, Page, Property, new_id
from discubot_pipeline.sandbox.notion.values import CHECKERS, READ_ONLY
from discubot_pipeline.sandbox.wire import Json

TYPES = frozenset(CHECKERS) | READ_ONLY
STATUS = ("Not started", "In progress", "Done")
OPTION_COLORS = {
    "High": "red",
    "Medium": "yellow",
    "Low": "green",
    "Done": "green",
    "In progress": "blue",
    "Bug": "red",
}


class UnknownType(ValueError):
    """A column of a type that Notion does not have."""


def add_database(
    state: NotionState, title: str, tokens: set[str], *, title_property: str = "Name",
    columns: Json | None = None,
    data_sources: int = 1, ids: list[str] | None = None,
) -> Database:  # fmt: skip
    """Add a database that the tokens' connections share; its sources have the same columns."""
    wanted = ids or [new_id() for _ in range(data_sources + 1)]
    database = Database(wanted[0], title, set(tokens))
    for number, id in enumerate(wanted[1:]):
        source = DataSource(id, database.id, title if number == 0 else f"{title} {number + 1}")
        source.properties = _columns(id, title_property, columns or {})
        state.sources[id] = source
        database.sources.append(id)
    state.databases[database.id] = database
    state.changed()
    return database


def add_document(
    state: NotionState, title: str, tokens: set[str], children: list[Json], id: str | None = None
) -> Page:  # fmt: skip
    """Add a page of its own, written by a person, that the tokens' connections share."""
    drafts = blocks.accept(state, children)
    person = next(user.id for user in state.users.values() if not user.is_bot)
    page = Page(id or new_id(), person, values={"title": [text.piece(title)]}, tokens=frozenset(tokens))
    state.pages[page.id] = page
    page.children = blocks.store(state, drafts, page.id, person)
    state.changed()
    return page


def _columns(source_id: str, title_property: str, columns: Json) -> dict[str, Property]:
    made = {title_property: Property("title", title_property, "title")}
    for name, column in columns.items():
        made[name] = _column(source_id, name, column)
    return made


def _column(source_id: str, name: str, column: Json | str) -> Property:
    described: Json = {"type": column} if isinstance(column, str) else column
    kind = str(described.get("type"))
    if kind not in TYPES or kind == "title":
        raise UnknownType(f"{name}: no column type {kind}")
    options = described.get("options") or (STATUS if kind == "status" else ())
    return Property(_short(source_id + name), name, kind, [_option(source_id + name, o) for o in options])


def _option(owner: str, name: str) -> Option:
    return Option(_short(owner + ":" + name), name, OPTION_COLORS.get(name, "default"))


def _short(seed: str) -> str:
    """Make a short id that stays the same for the same name."""
    return uuid.uuid5(uuid.NAMESPACE_OID, seed).hex[:8]
