"""Reads a thread with what was learned from labelled ones: which clauses name work that is still to be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from discubot_pipeline.adapters.learned.antecedents import completed
from discubot_pipeline.adapters.learned.choice import Candidate, candidates, choose
from discubot_pipeline.adapters.learned.hearing import listen
from discubot_pipeline.adapters.learned.owners import due_of, owner_of, priority_in
from discubot_pipeline.adapters.learned.standing import Looks, Standing
from discubot_pipeline.adapters.learned.talk import LONG, Clause, Talk, hear
from discubot_pipeline.adapters.learned.titles import Titles
from discubot_pipeline.adapters.learned.traits import of_clause, of_talk, of_turn
from discubot_pipeline.adapters.learned.weights import Counts, Weights, learned
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.domain.analysis import Priority
from discubot_pipeline.domain.discussion import Message

HOPELESS, UNLIKELY = -3.5, -2.0
"""Log odds: a clause less likely by its words alone is not looked at again; the second is for long threads."""


@dataclass(frozen=True)
class Work:
    """A piece of work that a clause names, with how sure that is."""

    clause: Clause
    title: str
    chance: float
    owner: str | None
    due: date | None
    priority: Priority | None


def work_in(messages: Sequence[Message], sentences: Sequence[Sentence], time_zone: str) -> list[Work]:
    """Find the work in a thread, in the order it came up."""
    from discubot_pipeline.adapters.learned.encoder import encoder  # and NumPy: only in processes that read threads

    weights = learned()
    talk = completed(hear(messages, sentences), weights.about)
    if not talk.clauses:
        return []
    looks, heard = look(talk, weights.first), listen(talk, encoder())
    found = likely(talk, looks, heard, weights, time_zone)
    chosen = choose(found, weights.same.chance, weights.new.chance, weights.threshold)
    works = [_work(talk, looks, weights, candidate, chance, time_zone) for candidate, chance in chosen]
    return sorted(works, key=lambda each: each.clause.position)


def look(talk: Talk, first: Mapping[str, Counts]) -> Looks:
    """Take the first look: at the words alone."""
    turns = [of_turn(talk, turn) for turn in talk.turns]
    own = {each.stretch: first["clause"].odds(of_clause(talk, each)) for each in talk.clauses if not each.about}
    return Looks(
        part=tuple(map(first["part"].odds, turns)),
        takes=tuple(map(first["takes"].odds, turns)),
        supports=tuple(map(first["supports"].odds, turns)),
        talk=first["talk"].odds(of_talk(talk)),
        clauses=tuple(own[clause.stretch] for clause in talk.clauses),
    )


def likely(talk: Talk, looks: Looks, heard: Looks, weights: Weights, time_zone: str) -> list[Candidate]:
    """Take the second look: at how each clause stands; gives those that are likely to name work."""
    standing = Standing(talk, looks, heard, time_zone)
    least = HOPELESS if len(talk.turns) <= LONG else UNLIKELY
    places = [place for place, both in enumerate(zip(looks.clauses, heard.clauses, strict=True)) if max(both) > least]
    standings = [standing.of(place) for place in places]
    clauses = [talk.clauses[place] for place in places]
    return candidates(clauses, [*map(weights.work.chance, standings)], standings)


def _work(talk: Talk, looks: Looks, weights: Weights, candidate: Candidate, chance: float, time_zone: str) -> Work:
    clause = candidate.clause
    owner = owner_of(talk, looks, clause, weights.owner)
    title = Titles(talk).of(clause, owner)
    return Work(clause, title, chance, owner, due_of(talk, clause, owner, time_zone), priority_in(talk, clause))
