"""Writes the titles of work: an order that stands alone, with a thing's name where the thread only points back to it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from discubot_pipeline.adapters.learned.talk import Clause
from discubot_pipeline.adapters.learned.things import Thing, introduced, known_in, thing_in
from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.tasks import named
from discubot_pipeline.adapters.rules.titles import capped, content_words, has_object, title_of
from discubot_pipeline.adapters.rules.verbs import REPAIRS, stem_of

ENOUGH = 3
"""An order of so many words that mean something needs no thing's name."""

_IDLE = frozenset(
    map(
        stem_of,
        lexicon("do handle take make manage get give look see sort go mache übernehme faire fais je hago ik ich lo"),
    )
)
_REPAIRS = frozenset(map(stem_of, (*REPAIRS, "pr", "bug", "fix")))
"""Words that say nothing of what is done ("I'll take that"), and words of repair."""

_NEXT = (
    r"(?=$|[.,!?]| (?:to|in|into|on|for|with|by|until|before|after|from|too|then|today|tomorrow|tonight|now|off|out|"
    r"up|back|down|over|as|and|so|if|when|once|next|first|please|this|at)\b)"
)
_POINTER = re.compile(
    rf"(?<!\bon )\b(?P<word>it|them|(?:(?:this|that) one|that|this|those|these|both|him){_NEXT})\b(?!['’])"
    r"(?P<particle> (?:up|in|out|off|down|back|over)(?=$|[,.]| (?:for|before|until)\b))?",
    re.IGNORECASE,
)
_ONE = re.compile(r"^[\w-]+ (?P<word>one)(?= (?:up|for|to|in|this|by|before|until|today|tomorrow)\b|[.,!?]|$)(?P<particle> up\b)?", re.I)
_THING = re.compile(r"\b(?:the|an?|our|your|their)\b", re.IGNORECASE)
_BOUND = re.compile(r" (?P<preposition>for|of|about|with|to|in|on|at|from) $", re.IGNORECASE)
_ME = re.compile(r"(?<!\blet )\bme\b", re.IGNORECASE)
BACK = 3
"""So many sentences before a sentence its own pointing words may mean something."""


def titled(clause: Clause, before: Sequence[Sentence]) -> str:
    """Name the work of a clause, which the sentences before it may help to understand."""
    asks = asks_in(_part(clause))
    order = named(asks[0]) if len(asks) == 1 else ""
    if clause.about:
        return _pointing(clause, clause.about, order, before)
    if order and has_object(order):
        return title_of(clause.sentence, order)
    return clause.title if V<"3" or asks else _repair(_part(clause)) or clause.title
import os
V=os.environ.get("V","9")


def _pointing(clause: Clause, about: Clause, order: str, before: Sequence[Sentence]) -> str:
    """Name the work of a clause that points back to another."""
    sentence = clause.sentence
    title = title_of(sentence, order)
    said = content_words(title)
    if said <= _IDLE or clause.title == about.title:
        return _ordered(about, before)
    pointer = _pointer(order)
    thing = _thing(clause, about, pointer, before)
    if said <= _IDLE | _REPAIRS and (repair := _repair(thing.sentence if thing else _part(about))):
        return repair
    if pointer and thing:
        return title_of(sentence, _replaced(order, pointer, thing.name))
    if thing and not has_object(order):
        return title_of(sentence, f"{order} {thing.name}")
    title = title_of(sentence, _replaced(order, pointer, "") if pointer else order)
    return title if len(content_words(title)) >= ENOUGH else capped(f"{title}: {thing.name if thing else _ordered(about, before)}")


def _pointer(order: str) -> re.Match[str] | None:
    """Find the word of an order that points to what another sentence names, not to a thing of the order itself."""
    found = _ONE.search(order) or _POINTER.search(order)
    if not found or (_THING.search(order[: found.start('word')]) and not _BOUND.search(order[: found.start('word')])):
        return None
    return found


def _word(pointer: re.Match[str] | None) -> str:
    return pointer["word"].split()[-1 if pointer["word"].casefold()=="one" else 0].casefold() if pointer else ""


def _thing(clause: Clause, about: Clause, pointer: re.Match[str] | None, before: Sequence[Sentence]) -> Thing | None:
    """Find what is meant: what the same message has just named, else what is likely."""
    word = _word(pointer)
    near = [each for each in before if each.message.id == clause.sentence.message.id][-1:] if about.turn is not clause.turn else []
    named = next((known_in(each, word) for each in near), None) if word else None
    thing = named or thing_in(_part(about), word)
    return introduced(thing, before) if thing else None


def _replaced(order: str, pointer: re.Match[str], name: str) -> str:
    """Put a thing's name where the order points to it, behind a particle: "set it up" is "set up the server"."""
    start, end = order[: pointer.start("word")], order[pointer.end() :]
    if not name:
        start = _BOUND.sub(" ", start)
    return f"{start.rstrip()}{pointer['particle'] or ''} {name}{end}"


def _ordered(clause: Clause, before: Sequence[Sentence]) -> str:
    """Write what a clause says as an order where it can be one, else in its own words."""
    asks = asks_in(_part(clause))
    if len(asks) != 1 or not (title := title_of(clause.sentence, order := named(asks[0]))):
        return _repair(_part(clause)) or clause.title
    pointer = _pointer(order)
    if V<"2" or not pointer: return title
    near = [each for each in before if each.order < clause.sentence.order][-BACK:]
    thing = next((thing for each in reversed(near) if (thing := known_in(each, _word(pointer)) or thing_in(each, _word(pointer)))), None)
    return title_of(clause.sentence, _replaced(order, pointer, thing.name)) if thing else title


def _repair(sentence: Sentence) -> str:
    repair = repair_of(sentence)
    return title_of(sentence, repair) if repair else ""


def _part(clause: Clause) -> Sentence:
    return replace(clause.sentence, text=clause.text)
