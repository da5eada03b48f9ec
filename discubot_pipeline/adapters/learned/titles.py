"""Writes the titles of work: an order that stands alone, with a thing's name where its words only point to it."""

import re
from dataclasses import dataclass, replace

from discubot_pipeline.adapters.learned.talk import Clause, Talk
from discubot_pipeline.adapters.learned.things import Thing, introduced, known_in, pronoun_of, subject_of, thing_in
from discubot_pipeline.adapters.rules.bugs import lowered, repair_of
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.tasks import named
from discubot_pipeline.adapters.rules.titles import capped, content_words, has_object, title_of
from discubot_pipeline.adapters.rules.verbs import REPAIRS, stem_of

_IDLE = frozenset(
    map(stem_of, lexicon("do handle take make manage get give look see sort go mache faire fais je ik ich"))
)
"""Words that say nothing of what is done: "I'll take that"."""

_REPAIRS = _IDLE | frozenset(map(stem_of, REPAIRS | {"pr", "bug"}))
_PARTICLE = r"(?P<particle> (?:up|in|out|off|down|back|over)(?=$|[,.]| (?:for|before|until)\b))?"
_POINTER = re.compile(
    r"(?<!\bon )\b(?P<word>it|them|(?:(?:this|that) one|that|this|those|these|both)(?=$|[.,!?]| (?:to|in|into|on|for|"
    r"with|by|until|before|after|from|too|then|today|tomorrow|tonight|now|off|out|up|back|down|over|as|and|so|if|when|"
    rf"once|next|first|please|this|at)\b))\b(?!['’]){_PARTICLE}",
    re.IGNORECASE,
)
_ONE = re.compile(
    rf"^[\w-]+ (?P<word>one)(?= (?:up|for|to|in|this|by|before|until)\b|[.,!?]|$){_PARTICLE}", re.IGNORECASE
)
_THING = re.compile(r"\b(?:the|an?|our|your|their)\b", re.IGNORECASE)
_BOUND = re.compile(r" (?:for|of|about|with|to|in|on|at|from) $", re.IGNORECASE)
_WRONG = re.compile(
    r"\b(?:nowhere|never|no longer|not|nothing|wrong|twice|error|404|500|[a-z]+n['’]t)\b", re.IGNORECASE
)
_WISH = re.compile(r"\b(?:should|must|needs?)\b", re.IGNORECASE)
_ME = re.compile(r"\b(send|give|tell|show|mail|ping|remind|forward|to|from|with) me\b", re.IGNORECASE)


@dataclass(frozen=True)
class Titles:
    """Writes the titles of the work of one thread."""

    talk: Talk

    def of(self, clause: Clause, owner: str | None) -> str:
        """Name the work of a clause; who asks for something to be sent to "me" is named, unless it is the owner."""
        title, writer = self._title(clause), clause.sentence.writer
        return title if not writer or writer == owner else _ME.sub(lambda found: f"{found[1]} {_called(writer)}", title)

    def _title(self, clause: Clause) -> str:
        if clause.about:
            return self._pointing(clause, clause.about)
        order = _order(clause)
        if order and has_object(order):
            return title_of(clause.sentence, order)
        return clause.title if order else _repair(_part(clause)) or _defect(clause) or clause.title

    def _pointing(self, clause: Clause, about: Clause) -> str:
        """Name the work of a clause that is about what another one says."""
        order = _order(clause)
        names = frozenset().union(*map(content_words, self.talk.people))
        said = content_words(title_of(clause.sentence, order)) - names
        if said <= _IDLE or clause.title == about.title:
            return self._said(about)
        pointer = _pointer(order)
        thing = self._thing(clause, about, pointer)
        if said <= _REPAIRS and (repair := _repair(thing.sentence if thing else _part(about))):
            return repair
        if thing and (pointer or not has_object(order)):
            return title_of(clause.sentence, _filled(order, pointer, thing.name))
        title = title_of(clause.sentence, _filled(order, pointer, ""))
        return capped(f"{title}: {thing.name if thing else self._said(about)}")

    def _said(self, clause: Clause) -> str:
        """Write what a clause says as an order where it can be one, else in its own words."""
        order = _order(clause)
        return title_of(clause.sentence, order) if order else _repair(_part(clause)) or clause.title

    def _thing(self, clause: Clause, about: Clause, pointer: re.Match[str] | None) -> Thing | None:
        """Find what is meant: what the sentence before has just named, else what likely is."""
        word = _word(pointer)
        before = [each for turn in self.talk.turns for each in turn.sentences if each.order < clause.sentence.order]
        just = [each for each in before[-1:] if each.message.id == clause.sentence.message.id]
        known = known_in(just[0], word) if word and just and about.turn is not clause.turn else None
        thing = known or thing_in(_part(about), word)
        return introduced(thing, before) if thing else None


def _order(clause: Clause) -> str:
    """Give the words of a clause as an order; empty where it is none."""
    asks = asks_in(_part(clause))
    order = named(asks[0]) if len(asks) == 1 else ""
    return order if title_of(clause.sentence, order) else ""


def _pointer(order: str) -> re.Match[str] | None:
    """Find the word of an order that points out of it: in "find the lease and scan it" none does."""
    found = _ONE.search(order) or _POINTER.search(order)
    start = order[: found.start("word")] if found else ""
    return None if _THING.search(start) and not _BOUND.search(start) else found


def _word(pointer: re.Match[str] | None) -> str:
    return pointer["word"].split()[0].casefold() if pointer else ""


def _filled(order: str, pointer: re.Match[str] | None, name: str) -> str:
    """Put a name where an order points, behind a particle: "set it up" is "set up the server"."""
    if not pointer:
        return f"{order} {name}"
    start = order[: pointer.start("word")]
    start = start if name else _BOUND.sub(" ", start)
    return f"{start.rstrip()}{pointer['particle'] or ''} {name}{order[pointer.end() :]}"


def _called(person: str) -> str:
    """Give a person's first name; with a title ("Dr. Yao") the whole."""
    first = person.split(maxsplit=1)[0]
    return person if first.endswith(".") else first


def _repair(sentence: Sentence) -> str:
    """Word a report of a known kind of fault as an order."""
    repair = repair_of(sentence)
    return title_of(sentence, repair) if repair else ""


def _defect(clause: Clause) -> str:
    """Word any other statement that something goes wrong as an order: "fix the form: it never loads"."""
    thing = subject_of(clause.body)
    rest = clause.body[len(thing) :].strip(" .!")
    if not thing or clause.sentence.is_question or _WISH.match(rest) or not _WRONG.search(rest):
        return ""
    title = title_of(clause.sentence, f"fix {lowered(thing)}")
    return capped(f"{title}: {pronoun_of(thing)} {clause.sentence.show(rest)}")


def _part(clause: Clause) -> Sentence:
    return replace(clause.sentence, text=clause.text)
