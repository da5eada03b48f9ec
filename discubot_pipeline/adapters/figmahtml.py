"""Takes a mail apart into blocks of text and links, whatever its HTML is worth. Used by `figmamail`."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Final

from discubot_pipeline.domain.job import Value

LONGEST: Final = 300_000
BLOCKS = re.compile(
    "address|article|aside|blockquote|body|center|d[dlt]|div|fieldset|figure|footer|form|h[1-6]|header|hr|html|li|main|nav"
    "|ol|p|pre|section|table|tbody|td|tfoot|th|thead|tr|ul"
)
VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
SILENT: Final = frozenset({"head", "style", "script", "title", "noscript", "template", "svg"})
HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
PARAGRAPH = re.compile(r"\n[ \t>]*\n+|\n(?=[-_=*]{5,}\s*(?:\n|$))")
RULE = re.compile(r"[-_=*\s]{5,}")


class Block(Value):
    """Text that stands together, with the classes of the element around it."""

    text: str
    classes: str = ""


class Reader(HTMLParser):
    """Collects the blocks that people see, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.links: list[str] = []
        self._words: list[str] = []
        self._open: list[tuple[str, bool, str]] = []
        self._count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"].strip())
        if tag == "br":
            self._words.append("\n")
        if BLOCKS.fullmatch(tag):
            self.flush()
        if not VOID.fullmatch(tag):
            is_hidden = tag in SILENT or "hidden" in given or HIDDEN.search(given.get("style", "")) is not None
            self._count[tag] += 1
            self._open.append((tag, is_hidden or self._is_hidden, given.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and those in it that were left open."""
        if BLOCKS.fullmatch(tag):
            self.flush()
        while self._count[tag] and self._open:
            name, _, _ = self._open.pop()
            self._count[name] -= 1
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        """Take text that people see."""
        if not self._is_hidden:
            self._words.append(re.sub(r"\s+", " ", data))

    def flush(self) -> None:
        """End the block at hand."""
        text = tidy("".join(self._words))
        self._words.clear()
        if text:
            classes = " ".join(names for _, _, names in self._open[-2:])
            self.blocks.append(Block(text=text, classes=classes.casefold()))

    @property
    def _is_hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def read_html(html: str) -> tuple[list[Block], list[str]]:
    """Give the blocks of an HTML mail and the addresses of its links."""
    reader = Reader()
    reader.feed(html[:LONGEST])
    reader.close()
    reader.flush()
    return reader.blocks, reader.links


def read_plain(text: str) -> list[Block]:
    """Give the blocks of a plain mail: what blank lines and rules keep apart."""
    parts = PARAGRAPH.split(text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n"))
    blocks = [
        tidy("\n".join(line.lstrip("> ") for line in part.split("\n") if not RULE.fullmatch(line))) for part in parts
    ]
    return [Block(text=block) for block in blocks if block]


def tidy(text: str) -> str:
    """Take out soft hyphens, invisible padding and needless blanks, line by line."""
    visible = re.sub("[\u00ad\u034f\u061c\u200b-\u200f\u2060-\u2064\ufeff]", "", text).replace("\xa0", " ")
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in visible.split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()
