"""Remembers what a thread reported as broken, for the "I'll fix it" that may follow."""

import re
from dataclasses import dataclass, replace

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.bugs import lowered, repair_of
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.titles import content_words

REACH = 12
"""So many sentences after a report "I'll fix it" still means it."""

FARTHER = 60
"""A reply that names the broken thing may come later."""

MEANT = 0.6

_STATE = re.compile(r"(?P<thing>(?!it\b|this\b|that\b|there\b)[^,;:]{2,60}?) (?:is|are) (?P<state>.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """A report and the repair it calls for, in masked words."""

    sentence: Sentence
    repair: str

    @property
    def kind(self) -> Kind:
        """Say whether it is a bug, or something that a thing does not do yet."""
        return Kind.NEED if self.repair.startswith("make ") else Kind.BUG


class Faults:
    """The faults of one thread, the latest last."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def notice(self, sentence: Sentence) -> Fault | None:
        """Remember a sentence if it reports a fault."""
        repair = repair_of(sentence) or foreign.fault_in(sentence.text)
        return self._keep(Fault(sentence, repair)) if repair else None

    def notice_point(self, sentence: Sentence) -> Fault:
        """Remember a list item that states what is wrong, in whatever words."""
        return self._keep(Fault(sentence, repair_of(sentence) or _as_repair(sentence.text)))

    def before(self, sentence: Sentence, words: frozenset[str] = frozenset()) -> Fault | None:
        """Find the fault that "fix it", or "take the button", means: in the same sentence, else the latest."""
        own = repair_of(replace(sentence, text=sentence.text.split(",")[0]))
        if own and not words:
            return Fault(sentence, own)
        for fault in reversed(self._faults):
            distance = sentence.order - fault.sentence.order
            if distance <= (FARTHER if words else REACH) and _is_meant(fault, words):
                return fault
        return None

    def forget(self) -> None:
        """Drop everything: it was called off."""
        self._faults.clear()

    def _keep(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault


def _as_repair(text: str) -> str:
    """Word "the button is cut off" as "fix the button being cut off"."""
    match = _STATE.match(text)
    if not match:
        return f"fix: {lowered(text)}"
    return f"fix {lowered(match['thing'])} being {match['state']}"


def _is_meant(fault: Fault, words: frozenset[str]) -> bool:
    return len(words & content_words(fault.sentence.show())) >= MEANT * len(words)
