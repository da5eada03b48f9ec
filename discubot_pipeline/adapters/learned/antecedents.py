"""What a clause speaks of when it does not say so itself: "I'll fix that" is about what somebody said before it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from discubot_pipeline.adapters.learned.talk import Clause, Talk
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.learned.weights import Measures
from discubot_pipeline.adapters.rules.sentences import ATOM_END, ATOM_START
from discubot_pipeline.adapters.rules.titles import clipped
from discubot_pipeline.adapters.rules.verbs import Tier, tier_of

WEAK_CONTENT, WEAK_WORDS = 3, 12
REACH = 6
"""So many turns back something may still be meant."""

MOST = 24
LIKELIEST = 2
NEW_WORDS = 2
FAR = 6
_ACTING = frozenset(("commit", "request", "oblige"))
_AGREEING = frozenset(("commit", "assent", "handover", "coming", "doing", "go"))


def completed(talk: Talk, about: Measures) -> Talk:
    """Add, for each clause that points back, clauses whose titles say what it may point to."""
    return replace(talk, clauses=(*talk.clauses, *(each for one in talk.clauses for each in _joined(talk, one, about))))


def is_weak(clause: Clause) -> bool:
    """Say whether a clause hardly names what it is about."""
    if len(clause.content) > WEAK_CONTENT or len(clause.words) > WEAK_WORDS:
        return False
    return "pointer" in clause.cues or len(clause.content) < NEW_WORDS or not clause.has_object


def antecedents(clauses: Sequence[Clause], clause: Clause) -> list[Clause]:
    """List the clauses before one that it may point to."""
    return list(_before(clauses, clause))[-MOST:]


def of_antecedent(talk: Talk, clause: Clause, other: Clause) -> Features:
    """Describe a clause and one before it: whether it points there is learned from this."""
    turns, sentences = clause.turn.place - other.turn.place, clause.sentence.order - other.sentence.order
    found: Features = {f"cue {cue}": 1.0 for cue in other.cues}
    return found | {
        "turns": turns,
        "here": float(turns == 0),
        "just before": float(turns == 1),
        "sentences": min(FAR, sentences),
        "same sentence": float(sentences == 0),
        "last sentence": float(sentences == 1),
        "same author": float(other.turn.author == clause.turn.author),
        "opens": float(other.turn.place == 0),
        "first": float(other.sentence.order == talk.clauses[0].sentence.order),
        "content": min(FAR, len(other.content)),
        "words": len(other.words),
        "whole": float(other.is_whole),
        "starts": float(other.start == 0),
        "question": float(other.sentence.is_question),
        "item": float(other.sentence.is_item),
        "object": float(other.has_object),
        "code": float(any(ATOM_START <= ord(char) <= ATOM_END for char in other.text)),
        "weak": float(is_weak(other)),
    }


def joined(clause: Clause, other: Clause) -> str:
    """Write one title for a clause and what it points to; of one that only agrees nothing is worth telling."""
    if not _acts(clause):
        return other.title
    return clipped(f"{clause.title} ({other.title})")


def _joined(talk: Talk, clause: Clause, about: Measures) -> Iterator[Clause]:
    most = _most(clause)
    found = antecedents(talk.clauses, clause) if most else []
    chances = [(about.chance(of_antecedent(talk, clause, each)), each) for each in found]
    for chance, other in sorted(chances, key=lambda pair: -pair[0])[:most]:
        yield replace(clause, title=joined(clause, other), about=other, meant=chance)


def _most(clause: Clause) -> int:
    """Say how many things a clause is joined with."""
    if not is_weak(clause):
        return 0
    return LIKELIEST if _acts(clause) else int(not _AGREEING.isdisjoint(clause.cues))


def _acts(clause: Clause) -> bool:
    """Say whether a clause speaks of doing something: "I'll swap it", not "me too"."""
    is_order = bool(clause.words) and tier_of(clause.words[0]) is not Tier.UNKNOWN
    return bool(clause.content) and len(clause.words) > 1 and (is_order or not _ACTING.isdisjoint(clause.cues))


def _before(clauses: Sequence[Clause], clause: Clause) -> Iterator[Clause]:
    for each in clauses:
        if each.position >= clause.position:
            return
        is_apart = each.sentence.order < clause.sentence.order or each.end <= clause.start
        is_near = clause.turn.place - each.turn.place <= REACH and len(each.words) <= WEAK_WORDS + NEW_WORDS
        if is_apart and is_near and len(each.content - clause.content) >= NEW_WORDS:
            yield each
