"""Figma's mails about comments: which file they name, and which words of whom they quote. No network in here.

No page describes these mails, and they change: nothing in here trusts one template. What is found is compared with
the file's comments afterwards (`figmamatch`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parseaddr
from typing import Final, Self, TypeVar

from discubot_pipeline.adapters.callsign import Callsign
from discubot_pipeline.adapters.figmahtml import Block, read_html, read_plain
from discubot_pipeline.adapters.figmalinks import DOMAIN, Target, inside, is_figma, target_of
from discubot_pipeline.adapters.figmatext import normal
from discubot_pipeline.domain.job import Value

V = TypeVar("V")
LONGEST_QUOTE: Final = 5000
SHORTEST_QUOTE: Final = 5
LONGEST_GUESS: Final = 500
MOST_REDIRECTS: Final = 3
MARKS: Final = ' \n"“”«»'
SENDER = re.compile(r"comments-([A-Za-z0-9_-]{1,128})", re.IGNORECASE)
ACTS: Final = (
    r"commented|left (?:a |\d+ )?(?:new )?comments?|added a comment|replied|also replied|mentioned you|@mentioned you"
    r"|mentioned @?\w+|responded"
)
SAID = re.compile(rf"\b(?:{ACTS})", re.IGNORECASE)
SUBJECT = re.compile(r"\b(?:new (?:comments?|repl(?:y|ies))|comments? (?:on|in)|discussion in)", re.IGNORECASE)
OTHERS = re.compile(
    r"\binvit(?:ed|es) you\b|^(?:invitation|(?:please )?(?:verify|confirm|reset) your)\b", re.IGNORECASE
)
HEADING = re.compile(
    rf"^(?P<who>[^\n@]{{1,80}}?)\s+(?:{ACTS})\b[^\n]{{0,120}}$"
    r"|^(?:new )?(?:comment|reply) (?:from|by) (?P<by>[^\n]{1,80})$",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<!\w)@\w")
BOILERPLATE = re.compile(
    r"^(?:(?:view|open|reply|see it|go to file)(?: (?:it|in|on|comments?|all))*(?: figma| figjam)?|https?://\S+)[.!]?$"
    r"|unsubscribe|notification settings|email preferences|manage notifications|you(?:'|’)?re receiving"
    r"|you (?:are )?receiv|figma,? inc|all rights reserved|privacy policy|market st|mobile app|app store"
    r"|google play|@mentions\b"
    r"|reply (?:directly )?to this e-?mail|view (?:this|it) in (?:your )?browser",
    re.IGNORECASE,
)


class Letter(Value):
    """A mail as the door stores it."""

    sender: str = ""
    author: str = ""
    subject: str = ""
    plain: str = ""
    stripped: str = ""
    html: str = ""


class Quote(Value):
    """Words of a comment as a mail shows them, whose they seem to be, and what speaks for them."""

    text: str
    author: str | None = None
    is_headed: bool = False
    is_classed: bool = False


class Mail(Value):
    """What a mail says of comments: the best guesses first."""

    sender_key: str | None = None
    linked: tuple[Target, ...] = ()
    redirects: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()

    @classmethod
    def of(cls, letter: Letter, name: Callsign, site: str) -> Self:
        """Read a mail: its text where there is one, its HTML for links and where the text says nothing."""
        plain, (html, links) = letter.stripped.strip() or letter.plain, read_html(letter.html)
        links = [*links, *re.findall(r"https?://[^\s<>\"')\]]+", f"{letter.plain}\n{letter.stripped}")]
        fallback = author_of(letter)
        quotes = [*quotes_of(read_plain(plain), name, fallback), *quotes_of(html, name, fallback)]
        return cls(
            sender_key=sender_key(letter),
            linked=tuple(unique(filter(None, (target_of(url, site) or inside_of(url, site) for url in links)))),
            redirects=tuple(unique(url for url in links if is_redirect(url, site)))[:MOST_REDIRECTS],
            quotes=tuple({normal(quote.text): quote for quote in reversed(quotes)}.values())[::-1],
        )

    @property
    def linked_key(self) -> str | None:
        """The file that the first link leads to."""
        return next((target.file_key for target in self.linked), None)

    @property
    def comment_ids(self) -> list[str]:
        """The comments that links name."""
        return [target.comment_id for target in self.linked if target.comment_id]


def is_about_comments(letter: Letter) -> bool:
    """Tell a mail about comments from invitations, security mails and the like."""
    if sender_key(letter) is not None or SAID.search(letter.subject):
        return True
    return SUBJECT.search(letter.subject) is not None and not OTHERS.search(letter.subject.strip())


def is_from_figma(author: str) -> bool:
    """Tell whether the sender's address is one of Figma's."""
    _, at, domain = parseaddr(author)[1].rpartition("@")
    return bool(at) and f".{domain.casefold()}".endswith(f".{DOMAIN}")


def sender_key(letter: Letter) -> str | None:
    """Read the file's key off the sender, `comments-KEY@email.figma.com`."""
    for address in (letter.author, letter.sender):
        local, _, _ = parseaddr(address)[1].rpartition("@")
        found = SENDER.fullmatch(local)
        if found and is_from_figma(address):
            return found[1]
    return None


def author_of(letter: Letter) -> str | None:
    """Name the author of a mail's only comment: by its subject, else by the name beside the sender's address."""
    heading = HEADING.match(letter.subject.strip())
    name = (heading["who"] or heading["by"]) if heading else parseaddr(letter.author)[0]
    name = re.sub(
        r"\s*(?:\((?:via )?figma\)|via figma|\(figma\)|from figma)\s*$", "", name, flags=re.IGNORECASE
    ).strip()
    return name if name and name.casefold() != "figma" else None


def is_redirect(url: str, site: str) -> bool:
    """Tell Figma's tracking links, whose own address does not say where they lead."""
    if not is_figma(url, site) or target_of(url, site) or inside_of(url, site):
        return False
    return "//click." in url or "/click/" in url


def inside_of(url: str, site: str) -> Target | None:
    """Read the address that one of Figma's tracking links carries in its own."""
    return inside(url, site) if is_figma(url, site) else None


def quotes_of(blocks: Sequence[Block], name: Callsign, fallback: str | None) -> list[Quote]:
    """Find the words of comments: calls of the bot, else what stands under a heading, else the best guess."""
    found = list(attributed(blocks, name, fallback))
    called = [each for each in found if name.is_in(each.text)]
    headed = [each for each in found if each.is_headed]
    addressed = [each for each in found if ADDRESS.search(each.text) and len(each.text) <= LONGEST_GUESS]
    classed = [each for each in found if each.is_classed]
    fitting = [each for each in found if len(each.text) >= SHORTEST_QUOTE]
    longest = sorted(fitting, key=lambda quote: -len(quote.text))[:1]
    return next(filter(None, (whole(called), headed, whole(addressed), classed, longest)), [])


def attributed(blocks: Sequence[Block], name: Callsign, fallback: str | None) -> Iterator[Quote]:
    """Give each block with the author that the last heading named, without headings and what stands in every mail."""
    author, is_headed = fallback, False
    for block in blocks:
        text, heading = under_heading(block.text, name)
        if heading:
            author, is_headed = (heading["who"] or heading["by"]).strip(), True
        if text and (name.is_in(text) or not BOILERPLATE.search(text)):
            yield Quote(
                text=text[:LONGEST_QUOTE].strip(MARKS) or text,
                author=author,
                is_headed=is_headed,
                is_classed="comment" in block.classes,
            )
            is_headed = False


def under_heading(text: str, name: Callsign) -> tuple[str, re.Match[str] | None]:
    """Take a heading such as `Ann commented on Checkout` off a block; a heading may be all of it."""
    first, _, rest = text.partition("\n")
    heading = HEADING.match(first)
    if heading is None or (name.is_in(first) and "mentioned" not in first):
        return text, None
    return rest, heading


def whole(quotes: Sequence[Quote]) -> list[Quote]:
    """Leave out quotes that are part of a longer one."""
    return [q for q in quotes if not any(q.text != other.text and q.text in other.text for other in quotes)]


def unique(values: Iterable[V]) -> list[V]:
    """Give each value once."""
    return list(dict.fromkeys(values))
