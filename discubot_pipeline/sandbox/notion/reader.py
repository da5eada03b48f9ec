"""Draws a page or database of Notion as plain HTML, so that its link opens. Called by app for /p/{id}."""

from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from discubot_pipeline.sandbox.notion import discussions, shapes, values
from discubot_pipeline.sandbox.notion.state import Block, Database, NotionState, Page
from discubot_pipeline.sandbox.wire import Json

HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css"></head>
"""
LISTS = {"bulleted_list_item": "ul", "numbered_list_item": "ol"}
TAGS = {"paragraph": "p", "heading_1": "h2", "heading_2": "h3", "heading_3": "h4", "quote": "blockquote"}
STYLES = {"bold": "b", "italic": "i", "strikethrough": "s", "underline": "u", "code": "code"}


def page(state: NotionState, found: Page) -> str:
    """Draw a page: title, properties, all blocks."""
    title = values.title_of(state, found) or "Untitled"
    icon = (found.icon or {}).get("emoji", "")
    parts = [f'<a class="back" href="/">← Sandbox</a><h1>{escape(icon)} {escape(title)}</h1>']
    if found.in_trash:
        parts.append('<p class="trash">This page is in the trash.</p>')
    if found.source_id:
        parts.append(_properties(state, found))
    parts.append(_blocks(state, found.children))
    parts.append(discussions.section(state, found))
    return _document(title, "".join(parts))


def database(state: NotionState, found: Database) -> str:
    """Draw a database: a list of its pages."""
    rows = [p for id in found.sources for p in state.rows(state.sources[id]) if not p.in_trash]
    links = "".join(
        f'<li><a href="{escape(state.url(p.id))}">{escape(values.title_of(state, p) or "Untitled")}</a></li>'
        for p in rows
    )
    return _document(
        found.title, f'<a class="back" href="/">← Sandbox</a><h1>{escape(found.title)}</h1><ul>{links}</ul>'
    )


def _properties(state: NotionState, found: Page) -> str:
    columns = [c for c in state.sources[str(found.source_id)].properties.values() if c.type != "title"]
    rows = [f"<dt>{escape(c.name)}</dt><dd>{_value(c.type, values.flat(state, c, found))}</dd>" for c in columns]
    times = f"<dt>Created</dt><dd>{escape(shapes.minute(found.created).replace('T', ' ')[:16])} UTC</dd>"
    return f"<dl>{''.join(rows)}{times}</dl>"


def _value(kind: str, value: Any) -> str:
    if value in (None, "", []):
        return '<span class="empty">Empty</span>'
    if kind == "url":
        return _link(str(value), escape(str(value)))
    if kind == "checkbox":
        return "☑" if value else "☐"
    chips = value if isinstance(value, list) else [value]
    mark = ' class="chip"' if kind in ("select", "status", "multi_select", "people") else ""
    return " ".join(f"<span{mark}>{escape(str(chip))}</span>" for chip in chips)


def _blocks(state: NotionState, ids: list[str]) -> str:
    """Draw blocks, those of a list together."""
    found = [state.blocks[id] for id in ids]
    parts = []
    for tag, group in groupby(found, key=lambda block: LISTS.get(block.type)):
        drawn = "".join(_block(state, block) for block in group)
        parts.append(f"<{tag}>{drawn}</{tag}>" if tag else drawn)
    return "".join(parts)


def _block(state: NotionState, block: Block) -> str:
    inner = _blocks(state, block.children)
    below = f'<div class="below">{inner}</div>' if inner else ""
    words = _rich(block.content.get("rich_text", []))
    if block.type in LISTS:
        return f"<li>{words}{below}</li>"
    if block.type in TAGS:
        tag = TAGS[block.type]
        return f"<{tag}>{words}</{tag}>{below}"
    return _special(block, words, inner)


def _special(block: Block, words: str, inner: str) -> str:
    """Draw the blocks that are more than words in an element."""
    content = block.content
    if block.type == "divider":
        return "<hr>"
    if block.type == "bookmark":
        return f'<p class="bookmark">{_link(content["url"], escape(content["url"]))}</p>'
    if block.type == "to_do":
        ticked = " checked" if content["checked"] else ""
        return f'<div class="todo"><input type="checkbox" disabled{ticked}><div>{words}{inner}</div></div>'
    if block.type == "toggle":
        return f"<details open><summary>{words}</summary>{inner}</details>"
    if block.type == "code":
        return f"<pre>{words}</pre>"
    emoji = escape(str((content["icon"] or {}).get("emoji", "💡")))
    return f'<div class="callout"><span>{emoji}</span><div>{words}{inner}</div></div>'


def _rich(pieces: list[Json]) -> str:
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: Json) -> str:
    drawn = escape(piece["plain_text"]).replace("\n", "<br>")
    for style, tag in STYLES.items():
        if piece["annotations"][style]:
            drawn = f"<{tag}>{drawn}</{tag}>"
    return _link(piece["href"], drawn) if piece["href"] else drawn


def _link(url: str, drawn: str) -> str:
    """Link only to the web and to mail, never to what a browser would run."""
    safe = urlsplit(url).scheme in ("http", "https", "mailto")
    return f'<a href="{escape(url)}" rel="noopener">{drawn}</a>' if safe else drawn


def _document(title: str, body: str) -> str:
    return HEAD.format(title=escape(title)) + f'<body class="document"><main>{body}</main></body></html>'
