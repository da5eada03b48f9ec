"""What each endpoint of Notion's API does. Listed in the table of notion/api.py."""

import time
from collections.abc import Callable
from typing import Any

from discubot_pipeline.sandbox.notion import blocks, query, shapes, text, values
from discubot_pipeline.sandbox.notion.checks import (
    identity,
    invalid,
    mapping,
    not_found,
    only,
    wrong,
)
from discubot_pipeline.sandbox.notion.shapes import NEW, OLD
from discubot_pipeline.sandbox.notion.state import (
    Block,
    DataSource,
    News,
    NotionState,
    Page,
    new_id,
)
from discubot_pipeline.sandbox.notion.visit import Visit
from discubot_pipeline.sandbox.wire import Json


def me(visit: Visit) -> Json:
    """Return the bot of the token."""
    return shapes.user(visit.state, visit.state.users[visit.who.bot_id])


def users(visit: Visit) -> Json:
    """List people and bots."""
    visit.require("read_users")
    return paged(visit, list(visit.state.users), "user", lambda id: shapes.user(visit.state, visit.state.users[id]))


def user(visit: Visit) -> Json:
    """Return one person or bot."""
    if visit.id not in visit.state.users:
        raise not_found("user", visit.id)
    return shapes.user(visit.state, visit.state.users[visit.id])


def paged(visit: Visit, keys: list[str], kind: str, write: Callable[[str], Json]) -> Json:
    """List things by the page that the query parameters ask for."""
    where, cursor, _ = query.cut(keys, visit.asked("page_size"), visit.asked("start_cursor"))
    return shapes.listing([write(key) for key in keys[where]], cursor, kind)


def database(visit: Visit) -> Json:
    """Return a database; the oldest version knows only those with one data source."""
    found = visit.database(visit.id)
    if visit.version == OLD:
        visit.sole_source(visit.id)
    return shapes.database(visit.state, found, visit.version)


def data_source(visit: Visit) -> Json:
    """Return a data source with its schema."""
    return shapes.data_source(visit.state, visit.source(visit.id), visit.version)


def query_data_source(visit: Visit) -> Json:
    """Return one page of the rows that match."""
    return _query(visit, visit.source(visit.id), "page_or_data_source")


def query_database(visit: Visit) -> Json:
    """Return one page of the rows that match, in the oldest version's way."""
    return _query(visit, visit.sole_source(visit.id), "page_or_database")


def _query(visit: Visit, source: DataSource, kind: str) -> Json:
    rows = query.matching(visit.state, source, visit.body)
    only_these = [value for key, value in visit.call.query if key in ("filter_properties", "filter_properties[]")]
    keys = [page.id for page in rows]
    where, cursor, is_capped = query.cut(
        keys, visit.body.get("page_size"), visit.body.get("start_cursor"), visit.state.limits.query_cap
    )
    listing = shapes.listing(
        [shapes.page(visit.state, p, visit.version, only_these) for p in rows[where]], cursor, kind
    )
    if is_capped:
        listing["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    return listing


def create_page(visit: Visit) -> Json:
    """Create a row or a page below another, with its first blocks."""
    only(visit.body, {"parent", "properties", "children", "icon", "cover"}, "body")
    page = Page(new_id(), visit.who.bot_id)
    source = _place(visit, page, mapping(visit.body.get("parent"), "body.parent"))
    given = visit.body.get("properties")
    page.values = values.accept(visit.state, source, given) if source else _bare(visit.state, given)
    page.icon = blocks.icon(visit.body.get("icon"), "body.icon")
    drafts = blocks.accept(visit.state, visit.body.get("children") or [])
    if source:
        values.settle(source, page.values)
        source.pages.append(page.id)
    visit.state.pages[page.id] = page
    page.children = blocks.store(visit.state, drafts, page.id, visit.who.bot_id)
    visit.state.changed()
    return shapes.page(visit.state, page, visit.version)


def _place(visit: Visit, page: Page, parent: Json) -> DataSource | None:
    kinds = [key for key in parent if key != "type"]
    allowed = {"database_id", "page_id"} | ({"data_source_id"} if visit.version != OLD else set())
    if len(kinds) != 1 or kinds[0] not in allowed or parent.get("type", kinds[0]) != kinds[0]:
        raise wrong("body.parent", f"should have exactly one of {', '.join(sorted(allowed))}")
    kind, id = kinds[0], identity(parent[kinds[0]], f"body.parent.{kinds[0]}")
    if kind == "page_id":
        page.parent_page = visit.page(id).id
        return None
    source = visit.source(id) if kind == "data_source_id" else visit.sole_source(id)
    page.source_id = source.id
    return source


def _bare(state: NotionState, given: Any) -> dict[str, Any]:
    """Check the properties of a page that is no row: only a title."""
    only(mapping(given, "body.properties"), {"title"}, "body.properties")
    title = given.get("title", [])
    pieces = title.get("title", []) if isinstance(title, dict) else title
    return {"title": text.rich_text(state, pieces, "body.properties.title")}


def page(visit: Visit) -> Json:
    """Return a page, trashed or not."""
    return shapes.page(visit.state, visit.page(visit.id), visit.version)


def update_page(visit: Visit) -> Json:
    """Change properties, icon or the trash flag of a page."""
    flags = {"in_trash"} | ({"archived"} if visit.version != NEW else set())
    only(visit.body, {"properties", "icon", "cover", "is_locked", *flags}, "body")
    found = visit.page(visit.id)
    asked = [visit.body[flag] for flag in flags if flag in visit.body]
    if any(not isinstance(flag, bool) for flag in asked):
        raise wrong("body.in_trash", "should be a boolean")
    if found.in_trash and False not in asked:
        raise invalid("Can't edit page that is in trash. You must restore it before editing.")
    change(visit.state, found, visit.body, visit.who.bot_id)
    found.in_trash = asked[0] if asked else found.in_trash
    return shapes.page(visit.state, found, visit.version)


def change(state: NotionState, found: Page, body: Json, by: str) -> None:
    """Set properties and icon of a page."""
    source = state.sources[found.source_id] if found.source_id else None
    given = body.get("properties", {})
    fresh = values.accept(state, source, given) if source else _bare(state, given) if given else {}
    icon = blocks.icon(body["icon"], "body.icon") if "icon" in body else found.icon
    if source:
        values.settle(source, fresh)
    found.values |= fresh
    found.icon = icon
    touch(state, found, by)
    if fresh:
        state.news.append(properties_updated(state, found, list(fresh), by))


def properties_updated(state: NotionState, found: Page, columns: list[str], by: str) -> News:
    """Tell of changed properties: which, never to what."""
    base = state.database_of(found)
    parent = {"id": base.id, "type": "database"} if base else {"id": new_id(), "type": "space"}
    entity = {"id": found.id, "type": "page"}
    data = {"parent": parent, "updated_properties": columns}
    return News("page.properties_updated", entity, found.id, by, data)


def touch(state: NotionState, found: Page, by: str) -> None:
    """Note who edited a page, and when."""
    found.edited, found.edited_by = time.time(), by
    state.changed()


def block(visit: Visit) -> Json:
    """Return a block, or a page as one."""
    found = visit.block(visit.id)
    if isinstance(found, Page):
        return shapes.page_as_block(visit.state, found, visit.version)
    return shapes.block(visit.state, found, visit.version)


def children(visit: Visit) -> Json:
    """List what is directly below a block or page."""
    visit.require("read_content")
    found = visit.block(visit.id)
    blocks_by_id = visit.state.blocks
    return paged(visit, found.children, "block", lambda id: shapes.block(visit.state, blocks_by_id[id], visit.version))


def append(visit: Visit) -> Json:
    """Put blocks below a block or page, at its end or at a given place."""
    place = "position" if visit.version == NEW else "after"
    only(visit.body, {"children", place}, "body")
    parent = visit.block(visit.id)
    root = parent if isinstance(parent, Page) else visit.state.root(parent)
    if root.in_trash:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    if isinstance(parent, Block) and parent.type not in blocks.PARENTS:
        raise invalid(f"Block of type {parent.type} does not support children.")
    drafts = blocks.accept(visit.state, visit.body.get("children"))
    index = _index(visit.version, visit.body, parent.children)
    ids = blocks.store(visit.state, drafts, parent.id, visit.who.bot_id)
    parent.children[index:index] = ids
    touch(visit.state, root, visit.who.bot_id)
    written = [shapes.block(visit.state, visit.state.blocks[id], visit.version) for id in ids]
    return shapes.listing(written, None, "block")


def _index(version: str, body: Json, siblings: list[str]) -> int:
    """Say before which sibling new blocks go."""
    before = body.get("after")
    if version == NEW and body.get("position") is not None:
        position = mapping(body["position"], "body.position")
        only(position, {"type", "after_block"}, "body.position")
        kind = position.get("type")
        if kind not in ("start", "end", "after_block"):
            raise wrong("body.position.type", "should be `start`, `end` or `after_block`")
        if kind == "start":
            return 0
        if kind == "after_block":
            before = mapping(position.get("after_block"), "body.position.after_block").get("id")
    if before is None:
        return len(siblings)
    id = identity(before, "body.after")
    if id not in siblings:
        raise not_found("block", id)
    return siblings.index(id) + 1


def search(visit: Visit) -> Json:
    """Find shared pages and tables by words of their title."""
    only(visit.body, {"query", "filter", "sort", "start_cursor", "page_size"}, "body")
    table = "database" if visit.version == OLD else "data_source"
    wanted = mapping(visit.body.get("filter") or {}, "body.filter")
    if wanted and (wanted.get("property") != "object" or wanted.get("value") not in ("page", table)):
        raise wrong("body.filter.value", f"should be `page` or `{table}`")
    words = str(visit.body.get("query", "")).lower()
    found = {id: body for id, title, body in _searchable(visit, table) if words in title.lower()}
    keys = [id for id in found if wanted.get("value") in (None, found[id]["object"])]
    where, cursor, _ = query.cut(keys, visit.body.get("page_size"), visit.body.get("start_cursor"))
    return shapes.listing([found[key] for key in keys[where]], cursor, f"page_or_{table}")


def _searchable(visit: Visit, table: str) -> list[tuple[str, str, Json]]:
    state, token = visit.state, visit.who.token
    rows = [p for p in state.pages.values() if not p.in_trash and state.shows(token, p)]
    found = [(p.id, values.title_of(state, p), shapes.page(state, p, visit.version)) for p in rows]
    for base in state.databases.values():
        if not state.sees(token, base):
            continue
        if table == "database":
            found.append((base.id, base.title, shapes.database(state, base, visit.version)))
        else:
            sources = [state.sources[id] for id in base.sources]
            found += [(s.id, s.name, shapes.data_source(state, s, visit.version)) for s in sources]
    return found
