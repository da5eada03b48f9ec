"""Remembers what was asked for or offered too softly to be work, for the "ok, on Friday" that may follow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from discubot_pipeline.adapters.rules.assents import agrees, nods, takes, welcomes
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.ledger import Todo
from discubot_pipeline.adapters.rules.sentences import Sentence

REACH = 8
"""So many sentences after something soft an answer still means it."""

NEAR = 4
"""So many sentences after an offer a welcome still means it, whoever spoke between."""

PROMOTED = 0.6
NODDED = 0.3
"""What a bare nod makes work of has at least this weight; what is taken in words may have any."""

OWN = (Kind.OFFER, Kind.PROMISE)


@dataclass(frozen=True, slots=True)
class Soft:
    """Something that would be work if it were weightier."""

    sentence: Sentence
    kind: Kind
    todos: tuple[Todo, ...]
    score: float
    is_shared: bool


class Offers:
    """The soft requests and offers of one thread, and which message an answer is an answer to."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._soft: list[Soft] = []
        self._order = [*dict.fromkeys(sentence.message.id for sentence in sentences)]
        self._authors = {sentence.message.id: sentence.message.author.id for sentence in sentences}

    def keep(self, soft: Soft) -> None:
        """Remember something soft."""
        is_report = soft.kind in OWN and any(todo.verb == "use" for todo in soft.todos)
        if soft.todos and soft.score > 0 and not is_report and not soft.sentence.is_joke:
            self._soft.append(soft)

    def answered(self, sentence: Sentence, *, has_day: bool, is_taken: bool = False) -> tuple[Todo, ...]:
        """Give the work that an answer makes: its owner is who takes it, or who offered it; `is_taken` says it was."""
        found = next(
            self._meant(sentence, is_taken=is_taken or takes(sentence) or (has_day and agrees(sentence))), None
        )
        if not found:
            return ()
        self._soft.remove(found)
        owner = None if found.kind in OWN else sentence.writer
        return tuple(
            replace(todo, owner=todo.owner or owner, score=PROMOTED, said=(*todo.said, sentence))
            for todo in found.todos
        )

    def answers(self, sentence: Sentence) -> str | None:
        """Name the message before an answer, by somebody else."""
        place = self._order.index(sentence.message.id)
        author = sentence.message.author.id
        return next((each for each in reversed(self._order[:place]) if self._authors[each] != author), None)

    def _meant(self, sentence: Sentence, *, is_taken: bool) -> Iterator[Soft]:
        is_nodded, is_welcome = nods(sentence), welcomes(sentence)
        before = self.answers(sentence)
        for soft in reversed(self._soft):
            distance = sentence.order - soft.sentence.order
            if distance > REACH or soft.sentence.message.author.id == sentence.message.author.id:
                continue
            is_next = soft.sentence.message.id == before
            if soft.kind in OWN:
                if (is_next or distance <= NEAR) and is_welcome and soft.score >= NODDED:
                    yield soft
            elif is_taken or (is_next and is_nodded and soft.score >= NODDED and not soft.is_shared):
                yield soft
