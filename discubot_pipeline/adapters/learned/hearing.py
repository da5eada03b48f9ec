"""Lets the encoder read a thread, a stretch at a time, and gathers what it said of each clause and message."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from discubot_pipeline.adapters.learned.pieces import Part, Scribe, middles, windows
from discubot_pipeline.adapters.learned.standing import LEAST, Looks
from discubot_pipeline.adapters.learned.talk import Clause, Talk

if TYPE_CHECKING:
    from discubot_pipeline.adapters.learned.encoder import Encoder

Stretch = tuple[int, int, int]


def listen(talk: Talk, encoder: "Encoder") -> Looks:
    """Hear a thread; what lies too far back to be read counts as unlikely."""
    parts = Scribe(encoder.pieces).parts(talk)
    sizes = [len(part.pieces) for part in parts]
    stretches = windows(sizes)
    homes = middles(stretches, sizes)
    turns = [[LEAST] * len(talk.turns) for _ in range(3)]
    named: dict[Stretch, float] = {}
    talks = [LEAST]
    inside = clauses_by_part(talk, parts)
    for number, window in enumerate(stretches):
        at_home = [place for place in window if homes[place] == number]
        clauses = [(place - window.start, each) for place in at_home for each in inside[place]]
        heard = encoder.hear([parts[place] for place in window], clauses)
        named |= {each.stretch: float(odds) for (_, each), odds in zip(clauses, heard.clauses, strict=True)}
        for place in at_home:
            turn, odds = parts[place].turn, heard.parts[place - window.start]
            for looks, value in zip(turns, odds, strict=True):
                looks[turn] = max(looks[turn], float(value))
        talks.append(heard.talk)
    part, takes, supports = map(tuple, turns)
    return Looks(part, takes, supports, max(talks), tuple(named.get(each.stretch, LEAST) for each in talk.clauses))


def clauses_by_part(talk: Talk, parts: Sequence[Part]) -> list[list[Clause]]:
    """List the clauses of each part, each stretch of words once."""
    own = [clause for clause in talk.clauses if not clause.about]
    return [[clause for clause in own if clause.sentence.order in part.places] for part in parts]
