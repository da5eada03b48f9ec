"""Text for Notion on its way there: `[title](url)` for links, a backslash before what is meant literally.

The stages write it by `link` and `plain`; `runs` reads it. Used by `notionsource.py`.
"""

import re
from collections.abc import Iterator

from discubot_pipeline.adapters.page import ARRAY_LENGTH, Element, Run, rich_text

PART = re.compile(r"\\(?P<literal>.)|\[(?P<title>(?:\\.|[^\\\]])*)\]\((?P<url>(?:\\.|[^\\)])*)\)", re.DOTALL)
SPECIAL = re.compile(r"[\\\[\]()]")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def link(title: str, url: str) -> str:
    """Write a link."""
    return f"[{plain(title or url)}]({plain(url)})"


def plain(text: str) -> str:
    """Write text that is shown as it is."""
    return SPECIAL.sub(r"\\\g<0>", text)


def runs(text: str) -> Iterator[Run]:
    """Read a text into stretches with and without a link."""
    position = 0
    for found in PART.finditer(text):
        yield Run(text[position : found.start()])
        position = found.end()
        if found["literal"] is not None:
            yield Run(found["literal"])
        else:
            yield Run(_unescaped(found["title"]), url=_unescaped(found["url"]))
    yield Run(text[position:])


def elements(text: str) -> list[Element]:
    """Write a text as the rich text of one comment, cut where Notion takes no more of it."""
    whole = rich_text(_joined(text))
    if len(whole) <= ARRAY_LENGTH:
        return whole
    return [*whole[: ARRAY_LENGTH - 1], *rich_text([Run("…")])]


def shown(text: str) -> str:
    """Give the words that people see of a text once it stands in a comment."""
    return "".join(element["text"]["content"] for element in elements(text))


def _joined(text: str) -> Iterator[Run]:
    """Put stretches without a link together, so that escapes cost no elements."""
    words = ""
    for run in runs(text):
        if run.url is None:
            words += run.text
            continue
        yield Run(words)
        yield run
        words = ""
    yield Run(words)


def _unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text)
