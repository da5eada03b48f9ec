"""Walks through a thread once, oldest first, and keeps a ledger of the work that comes up in it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.dates import due_in
from discubot_pipeline.adapters.rules.faults import Fault, Faults
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.labels import priority_of
from discubot_pipeline.adapters.rules.ledger import Ledger, Todo
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.lists import (
    FEWEST,
    Listing,
    Sense,
    blocks,
    is_statement,
    item_ask,
    only_owner,
)
from discubot_pipeline.adapters.rules.replies import Effect, Reply, reply_in
from discubot_pipeline.adapters.rules.requests import TO_YOU, Ask, asks_in, first_word
from discubot_pipeline.adapters.rules.scene import Scene
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.tasks import (
    FREE_OF_OBJECT,
    ONE_GOAL,
    item_titles,
    named,
    only_reads,
    todos_of,
    work_on,
)
from discubot_pipeline.adapters.rules.titles import has_object, title_of
from discubot_pipeline.adapters.rules.verbs import REPAIRS, Tier
from discubot_pipeline.adapters.rules.weights import THRESHOLD, weigh

LISTED, REPAIRED = 0.85, 0.6
SHORT = 10
AIDS = REPAIRS | lexicon("look check take")

_OF_DUE = re.compile(
    r"(?:by|before|until|due|deadline|needed|bis)\b|(?:we )?need (?:it|this|that|them)\b|.* by\b",
    re.IGNORECASE,
)
_ALL_OF_IT = re.compile(
    r"[a-z]+ (?:all |both )?(?:the |these |those )?(?:two |three |four |\d+ )?(?:points|issues|items|findings|"
    r"of them)\b.*",
    re.IGNORECASE,
)
_DETAIL = re.compile(r"[a-z]+ (?:it|this|that|them)\b", re.IGNORECASE)


class Reader:
    """Reads one thread. `wants_bugs` makes work of every fault that is reported."""

    def __init__(self, sentences: Sequence[Sentence], time_zone: str, *, wants_bugs: bool = False) -> None:
        self.ledger = Ledger()
        self._sentences = sentences
        self._zone = time_zone
        self._wants_bugs = wants_bugs
        self._scene = Scene(sentences)
        self._faults = Faults()
        self._pressing: Sentence | None = None

    def read(self) -> None:
        """Read the thread to its end."""
        for block in blocks(self._sentences):
            if isinstance(block, Listing):
                self._read_list(block)
            else:
                self._read_sentence(block)

    def add(self, todos: Iterable[Todo]) -> None:
        """Note work, under the priority that its message names."""
        for todo in todos:
            self.ledger.add(self._pressed(todo))

    def _read_sentence(self, sentence: Sentence) -> None:
        self._scene.watch(sentence)
        reply = reply_in(sentence)
        if sentence.is_done_box or (reply and self._answer(reply, sentence)):
            return
        asks = asks_in(sentence)
        found = [todo for ask in self._dated(asks) for todo in self._work(ask)]
        self.add(found)
        if not found:
            self._note(sentence)
            self._report(self._faults.notice(sentence))

    def _answer(self, reply: Reply, sentence: Sentence) -> bool:
        """Carry a reply out; a promise to repair makes work of the report before it."""
        if self.ledger.apply(reply, sentence, self._due(sentence)):
            return True
        if reply.effect is Effect.CLOSES:
            self._faults.forget()
            return False
        fault = self._faults.before(sentence, reply.words)
        if not fault or (fault.sentence.message.author.id == sentence.message.author.id and not reply.is_own):
            return False
        ask = Ask(fault.kind, fault.repair, Tier.DELIVERS, fault.sentence, reply.owner)
        todos = todos_of(ask, REPAIRED, self._due(sentence), is_one=True)
        self.add(replace(todo, said=(*todo.said, sentence)) for todo in todos)
        return True

    def _work(self, ask: Ask) -> tuple[Todo, ...]:
        due = None if ask.is_undated else self._due(ask.sentence)
        ask = self._owned(ask)
        score = weigh(ask, bool(due), self._scene.setting(ask.sentence))
        is_detail = ask.kind in ONE_GOAL and _DETAIL.match(ask.body) and self._scene.is_first(ask.sentence)
        if is_detail and self.ledger.detail(item_titles(ask), ask.sentence):
            return ()
        todos = self._todos(ask, score, due)
        if ask.kind is Kind.PROMISE and _ALL_OF_IT.fullmatch(ask.body.rstrip(" .!")) and self.ledger.todos:
            return ()
        return todos if score >= THRESHOLD else ()

    def _todos(self, ask: Ask, score: float, due: date | None) -> tuple[Todo, ...]:
        if ask.kind is Kind.BUG or (ask.kind is Kind.MARKER and ask.tier is Tier.UNKNOWN):
            ask = replace(ask, body=repair_of(replace(ask.sentence, text=ask.body)) or ask.body)
        ask = replace(ask, body=named(ask))
        if has_object(ask.body) or ask.kind in FREE_OF_OBJECT:
            return () if only_reads(ask.body) else todos_of(ask, score, due)
        return self._pointed(ask, score, due) or todos_of(ask, score, due)

    def _pointed(self, ask: Ask, score: float, due: date | None) -> tuple[Todo, ...]:
        """Find out what "can you fix it" means: the fault that was reported before."""
        fault = self._faults.before(ask.sentence)
        if not fault or first_word(ask.body) not in AIDS:
            return ()
        said = (ask.sentence,) if ask.sentence.order != fault.sentence.order else ()
        about = replace(ask, kind=fault.kind, sentence=fault.sentence)
        todo = work_on(title_of(fault.sentence, fault.repair), about, score, due, said)
        return (replace(todo, priority=todo.priority or priority_of(ask.sentence.text)),)

    def _owned(self, ask: Ask) -> Ask:
        """Give a request in a letter to one person to that person."""
        if ask.owner or ask.kind not in (*TO_YOU, Kind.WANT):
            return ask
        return replace(ask, owner=self._scene.addressee(ask.sentence))

    def _report(self, fault: Fault | None) -> None:
        if fault and self._wants_bugs:
            self.add(todos_of(Ask(fault.kind, fault.repair, Tier.DELIVERS, fault.sentence), REPAIRED, None))

    def _note(self, sentence: Sentence) -> None:
        """Let "by Friday please" or "it is urgent" say something about the work before it, or in its message."""
        if len(sentence.text.split()) > SHORT:
            return
        due = self._due(sentence) if _OF_DUE.match(sentence.text) else None
        priority = priority_of(sentence.text)
        if priority:
            self._pressing = sentence
        if due or priority:
            self.ledger.note(sentence, due, priority)

    def _pressed(self, todo: Todo) -> Todo:
        if todo.priority or not self._pressing or self._pressing.message.id != todo.asked.message.id:
            return todo
        return replace(todo, priority=priority_of(self._pressing.text))

    def _read_list(self, listing: Listing) -> None:
        if listing.sense is Sense.STEPS and listing.ask:
            self._read_steps(listing, listing.ask)
        elif listing.sense is Sense.WORK:
            for item in listing.items:
                self._read_item(listing, item)
        else:
            if listing.head:
                self._read_sentence(listing.head)
            self._read_open(listing)

    def _read_open(self, listing: Listing) -> None:
        """Read a list whose heading does not say that it is work: boxes, somebody's list, orders in an opening."""
        owner = only_owner(listing.head) if listing.head else None
        is_alone = not listing.head and len(listing.items) >= FEWEST
        for item in listing.items:
            if item.is_open_box or owner:
                self._read_item(listing, item, owner)
            elif listing.sense is not Sense.TALK and (is_alone or self._scene.opens(item)):
                self._read_sentence(item)

    def _read_steps(self, listing: Listing, ask: Ask) -> None:
        due = self._due(ask.sentence)
        score = weigh(ask, bool(due), self._scene.setting(ask.sentence))
        open_items = [item for item in listing.items if not item.is_done_box]
        items = tuple(filter(None, (title_of(item, item.text) for item in open_items)))
        if score >= THRESHOLD:
            todos = todos_of(replace(ask, body=named(ask)), score, due, is_one=True)
            self.add(replace(todo, items=items, said=(*todo.said, *listing.items)) for todo in todos)

    def _read_item(self, listing: Listing, item: Sentence, owner: str | None = None) -> None:
        """Read an item of a list of work; one that only states what is wrong is remembered as a fault."""
        ask = None if item.is_done_box else item_ask(listing, item)
        if not item.is_done_box and is_statement(listing, item, ask):
            self._report(self._faults.notice_point(item))
            return
        if not ask or (not ask.owner and only_reads(ask.body)):
            return
        due = self._due(item) or (self._due(listing.head) if listing.head else None)
        ask = replace(ask, owner=ask.owner or owner or (listing.ask.owner if listing.ask else None))
        pressing = priority_of(listing.head.text) if listing.head else None
        todos = todos_of(ask, LISTED, due, is_one=True)
        self.add(replace(todo, priority=todo.priority or pressing) for todo in todos)

    def _dated(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        """Where one of several asks names its own day, the others have none."""
        with_day = [bool(due_in(ask.body, ask.sentence.message, self._zone)) for ask in asks]
        if not any(with_day):
            return asks
        return [replace(ask, is_undated=not has_day) for ask, has_day in zip(asks, with_day, strict=True)]

    def _due(self, sentence: Sentence) -> date | None:
        return due_in(sentence.text, sentence.message, self._zone)
