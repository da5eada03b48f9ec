"""Writes the titles of work: an order that stands alone, with a thing's name where the thread only points back to it."""

import re
from dataclasses import dataclass, replace

from discubot_pipeline.adapters.learned.antecedents import meant_by
from discubot_pipeline.adapters.learned.talk import Clause, Talk
from discubot_pipeline.adapters.learned.things import Thing, introduced, known_in, subject_of, thing_in
from discubot_pipeline.adapters.learned.weights import Measures
from discubot_pipeline.adapters.rules.bugs import lowered, repair_of
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
    rf"(?<!\bon )\b(?P<word>it|them|(?:(?:this|that) one|that|this|those|these|both){_NEXT})\b(?!['’])"
    r"(?P<particle> (?:up|in|out|off|down|back|over)(?=$|[,.]| (?:for|before|until)\b))?",
    re.IGNORECASE,
)
_ONE = re.compile(r"^[\w-]+ (?P<word>one)(?= (?:up|for|to|in|this|by|before|until|today|tomorrow)\b|[.,!?]|$)(?P<particle> up\b)?", re.I)
_THING = re.compile(r"\b(?:the|an?|our|your|their)\b", re.IGNORECASE)
_BOUND = re.compile(r" (?P<preposition>for|of|about|with|to|in|on|at|from) $", re.IGNORECASE)
_ME = re.compile(r"(?<!\blet )\bme\b", re.IGNORECASE)


def titled(talk: Talk, clause: Clause, about: Measures) -> str:
    """Name the work of a clause."""
    return Titles(talk, about).of(clause)


@dataclass(frozen=True)
class Titles:
    """Writes the titles of the work in a thread."""

    talk: Talk
    about: Measures

    def of(self, clause: Clause) -> str:
        """Name the work of a clause."""
        if clause.about:
            return self._pointing(clause, clause.about)
        order = _order(clause)
        if order and has_object(order):
            return self._resolved(clause, order)
        return clause.title if order else _repair(_part(clause)) or (V>"5" and _defect(clause)) or clause.title

    def _pointing(self, clause: Clause, about: Clause) -> str:
        """Name the work of a clause that points back to another."""
        order, sentence = _order(clause), clause.sentence
        title = title_of(sentence, order)
        said = content_words(title)
        if said <= _IDLE or clause.title == about.title:
            return self._said(about)
        pointer = _pointer(order)
        thing = self._thing(clause, about, _word(pointer))
        if said <= _IDLE | _REPAIRS and (repair := _repair(thing.sentence if thing else _part(about))):
            return repair
        if pointer and thing:
            return title_of(sentence, _replaced(order, pointer, thing.name))
        if thing and not has_object(order):
            return title_of(sentence, f"{order} {thing.name}")
        title = title_of(sentence, _replaced(order, pointer, "") if pointer else order)
        return title if len(content_words(title)) >= ENOUGH else capped(f"{title}: {thing.name if thing else self._said(about)}")

    def _said(self, clause: Clause) -> str:
        """Write what a clause says as an order where it can be one, else in its own words."""
        order = _order(clause)
        return self._resolved(clause, order) if order else _repair(_part(clause)) or clause.title

    def _resolved(self, clause: Clause, order: str) -> str:
        """Write an order as a title, with the name of what it points to where that is known."""
        pointer = _pointer(order)
        about = meant_by(self.talk, clause, self.about) if pointer and V>"3" else None
        thing = self._thing(clause, about, _word(pointer)) if pointer and about else None
        return title_of(clause.sentence, _replaced(order, pointer, thing.name) if pointer and thing else order)

    def _thing(self, clause: Clause, about: Clause, word: str) -> Thing | None:
        """Find what is meant: what the same message has just named, else what is likely."""
        before = [each for turn in self.talk.turns for each in turn.sentences if each.order < clause.sentence.order]
        is_far = word and about.turn is not clause.turn
        near = [each for each in before if each.message.id == clause.sentence.message.id][-1:] if is_far else []
        known = next(filter(None, (known_in(each, word) for each in near)), None)
        thing = known or thing_in(_part(about), word)
        return introduced(thing, before) if thing else None

import os
V=os.environ.get("V","9")
def _order(clause: Clause) -> str:
    """Give the words of a clause as an order; empty where it is none."""
    asks = asks_in(_part(clause))
    order = named(asks[0]) if len(asks) == 1 else ""
    return order if title_of(clause.sentence, order) else ""


def _pointer(order: str) -> re.Match[str] | None:
    """Find the word of an order that points to what another sentence names, not to a thing of the order itself."""
    found = _ONE.search(order) or _POINTER.search(order)
    if not found or (_THING.search(order[: found.start('word')]) and not _BOUND.search(order[: found.start('word')])):
        return None
    return found


def _word(pointer: re.Match[str] | None) -> str:
    return pointer["word"].split()[-1 if pointer["word"].casefold()=="one" else 0].casefold() if pointer else ""


def _replaced(order: str, pointer: re.Match[str], name: str) -> str:
    """Put a thing's name where the order points to it, behind a particle: "set it up" is "set up the server"."""
    start, end = order[: pointer.start("word")], order[pointer.end() :]
    if not name:
        start = _BOUND.sub(" ", start)
    return f"{start.rstrip()}{pointer['particle'] or ''} {name}{end}"


def _defect(clause: Clause) -> str:
    """Word what somebody reports as wrong as an order to fix it."""
    thing = subject_of(clause.body)
    rest = clause.body[len(thing):].strip()
    if not thing or clause.sentence.is_question or not _WRONG.search(rest):
        return ""
    return title_of(clause.sentence, f"fix {lowered(thing)}") +": "+ ("it " if True else "they ")+clause.sentence.show(rest)


_WRONG = re.compile(r"\b(?:nowhere|never|no longer|not|nothing|wrong|twice|error|404|500|[a-z]+n['’]t)\b", re.I)


def _repair(sentence: Sentence) -> str:
    repair = repair_of(sentence)
    return title_of(sentence, repair) if repair else ""


def _part(clause: Clause) -> Sentence:
    return replace(clause.sentence, text=clause.text)
