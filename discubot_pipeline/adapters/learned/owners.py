"""Whose a piece of work is, and by when: who took it or was asked, and the day that was named with it."""

from collections.abc import Iterator
from datetime import date

from discubot_pipeline.adapters.learned.standing import LEAST, Looks
from discubot_pipeline.adapters.learned.talk import Clause, Talk, Turn, people_in
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.learned.weights import Measures
from discubot_pipeline.adapters.rules.dates import due_in
from discubot_pipeline.adapters.rules.labels import priority_of
from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.domain.analysis import Priority

SURE = 0.35
REACH = 8
"""So many turns after work is named an answer still means it."""

_TAKING = ("commit", "assent", "sign", "doing", "handover", "self", "not", "question", "done")


def likely_owners(talk: Talk, clause: Clause) -> list[str]:
    """List who may own the work that a clause names: who writes or is named there or soon after, each once."""
    near = talk.turns[clause.turn.place : clause.turn.place + 1 + REACH]
    return [*dict.fromkeys(name for turn in near for name in (turn.writer, *turn.named) if name)]


def of_owner(talk: Talk, looks: Looks, clause: Clause, person: str) -> Features:
    """Describe what speaks for a person as the owner of the work that a clause names."""
    turn, sentence = clause.turn, clause.sentence
    is_writer = sentence.writer == person
    named = people_in(sentence, sentence.text)
    later = [each for each in talk.turns[turn.place + 1 : turn.place + 1 + REACH] if each.writer == person]
    answers = [each for each in later if each.author != turn.author]
    others = talk.others_after(turn)[:1]
    found: Features = {
        "writes": float(is_writer),
        "writes alone": float(is_writer and not others),
        "named": float(person in named),
        "named in clause": float(person in people_in(sentence, clause.text)),
        "only one named": float([person] == [*dict.fromkeys(named)]),
        "called": float(person in clause.called),
        "asked": float(any(ask.owner == person for ask in asks_in(sentence))),
        "named in turn": float(person in turn.named),
        "named later": float(any(person in each.named for each in talk.turns[turn.place + 1 :][:REACH])),
        "answers": float(bool(answers)),
        "answers first": float(bool(others) and others[0].writer == person),
        "takes here": looks.takes[turn.place] if is_writer else LEAST,
        "takes later": max((looks.takes[each.place] for each in answers), default=LEAST),
        "takes again": max((looks.takes[each.place] for each in later if each.author == turn.author), default=LEAST),
        "takes most": float(_takes_most(talk, looks, turn) == person),
        "people": len(talk.people),
    }
    if is_writer:
        found |= {f"clause {cue}": 1.0 for cue in clause.cues} | {f"turn {cue}": 1.0 for cue in turn.cues}
    for each in answers[:1]:
        found |= {f"answer {cue}": 1.0 for cue in each.cues if cue in _TAKING}
    return found


def owner_of(talk: Talk, looks: Looks, clause: Clause, measures: Measures) -> str | None:
    """Name the likeliest owner; None where nobody is likely."""
    chances = [(measures.chance(of_owner(talk, looks, clause, each)), each) for each in likely_owners(talk, clause)]
    chance, person = max(chances, default=(0.0, None), key=lambda pair: pair[0])
    return person if chance >= SURE else None


def due_of(talk: Talk, clause: Clause, owner: str | None, time_zone: str) -> date | None:
    """Give the day named in the clause, else in its sentence, its owner's answers, or the rest of its turn."""
    turn = clause.turn
    answers = [each for each in talk.turns[turn.place + 1 : turn.place + 1 + REACH] if each.writer == owner][:2]
    texts = [(clause.text, turn.message), (clause.sentence.text, turn.message)]
    texts += [(sentence.text, each.message) for each in answers for sentence in each.sentences[:3]]
    texts += [(sentence.text, turn.message) for sentence in _after(clause)]
    return next((day for text, message in texts if (day := due_in(text, message, time_zone))), None)


def priority_in(talk: Talk, clause: Clause) -> Priority | None:
    """Give the priority named in the sentence, else in its turn or in the next one."""
    near = [clause.sentence, *clause.turn.sentences]
    near += [each for turn in talk.turns[clause.turn.place + 1 :][:1] for each in turn.sentences]
    return next((priority for each in near if (priority := priority_of(each.text))), None)


def _after(clause: Clause) -> Iterator[Sentence]:
    """Give the short sentences after the clause's in its turn: "by Friday please"."""
    sentences = clause.turn.sentences
    following = sentences[sentences.index(clause.sentence) + 1 :][:2]
    return (each for each in following if not each.is_item and len(each.text.split()) <= REACH)


def _takes_most(talk: Talk, looks: Looks, turn: Turn) -> str | None:
    near = talk.turns[turn.place : turn.place + 1 + REACH]
    return max(near, key=lambda each: looks.takes[each.place]).writer
