"""How sure the reader has to be: surer where people help each other, talk about code, or talk at length, and there only
of what is asked or promised in words. The labelled threads are short and of places of work; real help channels are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from discubot_pipeline.adapters.learned.choice import Candidate
from discubot_pipeline.adapters.learned.standing import Looks
from discubot_pipeline.adapters.learned.talk import Talk
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.rules.scene import Scene
from discubot_pipeline.adapters.rules.sentences import ATOM_END, ATOM_START, Sentence

PLACE_OF_WORK: Final = 0.33
HELP_DESK: Final = 0.85
OF_CODE: Final = 0.2
A_TURN: Final = 0.01
FEW_ATOMS, SHORT = 2, 12
ASKED: Final = 0.3
PLAINLY: Final = 0.7
IMPLIED: Final = 0.07
SAID: Final = 0.2
PROSE, FEW_WORDS = 25, 2
MEANT: Final = 0.6
UNTAKEN = -1.5
"""Log odds: below them nobody near seems to take anything."""

NEAR = 9


@dataclass(frozen=True)
class Demand:
    """What a thread demands of the work found in it: a chance, and how plainly it is asked for."""

    chance: float
    asked: float

    def is_met(self, candidate: Candidate, chance: float, looks: Looks) -> bool:
        """Say whether a candidate is sure enough, and taken by somebody near or plainly asked for."""
        place = candidate.clause.turn.place
        asked = candidate.standing["s asks"]
        is_taken = asked >= PLAINLY or max(looks.takes[place : place + NEAR]) > UNTAKEN
        is_prose = asked < SAID and self._is_prose(candidate.standing)
        is_sure = chance >= self.chance + (0.0 if asked else IMPLIED)
        return is_sure and asked >= self.asked and is_taken and not is_prose and self._is_clear(candidate)

    @staticmethod
    def _is_prose(standing: Features) -> bool:
        """Say whether words that ask for nothing are one thought of many in a long message."""
        return standing["t length"] > PROSE and not (standing["s item"] and not standing["s question"])

    def _is_clear(self, candidate: Candidate) -> bool:
        """Say whether a candidate names its work, or, where more is demanded, likely means what its title says."""
        clause = candidate.clause
        if clause.about:
            return not self.asked or clause.meant >= MEANT
        return len(clause.content) >= FEW_WORDS or (clause.has_object and "pointer" not in clause.cues)


def demand(talk: Talk, sentences: Sequence[Sentence]) -> Demand:
    """Read what a thread demands off its manner."""
    is_help = _is_help(sentences)
    atoms = sum(ATOM_START <= ord(char) <= ATOM_END for sentence in sentences for char in sentence.text)
    is_code, longer = atoms > FEW_ATOMS, max(0, len(talk.turns) - SHORT)
    chance = (HELP_DESK if is_help else PLACE_OF_WORK) + OF_CODE * is_code + A_TURN * longer
    return Demand(chance, ASKED if is_help or is_code or longer else 0.0)


def _is_help(sentences: Sequence[Sentence]) -> bool:
    scene = Scene(sentences)
    for sentence in sentences:
        scene.watch(sentence)
        if scene.is_helpdesk:
            return True
    return False
