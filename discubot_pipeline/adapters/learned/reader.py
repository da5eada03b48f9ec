"""Reads a thread with what was learned from labelled ones: which clauses name work that is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from discubot_pipeline.adapters.learned.choice import Candidate, candidates, choose
from discubot_pipeline.adapters.learned.demand import demand
from discubot_pipeline.adapters.learned.owners import due_of, owner_of, priority_in
from discubot_pipeline.adapters.learned.standing import Looks, Standing
from discubot_pipeline.adapters.learned.talk import Clause, Talk, hear
from discubot_pipeline.adapters.learned.traits import of_clause, of_talk, of_turn
from discubot_pipeline.adapters.learned.weights import Weights, learned
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.domain.analysis import Priority
from discubot_pipeline.domain.discussion import Message


@dataclass(frozen=True)
class Work:
    """A piece of work that a clause names, with how sure that is."""

    clause: Clause
    chance: float
    owner: str | None
    due: date | None
    priority: Priority | None


def work_in(messages: Sequence[Message], sentences: Sequence[Sentence], time_zone: str) -> list[Work]:
    """Find the work in a thread, in the order it came up."""
    talk = hear(messages, sentences)
    if not talk.clauses:
        return []
    weights = learned()
    looks = look(talk, weights)
    chosen = choose(likely(talk, looks, weights, time_zone), weights.same.chance, weights.new.chance, weights.threshold)
    demanded = demand(talk, sentences)
    found = [
        _work(talk, looks, weights, candidate, chance, time_zone)
        for candidate, chance in chosen
        if demanded.is_met(candidate, chance, looks)
    ]
    return sorted(found, key=lambda each: each.clause.position)


def look(talk: Talk, weights: Weights) -> Looks:
    """Take the first look: at the words alone."""
    turns = [of_turn(talk, turn) for turn in talk.turns]
    return Looks(
        part=tuple(map(weights.part.odds, turns)),
        takes=tuple(map(weights.takes.odds, turns)),
        supports=tuple(map(weights.supports.odds, turns)),
        talk=weights.talk.odds(of_talk(talk)),
        clauses=tuple(weights.clause.odds(of_clause(talk, clause)) for clause in talk.clauses),
    )


def likely(talk: Talk, looks: Looks, weights: Weights, time_zone: str) -> list[Candidate]:
    """Take the second look: at how each clause stands; gives those that are likely to name work."""
    standing = Standing(talk, looks, time_zone)
    standings = [standing.of(place) for place in range(len(talk.clauses))]
    return candidates(talk.clauses, [*map(weights.work.chance, standings)], standings)


def _work(talk: Talk, looks: Looks, weights: Weights, candidate: Candidate, chance: float, time_zone: str) -> Work:
    clause = candidate.clause
    owner = owner_of(talk, looks, clause, weights.owner)
    return Work(clause, chance, owner, due_of(talk, clause, owner, time_zone), priority_in(talk, clause))
