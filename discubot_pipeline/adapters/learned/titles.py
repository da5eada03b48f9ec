"""Writes the titles of work: an order that stands alone, with a thing's name where the thread only points back to it."""

import re
from dataclasses import replace

from discubot_pipeline.adapters.learned.talk import Clause
from discubot_pipeline.adapters.learned.things import thing_in
from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import Ask, asks_in
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
    rf"(?<!\bon )\b(?:(?P<one>(?:this|that) one|one)|it|them|(?:that|this|those|these|both|him){_NEXT})"
    rf"(?<=\w)(?!['’])\b(?:(?P<particle> (?:up|in|out|off|down|back|over))(?=$|[,.]| (?:for|before|until)\b))?",
    re.IGNORECASE,
)


def titled(clause: Clause) -> str:
    """Name the work of a clause."""
    asks = _asks(clause)
    order = named(asks[0]) if len(asks) == 1 else ""
    if clause.about:
        return _pointing(clause, clause.about, order)
    return title_of(clause.sentence, order) if order and has_object(order) else clause.title


def _pointing(clause: Clause, about: Clause, order: str) -> str:
    """Name the work of a clause that points back to another."""
    sentence, said = clause.sentence, _stems(order)
    if said <= _IDLE or clause.title == about.title:
        return _ordered(about)
    if said <= _IDLE | _REPAIRS and (repair := _repair(about)):
        return repair
    pointer = _POINTER.search(order)
    thing = thing_in(about, _asks(about), _word(pointer))
    if pointer and thing:
        return title_of(sentence, f"{order[: pointer.start()].rstrip()}{pointer['particle'] or ''} {thing}{order[pointer.end() :]}")
    if thing and not has_object(order):
        return title_of(sentence, f"{order} {thing}")
    title = title_of(sentence, order if not pointer else _without(order, pointer))
    return title if len(content_words(title)) >= ENOUGH else capped(f"{title}: {thing or _ordered(about)}")


def _word(pointer: re.Match[str] | None) -> str:
    if not pointer:
        return ""
    return "one" if pointer[0] == "one" else "it" if pointer["one"] else pointer[0].split()[0].casefold()


def _without(order: str, pointer: re.Match[str]) -> str:
    before = re.sub(r"(?: (?:for|of|about|with|to|in|on))? $", "", order[: pointer.start()])
    return f"{before}{pointer['particle'] or ''}{order[pointer.end() :]}"


def _ordered(clause: Clause) -> str:
    """Write what a clause says as an order where it can be one, else in its own words."""
    asks = _asks(clause)
    title = title_of(clause.sentence, named(asks[0])) if len(asks) == 1 else ""
    return title or _repair(clause) or clause.title


def _repair(clause: Clause) -> str:
    repair = repair_of(replace(clause.sentence, text=clause.text))
    return title_of(clause.sentence, repair) if repair else ""


def _asks(clause: Clause) -> tuple[Ask, ...]:
    return asks_in(replace(clause.sentence, text=clause.text))


def _stems(text: str) -> frozenset[str]:
    return content_words(text)
