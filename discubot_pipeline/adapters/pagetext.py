"""Reads the text of a Notion page, so that an analyst knows what its comments are about. Used by `notionsource.py`."""

from collections.abc import Iterator
from itertools import islice

from discubot_pipeline.adapters.notionapi import Answer, Notion
from discubot_pipeline.adapters.page import clip

MOST_CHARACTERS = 5000
MOST_BLOCKS = 500
MOST_LISTS = 12
"""Lists of blocks that are read of one page: its own and those inside toggles and lists."""
SIGNS = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "bulleted_list_item": "- ",
    "numbered_list_item": "1. ",
    "quote": "> ",
    "child_page": "→ ",
}


def plain_text(elements: object) -> str:
    """Join rich text to what a person reads; the address of a link follows words that do not show it."""
    found = elements if isinstance(elements, list) else []
    return "".join(_words(element) for element in found if isinstance(element, dict))


def page_text(notion: Notion, root_id: str) -> str:
    """Write the blocks of a page as plain text: 5,000 characters at most, an ellipsis where there are more."""
    text = ""
    for line in _lines(notion, root_id, 0, iter(range(1, MOST_LISTS))):
        text += line + "\n"
        if len(text) > MOST_CHARACTERS:
            break
    return clip(text.strip(), MOST_CHARACTERS)


def block_text(block: Answer) -> str:
    """Write one block as a line; what has no words of its own is left out."""
    kind = str(block.get("type"))
    found = block.get(kind)
    content: Answer = found if isinstance(found, dict) else {}
    words = plain_text(content.get("rich_text")) or str(content.get("title") or "")
    match kind:
        case "divider":
            return "---"
        case _ if not words.strip():
            return ""
        case "to_do":
            return f"[{'x' if content.get('checked') else ' '}] {words}"
        case "code":
            return f"```\n{words}\n```"
        case _:
            return SIGNS.get(kind, "") + words


def _words(element: Answer) -> str:
    words, address = str(element.get("plain_text") or ""), element.get("href")
    is_hidden = element.get("type") == "text" and isinstance(address, str) and address not in words
    return f"{words} ({address})" if is_hidden and words.strip() else words


def _lines(notion: Notion, id: str, depth: int, lists: Iterator[int]) -> Iterator[str]:
    """Give the lines of the blocks below a page or block, each list inside another for one of `lists`."""
    for block in islice(notion.items(f"/v1/blocks/{id}/children"), MOST_BLOCKS):
        line = block_text(block)
        if line:
            yield "  " * depth + line
        has_inner = block.get("has_children") and block.get("type") not in {"child_page", "child_database"}
        if has_inner and next(lists, None):
            yield from _lines(notion, str(block["id"]), depth + 1, lists)
