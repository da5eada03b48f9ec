"""Keeps the work found while a thread is read: joins what is said twice, notes who takes it, closes what is done."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.replies import Effect, Reply
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.domain.analysis import Priority
from discubot_pipeline.domain.task import fingerprint

ALIKE = 0.6
MEANT = 0.5
ADDRESSED = (Kind.REQUEST, Kind.PLEASE, Kind.NAMED, Kind.ORDER, Kind.FOREIGN)
"""Ways to ask that a plain yes answers."""

ANSWER = 6
"""So many sentences after an ask a promise with a word of it is an answer to it."""

REACH = 25
"""So many sentences after an ask "done" and "on it" still mean it."""

MOST = 200


@dataclass(frozen=True, slots=True)
class Todo:
    """One piece of work on its way to a task. `said` are the sentences that it stands on, the asking one first."""

    title: str
    words: frozenset[str]
    kind: Kind
    score: float
    said: tuple[Sentence, ...]
    items: tuple[str, ...] = ()
    owner: str | None = None
    due: date | None = None
    priority: Priority | None = None
    is_instructed: bool = False
    is_closed: bool = False

    @property
    def asked(self) -> Sentence:
        """Give the sentence that asks for it."""
        return self.said[0]

    @property
    def verb(self) -> str:
        """Give the word that its title opens with, a verb where it is an order."""
        return self.title.split(" ", maxsplit=1)[0].casefold()

    def resembles(self, other: "Todo") -> bool:
        """Say whether two are the same work in other words."""
        if fingerprint(self.title) == fingerprint(other.title):
            return True
        common, either = self.words & other.words, self.words | other.words
        fewer = min(len(self.words), len(other.words))
        return bool(either) and (len(common) / len(either) >= ALIKE or (fewer >= 2 and len(common) == fewer))

    def joined(self, later: "Todo") -> "Todo":
        """Take over from a later saying of the same work what this one lacks; who promises it owns it."""
        owner = later.owner if later.kind is Kind.PROMISE or not self.owner else self.owner
        return replace(
            self,
            said=self.said + tuple(sentence for sentence in later.said if sentence not in self.said),
            items=self.items or later.items,
            owner=owner,
            due=self.due or later.due,
            priority=self.priority or later.priority,
            score=max(self.score, later.score),
            is_instructed=self.is_instructed or later.is_instructed,
        )


class Ledger:
    """The work of one thread, in the order it came up."""

    def __init__(self) -> None:
        self._todos: list[Todo] = []

    @property
    def todos(self) -> tuple[Todo, ...]:
        """List what is still to be done."""
        return tuple(todo for todo in self._todos if not todo.is_closed)

    def add(self, todo: Todo) -> None:
        """Note a piece of work, or join it with the same work noted before."""
        for place, known in enumerate(self._todos):
            if not known.is_closed and (known.resembles(todo) or _answers(todo, known)):
                self._todos[place] = known.joined(todo)
                return
        if len(self._todos) < MOST:
            self._todos.append(todo)

    def apply(self, reply: Reply, sentence: Sentence, due: date | None) -> bool:
        """Carry out a reply; False when there was no work it could mean."""
        chosen = self._meant(reply, sentence)
        if reply.effect is Effect.TAKES:
            chosen = self._takeable(chosen, reply, sentence)
            self._change(chosen, lambda todo: _taken(todo, reply, sentence, due))
        else:
            chosen = tuple(
                todo
                for todo in self._owned_first(chosen, reply, sentence)
                if not todo.is_instructed and not _COLLECTIVE.search(todo.asked.text)
            )
            self._change(chosen, lambda todo: replace(todo, is_closed=True))
        return bool(chosen)

    def note(self, sentence: Sentence, due: date | None, priority: Priority | None) -> None:
        """Add a day or a priority that a sentence of its own names to the latest work without one."""
        latest = self._latest(self._before(sentence))
        self._change(latest, lambda todo: replace(todo, due=todo.due or due, priority=todo.priority or priority))

    def detail(self, items: tuple[str, ...], sentence: Sentence) -> bool:
        """Add action items to the latest single piece of work that has none; False when there is none."""
        latest = self._latest(self._before(sentence))
        if len(latest) != 1 or latest[0].items or not items:
            return False
        self._change(latest, lambda todo: replace(todo, items=items, said=(*todo.said, sentence)))
        return True

    def _before(self, sentence: Sentence) -> tuple[Todo, ...]:
        return tuple(todo for todo in self.todos if todo.asked.order <= sentence.order)

    def _latest(self, todos: tuple[Todo, ...]) -> tuple[Todo, ...]:
        if not todos:
            return ()
        last = max(todos, key=lambda todo: todo.asked.order).asked.message.id
        return tuple(todo for todo in todos if todo.asked.message.id == last)

    def _meant(self, reply: Reply, sentence: Sentence) -> tuple[Todo, ...]:
        before = self._before(sentence)
        if not reply.words:
            near = [todo for todo in before if todo.is_instructed or sentence.order - todo.asked.order <= REACH]
            latest = self._latest(tuple(near))
            said = content_words(sentence.show())
            return tuple(todo for todo in latest if todo.words & said) or latest
        return tuple(todo for todo in before if len(todo.words & reply.words) >= MEANT * len(reply.words))

    def _takeable(self, todos: tuple[Todo, ...], reply: Reply, sentence: Sentence) -> tuple[Todo, ...]:
        if not reply.is_own:
            todos = tuple(todo for todo in todos if todo.asked.message.author.id != sentence.message.author.id)
        own = tuple(todo for todo in todos if todo.owner == reply.owner)
        free = tuple(todo for todo in todos if not todo.owner)
        is_theirs = len(todos) == 1 and todos[0].kind is not Kind.PROMISE
        return own or free or (todos if is_theirs else ())

    def _owned_first(self, todos: tuple[Todo, ...], reply: Reply, sentence: Sentence) -> tuple[Todo, ...]:
        own = tuple(todo for todo in todos if todo.owner and todo.owner == sentence.writer)
        return own if own and not reply.words else todos

    def _change(self, chosen: tuple[Todo, ...], change: Callable[[Todo], Todo]) -> None:
        self._todos = [change(todo) if todo in chosen else todo for todo in self._todos]


_FURTHER = re.compile(r"\b(?:also|as well|too|then|after that|afterwards)\b", re.IGNORECASE)
_COLLECTIVE = re.compile(r"\b(?:both|everyone|everybody|each of|all of you|you all|team|folks)\b", re.IGNORECASE)
"""Who asks many is not served when one of them is done."""


def _answers(todo: Todo, known: Todo) -> bool:
    """Say whether a promise is somebody's way to do what another one has just asked for."""
    if todo.kind is not Kind.PROMISE or known.owner not in (None, todo.owner) or known.kind is Kind.PROMISE:
        return False
    distance = todo.asked.order - known.asked.order
    is_reply = 0 < distance <= ANSWER and todo.asked.message.author.id != known.asked.message.author.id
    return is_reply and bool(todo.words & known.words) and not _FURTHER.search(todo.asked.text)


def _taken(todo: Todo, reply: Reply, sentence: Sentence, due: date | None) -> Todo:
    said = todo.said if sentence in todo.said else (*todo.said, sentence)
    return replace(todo, owner=reply.owner, due=due or todo.due, said=said)
