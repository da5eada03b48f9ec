"""Takes out of a model's words the links that nobody in the thread gave. Called by `guards`."""

import re
from collections.abc import Iterator

from discubot_pipeline.domain.analysis import Brief

TOP_LEVEL = (
    "ai|app|biz|cc|click|cn|co|com|de|dev|eu|example|gov|info|io|link|live|me|net|nl|online|org|page|ru|shop|site|"
)
TOP_LEVEL += "space|store|test|to|top|tv|uk|us|website|xyz|zip"

_ADDRESS = rf"""
    (?:[a-z][a-z0-9+.-]{{1,20}}:/*|www\.)[^\s<>"'`|()\[\]{{}}]+ # https://…, mailto:…, javascript:…, www.…
    | (?:[\w.+-]+@)?(?:[\w-]+\.)+(?:{TOP_LEVEL})\b(?:[/?\#:][^\s<>"'`|()\[\]{{}}]*)? # evil.example/…, ann@evil.example
"""
_LINK = re.compile(rf"(?<![\w@.-])(?:{_ADDRESS})", re.IGNORECASE | re.VERBOSE)
_NAMED = re.compile(r"!?\[(?P<name>[^\]\n]*)\]\(\s*<?(?P<url>[^)\s>]*)>?[^)\n]*\)")
_PIPED = re.compile(r"<(?P<url>[^|>\s]+)\|(?P<name>[^>\n]*)>")
_SCHEME_WORDS = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
WEB = ("http:", "https:", "mailto:", "ftp:", "javascript:", "data:", "file:", "tel:", "www.")


class Links:
    """Knows the links of one thread."""

    def __init__(self, brief: Brief) -> None:
        said = [brief.title, *(message.text for message in brief.said)]
        given = [message.url for message in brief.said]
        given += [attachment.url for message in brief.said for attachment in message.attachments]
        self._known = {bare(link) for text in (*said, *filter(None, given)) for link in links_in(text)}

    def clean(self, text: str) -> str:
        """Leave out the links that are not in the thread; the names of links stay."""
        text = _INVISIBLE.sub("", text)
        for form in (_NAMED, _PIPED):
            text = form.sub(lambda found: found[0] if self._knows(found["url"]) else found["name"], text)
        return _tidy(_LINK.sub(lambda found: found[0] if self._stays(found[0]) else "", text))

    def _stays(self, link: str) -> bool:
        return not is_link(link) or self._knows(link)

    def _knows(self, link: str) -> bool:
        return bare(link) in self._known


def links_in(text: str) -> Iterator[str]:
    """Find what a reader, or the app that shows it, takes for a link; one broken up by invisible characters is none."""
    for found in _LINK.finditer(text):
        if is_link(found[0]):
            yield found[0]


def is_link(text: str) -> bool:
    """Tell a link from words with a colon such as "Note:this"."""
    lower = text.casefold()
    return lower.startswith(WEB) or "://" in lower or not _SCHEME_WORDS.match(text)


def bare(link: str) -> str:
    """Reduce a link to what tells it from others: without the punctuation of its sentence; hosts know no case."""
    link = link.strip("<>").rstrip(".,;:!?'\"*_~…)/")
    scheme, slashes, rest = link.partition("://")
    host, slash, path = (rest or scheme).partition("/")
    return f"{scheme.casefold() + slashes if rest else ''}{host.casefold()}{slash}{path}"


def _tidy(text: str) -> str:
    """Close the gaps that links have left."""
    text = re.sub(r"\(\s*\)|\[\s*\]|<\s*>", "", text)
    return re.sub(r"[ \t]+([.,;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()
