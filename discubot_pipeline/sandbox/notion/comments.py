"""Notion's endpoints of comments, and how a comment comes to be. Listed in the table of notion/api.py."""

import time
from typing import Any

from discubot_pipeline.sandbox.notion import query, shapes, text
from discubot_pipeline.sandbox.notion.checks import identity, invalid, mapping, not_found, only, wrong
from discubot_pipeline.sandbox.notion.state import Comment, News, NotionState, Page, new_id
from discubot_pipeline.sandbox.notion.visit import Visit
from discubot_pipeline.sandbox.wire import Json


def create(visit: Visit) -> Json:
    """Write a comment: a new discussion on a page or block, or an answer in one."""
    visit.require("insert_comments")
    only(visit.body, {"parent", "discussion_id", "rich_text", "attachments", "display_name"}, "body")
    if ("parent" in visit.body) == ("discussion_id" in visit.body):
        raise invalid("body failed validation: exactly one of body.parent, body.discussion_id should be defined.")
    parent, discussion = _place(visit)
    if "rich_text" not in visit.body:
        raise wrong("body.rich_text", "should be defined, instead was `undefined`")
    pieces = text.rich_text(visit.state, visit.body["rich_text"], "body.rich_text")
    return shapes.comment(visit.state, write(visit.state, parent, discussion, visit.who.bot_id, pieces))


def _place(visit: Visit) -> tuple[str, str | None]:
    """Say what a new comment hangs on, and in which discussion, if there is one already."""
    if "discussion_id" in visit.body:
        id = identity(visit.body["discussion_id"], "body.discussion_id")
        first = next((c for c in visit.state.comments.values() if c.discussion_id == id and _sees(visit, c)), None)
        if first is None:
            raise not_found("discussion", id)
        return first.parent, id
    parent = mapping(visit.body["parent"], "body.parent")
    kinds = [key for key in parent if key != "type"]
    if len(kinds) != 1 or kinds[0] not in ("page_id", "block_id") or parent.get("type", kinds[0]) != kinds[0]:
        raise wrong("body.parent", "should have exactly one of block_id, page_id")
    id = identity(parent[kinds[0]], f"body.parent.{kinds[0]}")
    return (visit.page(id) if kinds[0] == "page_id" else visit.block(id)).id, None


def write(state: NotionState, parent: str, discussion: str | None, by: str, pieces: list[Json]) -> Comment:
    """Keep a comment and tell of it."""
    made = Comment(new_id(), discussion or new_id(), parent, by, pieces)
    state.comments[made.id] = made
    page = page_of(state, made)
    kind = "page" if parent in state.pages else "block"
    data = {"page_id": page.id, "parent": {"id": parent, "type": kind}, "discussion_id": made.discussion_id}
    state.news.append(News("comment.created", {"id": made.id, "type": "comment"}, page.id, by, data))
    state.changed()
    return made


def listed(visit: Visit) -> Json:
    """List the open comments that hang on a page or block itself, oldest first."""
    visit.require("read_comments")
    asked = visit.asked("block_id")
    if asked is None:
        raise invalid("query failed validation: query.block_id should be defined, instead was `undefined`.")
    parent = visit.block(identity(asked, "query.block_id")).id
    found = {c.id: c for c in visit.state.comments.values() if c.parent == parent and _is_out(visit, c)}
    where, cursor, _ = query.cut(list(found), visit.asked("page_size"), visit.asked("start_cursor"))
    return shapes.listing([shapes.comment(visit.state, found[id]) for id in list(found)[where]], cursor, "comment")


def show(visit: Visit) -> Json:
    """Return one comment; one that is not out yet does not exist."""
    visit.require("read_comments")
    found = visit.state.comments.get(visit.id)
    if found is None or not _sees(visit, found) or _is_late(visit, found):
        raise not_found("comment", visit.id)
    return shapes.comment(visit.state, found)


def page_of(state: NotionState, comment: Comment) -> Page:
    """Return the page that a comment is on."""
    return state.pages[comment.parent] if comment.parent in state.pages else state.root(state.blocks[comment.parent])


def plain(comment: Comment) -> str:
    """Return a comment's words."""
    return text.plain(comment.rich_text)


def words(given: Any, state: NotionState) -> list[Json]:
    """Write what a person types as rich text; a test may give rich text as the API takes it."""
    return [text.piece(given)] if isinstance(given, str) else text.rich_text(state, given, "rich_text")


def _sees(visit: Visit, comment: Comment) -> bool:
    return visit.state.shows(visit.who.token, page_of(visit.state, comment))


def _is_out(visit: Visit, comment: Comment) -> bool:
    return not comment.is_resolved and not _is_late(visit, comment)


def _is_late(visit: Visit, comment: Comment) -> bool:
    return time.time() - comment.created < visit.state.limits.comment_lag_seconds
