"""Where a clause stands: its form, the turns around it and what the first look at them said, as numbers with names."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from discubot_pipeline.adapters.learned.cues import cues_of
from discubot_pipeline.adapters.learned.talk import Clause, Talk, Turn
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.dates import due_in
from discubot_pipeline.adapters.rules.labels import priority_of
from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.scene import Scene
from discubot_pipeline.adapters.rules.sentences import ATOM_START, PERSON_END, PERSON_START, Sentence
from discubot_pipeline.adapters.rules.verbs import Tier, base_of, tier_of
from discubot_pipeline.adapters.rules.weights import Setting, weigh

LEAST = -9.0
"""What stands for a look at a turn that is not there."""

REACH = 6
FEW = 4
_TIERS = {Tier.DELIVERS: 4, Tier.HANDS: 3, Tier.ACTS: 2, Tier.TALKS: 1}
_ANSWERS = ("commit", "assent", "sign", "done", "cancel", "hedge", "handover", "go", "doing", "coming")

_POINTED = frozenset(("done", "cancel", "fault", "oblige", "request", "commit", "hedge", "past"))


@dataclass(frozen=True)
class Looks:
    """What was said of a thread at first, as log odds: of each turn that it is part of work, that its author takes
    work, that it supports work named elsewhere; of the thread that it holds work; of each clause that it names work.
    """

    part: tuple[float, ...]
    takes: tuple[float, ...]
    supports: tuple[float, ...]
    talk: float
    clauses: tuple[float, ...]

    @cached_property
    def by_name(self) -> dict[str, tuple[float, ...]]:
        """Give the looks at turns by their name."""
        return {"part": self.part, "takes": self.takes, "supports": self.supports}

    def best_in(self, talk: Talk) -> dict[int, float]:
        """Give the best look at a clause in each turn that has one."""
        best: dict[int, float] = {}
        for clause, look in zip(talk.clauses, self.clauses, strict=True):
            best[clause.turn.place] = max(look, best.get(clause.turn.place, LEAST))
        return best


class Ranks:
    """How what was said of one clause compares with what was said of the others."""

    def __init__(self, name: str, talk: Talk, looks: Looks) -> None:
        self.name, self.looks = name, looks
        self._places = [clause.turn.place for clause in talk.clauses]
        self._best = looks.best_in(talk)
        self._most = max(self._best.values())
        self._downwards = sorted(-each for each in looks.clauses)
        pairs = zip(talk.clauses, looks.clauses, strict=True)
        self._own = {clause.stretch: look for clause, look in pairs if not clause.about}

    def of(self, place: int) -> Features:
        """Describe what was said of a clause, named by its place among all of them."""
        look, here = self.looks.clauses[place], self._places[place]
        found = {
            "look": look,
            "talk": self.looks.talk,
            "best here": self._best[here],
            "best": self._most,
            "rank": bisect_left(self._downwards, -look),
            "best before": max((best for turn, best in self._best.items() if turn < here), default=LEAST),
            "best after": max((best for turn, best in self._best.items() if turn > here), default=LEAST),
            "most part": max(self.looks.part),
            "most takes": max(self.looks.takes),
            "most supports": max(self.looks.supports),
        }
        return {f"{self.name}{name}": value for name, value in found.items()}

    def of_about(self, about: Clause) -> Features:
        """Describe what was said of the clause that another points to."""
        look = self._own[about.stretch]
        return {f"about {self.name}look": look, f"about {self.name}best": look - self._most}


class Standing:
    """Describes the clauses of one thread."""

    def __init__(self, talk: Talk, looks: Looks, heard: Looks, time_zone: str) -> None:
        self._talk = talk
        self._ranks = (Ranks("", talk, looks), Ranks("heard ", talk, heard))
        self._zone = time_zone
        self._scene = _scene(talk)
        self._days: dict[int, bool] = {}
        self._sentences: dict[int, Features] = {}
        self._turns: dict[int, Features] = {}

    def of(self, place: int) -> Features:
        """Describe a clause, named by its place among all of them."""
        clause = self._talk.clauses[place]
        sentence, turn = clause.sentence, clause.turn
        if sentence.order not in self._sentences:
            self._sentences[sentence.order] = self._of_sentence(sentence) | {"s place": turn.sentences.index(sentence)}
        if turn.place not in self._turns:
            self._turns[turn.place] = self._of_turn(turn)
        found = self._form(clause) | self._sentences[sentence.order] | self._turns[turn.place] | self._scene
        for each in self._ranks:
            found |= each.of(place)
        return found | self._of_about(clause, clause.about) if clause.about else found

    def _form(self, clause: Clause) -> Features:
        words, sentence = clause.words, clause.sentence
        first = words[0] if words else ""
        found: Features = {f"c {cue}": 1.0 for cue in clause.cues}
        return found | {
            "whole": float(clause.is_whole),
            "starts": float(clause.start == 0),
            "ends": float(clause.end == len(sentence.text)),
            "words": len(words),
            "content": len(clause.content),
            "question": float(sentence.is_question and clause.end == len(sentence.text)),
            "called": len(clause.called),
            "people": sum(PERSON_START <= ord(char) <= PERSON_END for char in clause.text),
            "code": sum(ATOM_START <= ord(char) < PERSON_START for char in clause.text),
            "tier": _TIERS.get(tier_of(first), 0),
            "gerund": float(first.endswith("ing") and bool(base_of(first))),
            "object": float(clause.has_object),
            "due": float(bool(due_in(clause.text, sentence.message, self._zone))),
        }

    def _of_sentence(self, sentence: Sentence) -> Features:
        asks = [(weigh(ask, self._has_day(sentence), Setting()), ask.kind) for ask in asks_in(sentence)]
        found: Features = {f"s {cue}": 1.0 for cue in cues_of(sentence.text)}
        found |= {f"ask {kind}": 1.0 for _, kind in asks}
        return found | {
            "s question": float(sentence.is_question),
            "s item": float(sentence.is_item),
            "s open": float(sentence.is_open_box),
            "s ticked": float(sentence.is_done_box),
            "s asks": max((weight for weight, _ in asks), default=0.0),
            "s due": float(self._has_day(sentence)),
            "s pressing": float(bool(priority_of(sentence.text))),
            "s repair": float(bool(repair_of(sentence))),
            "s length": len(sentence.text.split()),
            "s writer": float(sentence.writer is not None),
        }

    def _of_turn(self, turn: Turn) -> Features:
        turns, place = self._talk.turns, turn.place
        others, own = self._talk.others_after(turn), self._talk.own_after(turn)
        before = self._talk.other_before(turn)
        found: Features = {f"t {cue}": 1.0 for cue in turn.cues}
        found |= {f"next first {cue}": 1.0 for each in others[:1] for cue in each.first_cues}
        for name, chosen in (
            ("next", others[:1]),
            ("own", own[:1]),
            ("before", (before,) if before else ()),
            ("last", turns[place + 1 :][-1:]),
        ):
            found |= {f"{name} {cue}": 1.0 for each in chosen for cue in each.cues}
            found |= {f"{name} length": len(each.words) for each in chosen}
            found |= {f"{name} due": float(any(map(self._has_day, each.sentences[:FEW]))) for each in chosen}
            found |= self._seen(name, chosen)
        found |= self._seen("this", (turn,)) | self._seen("own", own[:FEW]) | self._seen("others", others[:REACH])
        for cue in _ANSWERS:
            found[f"any {cue}"] = sum(cue in each.cues for each in turns[place + 1 :])
            found[f"others {cue}"] = sum(cue in each.cues for each in others)
            found[f"others first {cue}"] = sum(cue in each.first_cues for each in others)
        return found | {
            "t length": len(turn.words),
            "t sentences": len(turn.sentences),
            "t place": place,
            "t left": len(turns) - 1 - place,
            "t due": float(any(map(self._has_day, turn.sentences[:8]))),
            "turns": len(turns),
            "authors": len({each.author for each in turns}),
            "opener": float(turn.author == turns[0].author),
            "others": len(others),
            "gap": others[0].place - place if others else 0,
        }

    def _of_about(self, clause: Clause, about: Clause) -> Features:
        """Describe what a clause points to."""
        found: Features = {f"about {cue}": 1.0 for cue in about.cues if cue in _POINTED}
        for each in self._ranks:
            found |= each.of_about(about)
        return found | {
            "about": 1.0,
            "about meant": clause.meant,
            "about turns": clause.turn.place - about.turn.place,
            "about same author": float(about.turn.author == clause.turn.author),
            "about content": len(about.content),
            "about words": len(about.words),
            "about dice": len(about.content & clause.content) / max(1, len(clause.content)),
        }

    def _seen(self, name: str, turns: Iterable[Turn]) -> Features:
        places = [turn.place for turn in turns]
        return {
            f"{name} {ranks.name}{look}": max((values[place] for place in places), default=LEAST)
            for ranks in self._ranks
            for look, values in ranks.looks.by_name.items()
        }

    def _has_day(self, sentence: Sentence) -> bool:
        if sentence.order not in self._days:
            self._days[sentence.order] = bool(due_in(sentence.text, sentence.message, self._zone))
        return self._days[sentence.order]


def _scene(talk: Talk) -> Features:
    """Describe the place: people who help each other and talk about code ask and promise in the words of work."""
    sentences = [sentence for turn in talk.turns for sentence in turn.sentences]
    return {
        "help desk": float(_is_help_desk(sentences)),
        "thread code": sum(ATOM_START <= ord(char) < PERSON_START for each in sentences for char in each.text),
        "thread words": sum(len(turn.words) for turn in talk.turns),
    }


def _is_help_desk(sentences: Sequence[Sentence]) -> bool:
    scene = Scene(sentences)
    for sentence in sentences:
        scene.watch(sentence)
        if scene.is_helpdesk:
            return True
    return False
