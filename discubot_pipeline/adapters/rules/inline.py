"""Finds the lists that people write into a sentence: "three things: bump x and drop y", "Ann writes a, Ben b"."""

import re
from collections.abc import Iterator
from dataclasses import replace

from discubot_pipeline.adapters.rules.dates import without_date
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.requests import Ask, first_word
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.verbs import WORK, Tier, tier_of

FEWEST, MOST = 2, 10
SHORT, FEW_WORDS = 50, 8

_HEAD = re.compile(
    r"(?P<head>[^:]{0,100}\b(?:proposal|propose|plan|sum up|in short|agreed|decided|next steps?|actions?|action items?|"
    r"to-?dos?|tasks?|points?|things|changes|requests|fixes|missing|left|remaining|to do|need|needs|have to|must|"
    r"please|steps|"
    r"deal|split|vorschlag|aufgaben|offen|voorstel|taken|proposition|tâches|propuesta|"
    r"tareas)\b[^:]{0,40}): +(?P<rest>\S.*)",
    re.IGNORECASE,
)
_JOINT = re.compile(r",? +(?:and|und|en|et|y|&|plus|then|while) +|, +|; *")
_DUTIES = re.compile(
    r"\b(?:have to|must|need to|to-?dos?|to do|tasks|next steps|action items|actions)\W*$", re.IGNORECASE
)
_COMMA = re.compile(r", (?:and )?|; | and (?=\w+ (?:the|an?|our) )")
_PRESENT = re.compile(
    rf"(?:(?P<who>{PERSON})|(?P<self>i|me|myself))(?:['’]ll| will| to| can| could| should|:| -| –)? (?:also |then )?"
    r"(?P<verb>[a-z-]+) (?P<rest>\S.*)",
    re.IGNORECASE,
)


def listed(sentence: Sentence) -> tuple[Sentence, ...]:
    """Give the items of a list inside a sentence, as sentences; none where it holds no list of work."""
    match = _HEAD.match(sentence.text)
    if sentence.is_question or sentence.is_joke or len(sentence.text) > 500:
        return ()
    parts = _parts((match["rest"] if match else sentence.text).rstrip(" .!"), match["head"] if match else "") or _dated(
        sentence.text
    )
    if not FEWEST <= len(parts) <= MOST:
        return ()
    return tuple(replace(sentence, text=part, is_item=True) for part in parts)


def _dated(text: str) -> list[str]:
    """Cut "photos by 1 July, texts by 3 July" where each piece has a day of its own."""
    head, _, rest = text.rpartition(": ")
    pieces = rest.rstrip(" .!").split(", ") if head else []
    return (
        pieces
        if len(pieces) > 1 and all(without_date(piece) not in ("", piece) and len(piece) < SHORT for piece in pieces)
        else []
    )


def head_of(sentence: Sentence) -> Sentence:
    """Give what stands before such a list."""
    match = _HEAD.match(sentence.text)
    return replace(sentence, text=f"{match['head']}:" if match else "")


def present_ask(item: Sentence) -> Ask | None:
    """Read "Ann writes the guide", an item of such a list, as work of hers."""
    match = _PRESENT.match(item.text)
    verb = _base(match["verb"]) if match else None
    if not match or not verb:
        return None
    owner = item.person(match["who"]) if match["who"] else item.writer
    return Ask(Kind.MARKER, f"{verb} {match['rest']}", tier_of(verb), item, owner)


def _commas(text: str) -> list[str]:
    return [piece for piece in _COMMA.split(text) if piece]


def _parts(text: str, head: str) -> list[str]:
    """Cut a text where each piece is work; nothing where one is not."""
    pieces = [*_pieces(text, has_head=bool(head))]
    if head:
        if _DUTIES.search(head) and all(1 < len(piece.split()) <= FEW_WORDS for piece in _commas(text)):
            return _commas(text)
        orders = [piece for piece in pieces if _is_owned(piece) or _is_order(piece)]
        return pieces if len(orders) >= FEWEST and all(len(piece) < SHORT for piece in set(pieces) - {*orders}) else []
    names = {match["who"] for piece in pieces if (match := _PRESENT.match(piece))}
    return pieces if all(map(_is_owned, pieces)) and names != {None} else []


def _pieces(text: str, *, has_head: bool) -> Iterator[str]:
    start = 0
    for joint in _JOINT.finditer(text):
        right = text[joint.end() :]
        if _is_owned(right) or (has_head and _is_order(right)):
            yield text[start : joint.start()]
            start = joint.end()
    yield text[start:]


def _is_owned(piece: str) -> bool:
    match = _PRESENT.match(piece)
    return bool(match and _base(match["verb"]))


def _is_order(piece: str) -> bool:
    word = first_word(piece)
    rest = piece[len(word) :].lstrip()
    return (word in WORK or word == "get") and bool(rest)


def _base(verb: str) -> str | None:
    """Give the base form of "writes"; None where it is no verb of work."""
    verb = verb.casefold()
    forms = (verb, verb.removesuffix("s"), verb.removesuffix("es"), verb.removesuffix("ies") + "y")
    return next((form for form in forms if tier_of(form) not in (Tier.UNKNOWN, Tier.TALKS)), None)
