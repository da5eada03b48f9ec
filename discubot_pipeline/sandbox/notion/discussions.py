"""Draws the discussions of a page, with a place to write in each and to open a new one. Called by the reader."""

from html import escape
from itertools import groupby

from discubot_pipeline.sandbox.notion import comments
from discubot_pipeline.sandbox.notion.state import Comment, NotionState, Page


def section(state: NotionState, page: Page) -> str:
    """Draw the open discussions of a page and of its blocks, oldest first."""
    mine = [one for one in state.comments.values() if comments.page_of(state, one) is page and not one.is_resolved]
    order = list(dict.fromkeys(one.discussion_id for one in mine))
    grouped = groupby(sorted(mine, key=lambda one: order.index(one.discussion_id)), lambda one: one.discussion_id)
    drawn = "".join(_discussion(state, id, list(said)) for id, said in grouped)
    people = "".join(f'<option value="{u.id}">{escape(u.name)}</option>' for u in state.users.values() if not u.is_bot)
    opening = _form("page_id", page.id, "New comment")
    return (
        f'<section class="discussions" aria-label="Comments"><h2>Comments</h2>{drawn}{opening}'
        f'<label class="pick">Write as <select id="writer">{people}</select></label></section>'
        '<script type="module" src="/document.js"></script>'
    )


def _discussion(state: NotionState, id: str, said: list[Comment]) -> str:
    lines = "".join(_comment(state, one) for one in said)
    form = _form("discussion_id", id, "Reply")
    return f'<article class="discussion" id="{id.replace("-", "")}"><ol>{lines}</ol>{form}</article>'


def _comment(state: NotionState, one: Comment) -> str:
    writer = state.users[one.by]
    words = "".join(_words(piece["plain_text"], piece["href"]) for piece in one.rich_text)
    mark = '<span class="app">APP</span>' if writer.is_bot else ""
    return f"<li><strong>{escape(writer.name)}</strong> {mark}<p>{words}</p></li>"


def _words(text: str, href: str | None) -> str:
    drawn = escape(text).replace("\n", "<br>")
    is_safe = href is not None and href.startswith(("http://", "https://", "mailto:"))
    return f'<a href="{escape(str(href))}" rel="noopener">{drawn}</a>' if is_safe else drawn


def _form(place: str, id: str, label: str) -> str:
    return (
        f'<form class="comment" data-place="{place}" data-id="{id}">'
        f'<textarea rows="2" aria-label="{label}" placeholder="{label} (@discubot makes tasks of it)" required>'
        "</textarea>"
        f'<button type="submit" class="send">Send</button></form>'
    )
