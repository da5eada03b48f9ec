"""Lays out a task's page as flat Notion blocks, within Notion's limits. Used by the tracker in `notion.py`.

Limits: https://developers.notion.com/reference/request-limits
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from discubot_pipeline.domain.discussion import Message
from discubot_pipeline.ports import Draft

Block = dict[str, Any]
Element = dict[str, Any]

TEXT_UNITS = 2000
"""UTF-16 units of one rich text element, and of a link's URL."""
ARRAY_LENGTH = 100
"""Elements of one rich text array, and blocks of one request."""
BODY_BYTES = 400_000
"""Bytes of one request's blocks: Notion takes 500 KB, a page's properties go along with its first blocks."""
BLOCK_BYTES = 300_000

MARKS = re.compile(r"```(?P<fence>.*?)```|`(?P<code>[^`\n]+)`|(?P<url>(?i:https?://|mailto:)[^\s<>\"`]+)", re.DOTALL)
HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE)
BRACKETS = {")": "(", "]": "[", "}": "{"}


class Run(NamedTuple):
    """A stretch of text in one dress."""

    text: str
    url: str | None = None
    bold: bool = False
    code: bool = False


def layout(draft: Draft) -> list[Block]:
    """Give all blocks of a page, top level only: counting them tells how far an interrupted append came."""
    return [*_head(draft), *_thread(draft), *_details(draft), *_foot(draft)]


def first_batch(blocks: Sequence[Block]) -> list[Block]:
    """Take as many blocks from the front as one request may carry, at least one."""
    batch: list[Block] = []
    size = 0
    for block in blocks[:ARRAY_LENGTH]:
        size += _size(block)
        if batch and size > BODY_BYTES:
            break
        batch.append(block)
    return batch


def closing_text(draft: Draft) -> str:
    """Give the words of a page's last block: a page that has them was laid out to its end."""
    return f"Open the discussion in {_clean(draft.source_name)}"


def safe_link(url: str | None) -> str | None:
    """Give a URL that Notion takes as a link: http, https or mailto, sane in shape and length; else None."""
    if url is None or units(url) > TEXT_UNITS or re.search(r"[\s\x00-\x1f\x7f<>\"\ud800-\udfff]", url):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme == "mailto":
        return url if "@" in parts.path else None
    return url if parts.scheme in {"http", "https"} and HOST.fullmatch(host) else None


def units(text: str) -> int:
    """Count UTF-16 units, as Notion's limits do."""
    return len(text) + sum(character > "\uffff" for character in text)


def clip(text: str, limit: int = TEXT_UNITS) -> str:
    """Cut a text to so many UTF-16 units, with an ellipsis where something is lost."""
    text = _clean(text)
    return text if units(text) <= limit else next(_pieces(text, limit - 1)) + "…"


def rich_text(runs: Iterable[Run]) -> list[Element]:
    """Write runs as rich text elements, none empty or too long; they may be more than one block takes."""
    return [_element(run, piece) for run in runs for piece in _pieces(_clean(run.text), TEXT_UNITS)]


def read_marks(text: str) -> Iterator[Run]:
    """Tell the URLs and the code in a plain text from the rest."""
    position = 0
    for found in MARKS.finditer(text):
        yield Run(text[position : found.start()])
        position = found.end()
        if found["url"] is not None:
            url = _trimmed(found["url"])
            yield Run(url, url=url)
            position = found.start() + len(url)
        else:
            yield Run((found["fence"] or found["code"] or "").strip("\n"), code=True)
    yield Run(text[position:])


def _head(draft: Draft) -> Iterator[Block]:
    task, findings = draft.task, draft.analysis.findings
    about = [text.strip() for text in dict.fromkeys((findings.summary, task.description)) if text.strip()]
    icon = {"icon": {"type": "emoji", "emoji": "🤖"}}
    yield from _blocks("callout", read_marks("\n\n".join(about) or task.title), icon)
    yield from _section("To do", "to_do", task.action_items, {"checked": False})
    yield from _section("Key points", "bulleted_list_item", findings.key_points)


def _thread(draft: Draft) -> Iterator[Block]:
    if draft.messages:
        yield from _blocks("heading_2", [Run("Thread")])
    for message in draft.messages:
        yield from _blocks("paragraph", _said(message))


def _said(message: Message) -> Iterator[Run]:
    yield Run(message.author.name.strip() or message.author.id, url=message.url, bold=True)
    yield Run(f" · {message.sent_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    if message.text.strip():
        yield Run("\n")
        yield from read_marks(message.text.strip())
    for attachment in message.attachments:
        yield Run("\n📎 ")
        yield Run(attachment.name.strip() or "file", url=attachment.url)


def _details(draft: Draft) -> Iterator[Block]:
    yield from _blocks("heading_2", [Run("Details")])
    for label, value in _facts(draft):
        if value.text.strip():
            yield from _blocks("bulleted_list_item", [Run(f"{label}: ", bold=True), value])


def _facts(draft: Draft) -> Iterator[tuple[str, Run]]:
    task, analysis = draft.task, draft.analysis
    names = dict.fromkeys(message.author.name for message in draft.messages)
    yield "Source", Run(draft.source_name)
    yield "Thread", Run(draft.title, url=draft.source_url)
    yield "Participants", Run(", ".join(names))
    yield "Priority", Run((task.priority or "").capitalize())
    yield "Type", Run((task.type or "").capitalize())
    yield "Due", Run(task.due_date.isoformat() if task.due_date else "")
    yield "Assignee", Run(task.assignee or "")
    yield "Tags", Run(", ".join(task.tags))
    yield "Analyst", Run(analysis.analyst + (f" (degraded: {analysis.degraded_reason})" if analysis.degraded else ""))
    yield "Confidence", Run(f"{analysis.findings.confidence:.0%}")


def _foot(draft: Draft) -> Iterator[Block]:
    yield {"object": "block", "type": "divider", "divider": {}}
    yield from _blocks("paragraph", [Run(closing_text(draft), url=draft.source_url)])


def _section(heading: str, kind: str, texts: Sequence[str], extra: Block | None = None) -> Iterator[Block]:
    told = [text.strip() for text in texts if text.strip()]
    if told:
        yield from _blocks("heading_2", [Run(heading)])
    for text in told:
        yield from _blocks(kind, read_marks(text), extra)


def _blocks(kind: str, runs: Iterable[Run], extra: Block | None = None) -> Iterator[Block]:
    """Write one block; what does not fit in it goes on in paragraphs."""
    for elements in _packed(rich_text(runs)):
        yield {"object": "block", "type": kind, kind: {"rich_text": elements, **(extra or {})}}
        kind, extra = "paragraph", None


def _packed(elements: Iterable[Element]) -> Iterator[list[Element]]:
    pack: list[Element] = []
    size = 0
    for element in elements:
        size += _size(element)
        if pack and (len(pack) == ARRAY_LENGTH or size > BLOCK_BYTES):
            yield pack
            pack, size = [], _size(element)
        pack.append(element)
    if pack:
        yield pack


def _element(run: Run, piece: str) -> Element:
    url = safe_link(run.url)
    element: Element = {"type": "text", "text": {"content": piece, "link": {"url": url} if url else None}}
    annotations = {name: True for name in ("bold", "code") if getattr(run, name)}
    return element | ({"annotations": annotations} if annotations else {})


def _pieces(text: str, limit: int) -> Iterator[str]:
    """Cut a text into pieces of so many UTF-16 units; a character of two units stays whole."""
    data = text.encode("utf-16-le")
    start = 0
    while start < len(data):
        end = start + 2 * limit
        if end < len(data) and 0xD8 <= data[end - 1] <= 0xDB:
            end -= 2
        yield data[start:end].decode("utf-16-le")
        start = end


def _clean(text: str) -> str:
    """Put together split surrogate pairs, and take out what no JSON reader or Notion would show."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", whole)


def _trimmed(url: str) -> str:
    """Leave the punctuation of a sentence out of the URL at its end."""
    while url and len(url) <= 2 * TEXT_UNITS:
        last = url[-1]
        is_closing = last in BRACKETS and url.count(last) > url.count(BRACKETS[last])
        if not is_closing and last not in ".,;:!?'*_~…":
            break
        url = url[:-1]
    return url


def _size(value: dict[str, Any]) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) + 1
