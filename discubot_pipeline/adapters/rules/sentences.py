"""Cuts messages into sentences and list items that the rules can read. Code, links, quotations and names become single
private-use characters, so that nothing inside them is mistaken for the writer's own words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.domain.discussion import Message

LONGEST_MESSAGE = 40_000
LONGEST_LINE = 4_000
MOST_SENTENCES = 1000
WRAPPED = 60
ATOM_START, ATOM_END = 0xE000, 0xF8FF
PERSON_START, PERSON_END = 0xF0000, 0xFFFFD
ATOM = f"[{chr(ATOM_START)}-{chr(ATOM_END)}]"
PERSON = f"[{chr(PERSON_START)}-{chr(PERSON_END)}]"
ABBREVIATIONS = (
    "e.g.",
    "i.e.",
    "etc.",
    "vs.",
    "dr.",
    "mr.",
    "mrs.",
    "ms.",
    "approx.",
    "no.",
    "z.b.",
    "bzw.",
    "ca.",
    "bijv.",
)

_PRIVATE = re.compile(f"{ATOM}|{PERSON}")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LITERAL = re.compile(
    r"`[^`\n]{1,300}`|\(https?://[^\s()]{1,2000}\)|https?://[^\s<>]{1,2000}(?<![.,;:!?)\]'\"*_])|"
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}|\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|"
    r"„[^“”\n]{1,200}[“”]|«[^»\n]{1,200}»"
)
_BULLET = re.compile(
    r"(?P<box>\[[ xX✓✔]?\]|☐|☑|✅|✔|✓|:white_check_mark:|:heavy_check_mark:)\s*|(?:[-*+•◦‣–—·]|\(?\d{1,2}[.)])\s+"
)
_INLINE_NUMBER = re.compile(r"(?<=\S) (?=\(?[2-9][.)] \w)")
_COUNTED = re.compile(r"(:) (\(?1[.)] \w.{2,200}? \(?2[.)] \w)")
_COUNTED_LINE = re.compile(r":\n\(?1[.)] ")
"""A list that starts inside a line: "goals: (1) … (2) …"."""

_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3\u2194-\u21ff]|"
    ":[a-z][a-z0-9_+-]{1,39}:|:[+-]1:)+"
)
_JOKE = re.compile(
    r"😂|🤣|😜|😝|:joy:|:rofl:|:stuck_out_tongue|\b(?:lol|haha|hahaha|jk|just kidding|kidding)\b|(?:^| )/s$",
    re.I,
)
_CUT = re.compile(
    r"(?<=[.!?…])(?!(?<=\d\.) +(?:jan|feb|mär|mar|apr|mai|jun|jul|aug|sep|okt|oct|nov|dez|dec))[)\]]? +|; +",
    re.IGNORECASE,
)
_REPLY_HEAD = re.compile(r"(?:on|am|le|op|el) .{4,120} (?:wrote|schrieb|a écrit|schreef|escribió):$", re.I)
_DONE_BOXES = lexicon("[x] [X] [✓] [✔] ☑ ✅ ✔ ✓ :white_check_mark: :heavy_check_mark:")
_OPEN_BOXES = frozenset(("[ ]", "[]", "☐"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The message a sentence is of, with what its masked characters stand for; `writer` is None for a bot."""

    message: Message
    writer: str | None
    atoms: tuple[str, ...]
    people: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence or list item. `text` is masked; `show` gives its words back."""

    text: str
    origin: Origin
    order: int
    line: int
    is_item: bool = False
    is_open_box: bool = False
    is_done_box: bool = False
    is_joke: bool = False

    @property
    def message(self) -> Message:
        """Give the message it is of."""
        return self.origin.message

    @property
    def writer(self) -> str | None:
        """Name who wrote it, if that person can own a task."""
        return self.origin.writer

    def show(self, text: str | None = None) -> str:
        """Write masked text, the whole sentence by default, with its own words again."""
        return _PRIVATE.sub(self._original, self.text if text is None else text)

    def person(self, mark: str) -> str | None:
        """Give the full name behind a person's character; None for a stranger."""
        return self.origin.people[ord(mark) - PERSON_START][1]

    @property
    def is_question(self) -> bool:
        """Say whether it ends as a question."""
        return self.text.rstrip(" )").endswith("?")

    def _original(self, match: re.Match[str]) -> str:
        code = ord(match[0])
        if code >= PERSON_START:
            return self.origin.people[code - PERSON_START][0]
        return self.origin.atoms[code - ATOM_START]


class _Mask:
    """Swaps literal spans of one message for single characters and remembers them."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.atoms: list[str] = []
        self.named: list[tuple[str, str | None]] = []

    def apply(self, text: str) -> str:
        return self._people.pattern.sub(self._hide_person, _LITERAL.sub(self._hide_literal, text))

    def _hide_literal(self, match: re.Match[str]) -> str:
        if len(self.atoms) > ATOM_END - ATOM_START:
            return " "
        self.atoms.append(match[0])
        return chr(ATOM_START + len(self.atoms) - 1)

    def _hide_person(self, match: re.Match[str]) -> str:
        if self._people.is_bot(match[0]) or len(self.named) > PERSON_END - PERSON_START:
            return " "
        self.named.append((match[0], self._people.whose(match[0])))
        return chr(PERSON_START + len(self.named) - 1)


def read(messages: Iterable[Message], people: People) -> tuple[Sentence, ...]:
    """Cut messages into sentences, numbered through in their order."""
    found: list[Sentence] = []
    for message in messages:
        mask = _Mask(people)
        lines = [*_lines(mask.apply(_own_words(message.text)))]
        origin = Origin(message, people.own_name(message.author), tuple(mask.atoms), tuple(mask.named))
        most = len(found) + MOST_SENTENCES
        for number, line in enumerate(lines):
            if len(found) >= most:
                break
            found.extend(_sentences(line, number, origin, len(found)))
    return tuple(found)


def clean(text: str) -> str:
    """Drop the characters that are not seen and would disturb: controls and direction marks."""
    return _UNSEEN.sub(" ", text)


def without_emoji(text: str) -> str:
    """Drop emoji, as characters and as :shortcodes:."""
    return " ".join(_EMOJI.sub(" ", text).split())


def _own_words(text: str) -> str:
    text = clean(_PRIVATE.sub("", text[:LONGEST_MESSAGE].replace("\r\n", "\n")))
    return "\n".join(text.split("```")[::2])


def _lines(text: str) -> Iterator[str]:
    """Give the writer's own lines; hard-wrapped ones joined, quotations and signatures left out."""
    held = ""
    numbered = _BULLET.match(text.lstrip()[:LONGEST_LINE])
    text = _COUNTED.sub(r"\1\n\2", text, count=1) if _COUNTED.search(text) else text
    numbered = numbered or _COUNTED_LINE.search(text)
    for raw in (_INLINE_NUMBER.sub("\n", text) if numbered else text).split("\n"):
        line = " ".join(raw[:LONGEST_LINE].split())
        if raw.strip() == "--" or _REPLY_HEAD.match(line):
            break
        if line.startswith(">") or (line.startswith("~") and line.endswith("~")):
            line = ""
        if held and _continues(held, line):
            held = f"{held} {line}"
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def _continues(held: str, line: str) -> bool:
    return len(held) >= WRAPPED and held[-1].isalpha() and line[:1].islower() and len(held) < LONGEST_LINE


def _sentences(line: str, number: int, origin: Origin, order: int) -> Iterator[Sentence]:
    body, boxes = _unbullet(line)
    is_joke = bool(_JOKE.search(line))
    for offset, piece in enumerate(_pieces(body)):
        yield Sentence(
            text=piece,
            origin=origin,
            order=order + offset,
            line=number,
            is_item=body != line and offset == 0,
            is_open_box=offset == 0 and not boxes.isdisjoint(_OPEN_BOXES),
            is_done_box=not boxes.isdisjoint(_DONE_BOXES),
            is_joke=is_joke,
        )


def _unbullet(line: str) -> tuple[str, set[str]]:
    """Strip "- [ ] " and its like; give the rest and the boxes."""
    boxes: set[str] = set()
    for _ in range(2):
        bullet = _BULLET.match(line)
        if not bullet:
            break
        boxes.add(bullet["box"] or "")
        line = line[bullet.end() :]
    return line, boxes


def _pieces(body: str) -> Iterator[str]:
    body = _EMOJI.sub(_pause, body)
    held = ""
    for piece in _CUT.split(body):
        held = f"{held} {piece.strip()}" if held else piece.strip()
        if held.casefold().endswith(ABBREVIATIONS):
            continue
        if _has_words(held):
            yield held
        held = ""
    if held and _has_words(held):
        yield held


def _pause(match: re.Match[str]) -> str:
    following = match.string[match.end() : match.end() + 2].lstrip()
    before = match.string[max(0, match.start() - 3) : match.start()].rstrip()[-1:]
    return ". " if following[:1].isupper() and (before.isalpha() or before == ")") else " "


def _has_words(text: str) -> bool:
    return any(char.isalnum() or unicodedata.category(char) == "Co" for char in text)
