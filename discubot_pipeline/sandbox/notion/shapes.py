"""How Notion writes its things as JSON, by API version. Used by the API and by control."""

from datetime import UTC, datetime

from discubot_pipeline.sandbox.notion import text, values
from discubot_pipeline.sandbox.notion.state import (
    Block,
    Comment,
    Database,
    DataSource,
    NotionState,
    Option,
    Page,
    Property,
    User,
)
from discubot_pipeline.sandbox.wire import Json

OLD, MIDDLE, NEW = "2022-06-28", "2025-09-03", "2026-03-11"
VERSIONS = (OLD, MIDDLE, NEW)
WORKSPACE_ID = "5a2b0c1d-0000-4000-8000-00000000acee"
GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))


def minute(at: float) -> str:
    """Write a time the way pages and blocks carry it: cut to the minute."""
    return datetime.fromtimestamp(at // 60 * 60, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def by(user_id: str) -> Json:
    """Refer to a user."""
    return {"object": "user", "id": user_id}


def trash(version: str, in_trash: bool) -> Json:
    """Write the trash flag; before the newest version there is its old name too."""
    return {"in_trash": in_trash} | ({"archived": in_trash} if version != NEW else {})


def user(state: NotionState, found: User) -> Json:
    """Write a person or bot."""
    head = {"object": "user", "id": found.id, "name": found.name, "avatar_url": None}
    if found.is_bot:
        bot = {
            "owner": {"type": "workspace", "workspace": True},
            "workspace_id": WORKSPACE_ID,
            "workspace_name": "Sandbox",
        }
        return head | {"type": "bot", "bot": bot | {"workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880}}}
    person = {"email": found.email, "email_verified": True} if found.email else {}
    return head | {"type": "person", "person": person}


def database(state: NotionState, found: Database, version: str) -> Json:
    """Write a database: with its columns in the oldest version, as a container of data sources since."""
    body = {
        "object": "database", "id": found.id, "title": [text.piece(found.title)], "description": [],
        "parent": {"type": "workspace", "workspace": True}, "is_inline": False, "icon": None, "cover": None,
        "created_time": minute(found.created), "last_edited_time": minute(found.created),
        "url": state.url(found.id),
        "public_url": None, **trash(version, False),
    }  # fmt: skip
    if version == OLD:
        return body | {"properties": schema(state.sources[found.sources[0]])}
    names = [{"id": id, "name": state.sources[id].name} for id in found.sources]
    return body | {"is_locked": False, "data_sources": names}


def data_source(state: NotionState, found: DataSource, version: str) -> Json:
    """Write a data source with its columns."""
    created = state.databases[found.database_id].created
    founder = by(next(iter(state.users)))
    return {
        "object": "data_source", "id": found.id, "title": [text.piece(found.name)], "description": [],
        "properties": schema(found), "parent": {"type": "database_id", "database_id": found.database_id},
        "database_parent": {"type": "workspace", "workspace": True}, "is_inline": False, "icon": None,
        "cover": None, "created_time": minute(created), "last_edited_time": minute(created),
        "created_by": founder, "last_edited_by": founder,
        "url": state.url(found.database_id),
        "public_url": None, **trash(version, False),
    }  # fmt: skip


def schema(source: DataSource) -> Json:
    """Write the columns."""
    return {name: column(found) for name, found in source.properties.items()}


def column(found: Property) -> Json:
    """Write one column with its options."""
    inner: Json = {}
    if found.type in ("select", "multi_select", "status"):
        inner = {"options": [option(o) for o in found.options]}
    if found.type == "number":
        inner = {"format": "number"}
    if found.type == "status":
        inner["groups"] = _groups(found.options)
    return {"id": found.id, "name": found.name, "description": None, "type": found.type, found.type: inner}


def option(found: Option) -> Json:
    """Write an option of a column."""
    return {"id": found.id, "name": found.name, "color": found.color, "description": None}


def _groups(options: list[Option]) -> list[Json]:
    """Put the first option under to-do, the last under complete, the others between."""
    parts = [options[:1], options[1:-1], options[-1:] if len(options) > 1 else []]
    return [
        {"id": f"group-{n}", "name": name, "color": color, "option_ids": [o.id for o in part]}
        for n, ((name, color), part) in enumerate(zip(GROUPS, parts, strict=True))
    ]


def page(state: NotionState, found: Page, version: str, only: list[str] | None = None) -> Json:
    """Write a page; `only` names the property ids or names to show."""
    return {
        "object": "page", "id": found.id, "created_time": minute(found.created),
        "last_edited_time": minute(found.edited),
        "created_by": by(found.by), "last_edited_by": by(found.edited_by or found.by), "cover": found.cover,
        "icon": found.icon, "parent": _parent(state, found, version), "is_archived": False,
        "is_locked": False,
        "properties": _values(state, found, only), "url": state.url(found.id), "public_url": None,
        **trash(version, found.in_trash),
    }  # fmt: skip


def _parent(state: NotionState, found: Page, version: str) -> Json:
    if found.source_id is None and found.parent_page is None:
        return {"type": "workspace", "workspace": True}
    if found.source_id is None:
        return {"type": "page_id", "page_id": found.parent_page}
    database_id = state.sources[found.source_id].database_id
    if version == OLD:
        return {"type": "database_id", "database_id": database_id}
    return {"type": "data_source_id", "data_source_id": found.source_id, "database_id": database_id}


def _values(state: NotionState, found: Page, only: list[str] | None) -> Json:
    if found.source_id is None:
        return {"title": {"id": "title", "type": "title", "title": found.values.get("title", [])}}
    columns = state.sources[found.source_id].properties.values()
    return {
        c.name: {"id": c.id, "type": c.type, c.type: _value(state, c, found)}
        for c in columns
        if not only or c.id in only or c.name in only
    }


def _value(state: NotionState, found: Property, of: Page) -> object:
    times = {"created_time": of.created, "last_edited_time": of.edited}
    if found.type in times:
        return minute(times[found.type])
    users = {"created_by": of.by, "last_edited_by": of.edited_by or of.by}
    return by(users[found.type]) if found.type in users else values.shown(state, found, of)


def block(state: NotionState, found: Block, version: str) -> Json:
    """Write a block without its children."""
    parent = {"type": "page_id", "page_id": found.parent}
    if found.parent in state.blocks:
        parent = {"type": "block_id", "block_id": found.parent}
    return {
        "object": "block", "id": found.id, "parent": parent, "created_time": minute(found.created),
        "last_edited_time": minute(found.created), "created_by": by(found.by), "last_edited_by": by(found.by),
        "has_children": bool(found.children), "type": found.type, found.type: found.content,
        **trash(version, False),
    }  # fmt: skip


def page_as_block(state: NotionState, found: Page, version: str) -> Json:
    """Write a page where a block was asked for."""
    return {
        "object": "block", "id": found.id, "parent": _parent(state, found, version),
        "created_time": minute(found.created), "last_edited_time": minute(found.edited),
        "created_by": by(found.by),
        "last_edited_by": by(found.edited_by or found.by), "has_children": bool(found.children),
        "type": "child_page",
        "child_page": {"title": values.title_of(state, found)}, **trash(version, found.in_trash),
    }  # fmt: skip


def comment(state: NotionState, found: Comment) -> Json:
    """Write a comment."""
    kind = "page_id" if found.parent in state.pages else "block_id"
    writer = state.users[found.by]
    return {
        "object": "comment", "id": found.id, "parent": {"type": kind, kind: found.parent},
        "discussion_id": found.discussion_id, "created_time": minute(found.created),
        "last_edited_time": minute(found.created), "created_by": by(found.by), "rich_text": found.rich_text,
        "display_name": {"type": "integration" if writer.is_bot else "user", "resolved_name": writer.name},
    }  # fmt: skip


def listing(results: list[Json], cursor: str | None, type: str) -> Json:
    """Write one page of a list."""
    return {
        "object": "list", "results": results, "next_cursor": cursor, "has_more": cursor is not None,
        "type": type, type: {},
    }  # fmt: skip
