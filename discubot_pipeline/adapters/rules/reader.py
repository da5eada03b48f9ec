"""Walks through a thread once, oldest first, and keeps a ledger of the work that comes up in it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.dates import due_in
from discubot_pipeline.adapters.rules.labels import priority_of
from discubot_pipeline.adapters.rules.ledger import Ledger, Todo
from discubot_pipeline.adapters.rules.lists import Listing, Sense, blocks, item_ask
from discubot_pipeline.adapters.rules.replies import Effect, Reply, reply_in
from discubot_pipeline.adapters.rules.requests import Ask, Kind, asks_in, first_word, strip_leads
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.tasks import named, only_reads, todos_of, work_on
from discubot_pipeline.adapters.rules.titles import has_object, title_of
from discubot_pipeline.adapters.rules.verbs import REPAIRS, Tier
from discubot_pipeline.adapters.rules.weights import THRESHOLD, asks_how, weigh

BUG_REACH = 12
"""So many sentences after a report "I'll fix it" still means it."""

LISTED = 0.85
REPAIRED = 0.6
SHORT = 8
AIDS = REPAIRS | frozenset("look check take".split())


class Reader:
    """Reads one thread. `wants_bugs` makes work of every fault that is reported."""

    def __init__(self, time_zone: str, *, wants_bugs: bool = False) -> None:
        self.ledger = Ledger()
        self._zone = time_zone
        self._wants_bugs = wants_bugs
        self._is_helpdesk = False
        self._bug: tuple[Sentence, str] | None = None
        self._opener: str | None = None
        self._pressing: Sentence | None = None

    def read(self, sentences: Sequence[Sentence]) -> None:
        """Read sentences on from where the last ones ended."""
        for block in blocks(sentences):
            if isinstance(block, Listing):
                self._read_list(block)
            else:
                self._read_sentence(block)

    def add(self, todos: Iterable[Todo]) -> None:
        """Note work that was found elsewhere."""
        for todo in todos:
            self.ledger.add(todo)

    def due(self, sentence: Sentence) -> date | None:
        """Find the day a sentence names."""
        return due_in(sentence.text, sentence.message, self._zone)

    def _read_sentence(self, sentence: Sentence) -> None:
        self._watch(sentence)
        reply = reply_in(sentence)
        if reply and self._answer(reply, sentence):
            return
        if sentence.is_done_box:
            return
        found = [todo for ask in asks_in(sentence) for todo in self._work(ask)]
        self.add(self._pressed(todo) for todo in found)
        if not found:
            self._note(sentence)
            self._report(sentence)

    def _answer(self, reply: Reply, sentence: Sentence) -> bool:
        """Carry a reply out; a promise to repair makes work of the report before it."""
        if self.ledger.apply(reply, sentence, self.due(sentence)):
            return True
        if reply.effect is Effect.CLOSES:
            self._bug = None
            return False
        bug = self._bug_before(sentence)
        if (
            not bug
            or reply.words
            or bug[0].message.author.id == sentence.message.author.id
            and not reply.is_own
        ):
            return False
        ask = Ask(Kind.BUG, bug[1], Tier.DELIVERS, bug[0], reply.owner)
        self.add(
            replace(todo, said=(*todo.said, sentence)) for todo in todos_of(ask, REPAIRED, self.due(sentence))
        )
        return True

    def _watch(self, sentence: Sentence) -> None:
        """Notice whether this is a help desk: the one who opened the thread asks how something is done."""
        self._opener = self._opener or sentence.message.author.id
        if sentence.message.author.id == self._opener and asks_how(sentence):
            self._is_helpdesk = True

    def _work(self, ask: Ask) -> tuple[Todo, ...]:
        due = self.due(ask.sentence)
        if only_reads(ask.body):
            return ()
        score = weigh(ask, bool(due), self._is_helpdesk)
        if score < THRESHOLD:
            return ()
        ask = replace(ask, owner=ask.owner, body=named(ask) if ask.tier is Tier.UNKNOWN else ask.body)
        if ask.kind is Kind.BUG:
            ask = replace(ask, body=repair_of(replace(ask.sentence, text=ask.body)) or ask.body)
        if has_object(ask.body) or ask.kind in (Kind.MARKER, Kind.BUG, Kind.FEATURE):
            return todos_of(ask, score, due)
        return self._pointed(ask, score, due)

    def _pointed(self, ask: Ask, score: float, due: date | None) -> tuple[Todo, ...]:
        """Find out what "can you fix it" means: the fault that was reported before."""
        bug = self._bug_before(ask.sentence)
        if not bug or first_word(ask.body) not in AIDS:
            return ()
        title = title_of(bug[0], bug[1])
        todo = work_on(title, replace(ask, kind=Kind.BUG, sentence=bug[0]), score, due)
        said = (ask.sentence,) if ask.sentence is not bug[0] else ()
        return (
            replace(todo, said=(*todo.said, *said), priority=todo.priority or priority_of(ask.sentence.text)),
        )

    def _bug_before(self, sentence: Sentence) -> tuple[Sentence, str] | None:
        head = replace(sentence, text=sentence.text.split(",")[0])
        own = repair_of(head)
        if own:
            return sentence, own
        if self._bug and sentence.order - self._bug[0].order <= BUG_REACH:
            return self._bug
        return None

    def _report(self, sentence: Sentence) -> None:
        repair = repair_of(sentence)
        if not repair:
            return
        self._bug = (sentence, repair)
        if self._wants_bugs:
            self.add(todos_of(Ask(Kind.BUG, repair, Tier.DELIVERS, sentence), REPAIRED, None))

    def _note(self, sentence: Sentence) -> None:
        """Let "by Friday please" or "this is urgent" say something about the work before it, or in the same message."""
        words = sentence.text.split()
        if len(words) > SHORT:
            return
        text = sentence.text.casefold()
        due = self.due(sentence) if text.startswith(_OF_DUE) or " by " in text else None
        priority = priority_of(sentence.text)
        if priority and not due:
            self._pressing = sentence
        if due or priority:
            self.ledger.note(sentence, due, priority)

    def _pressed(self, todo: Todo) -> Todo:
        if todo.priority or not self._pressing or self._pressing.message.id != todo.asked.message.id:
            return todo
        return replace(todo, priority=priority_of(self._pressing.text))

    def _read_list(self, listing: Listing) -> None:
        head = listing.head
        if listing.sense is Sense.OPEN or listing.sense is Sense.TALK:
            if head:
                self._read_sentence(head)
            self._read_open(listing)
        elif listing.sense is Sense.STEPS and listing.ask:
            self._read_steps(listing, listing.ask)
        else:
            for item in listing.items:
                self._read_item(listing, item)

    def _read_open(self, listing: Listing) -> None:
        owners = strip_leads(listing.head, listing.head.text + " ") if listing.head else ("", ())
        is_owned = not owners[0].strip(" :") and len(owners[1]) == 1 and bool(owners[1][0])
        for item in listing.items:
            if item.is_open_box or is_owned:
                self._read_item(listing, item, owners[1][0] if is_owned else None)
            elif listing.sense is not Sense.TALK:
                self._read_sentence(item)

    def _read_steps(self, listing: Listing, ask: Ask) -> None:
        before = len(self.ledger.todos)
        score = weigh(ask, bool(self.due(ask.sentence)), self._is_helpdesk)
        items = tuple(
            title for item in listing.items if not item.is_done_box and (title := title_of(item, item.text))
        )
        if score >= THRESHOLD:
            todos = todos_of(replace(ask, body=named(ask)), score, self.due(ask.sentence), is_one=True)
            self.add(replace(todo, items=items, said=(*todo.said, *listing.items)) for todo in todos)
        if len(self.ledger.todos) == before:
            self._watch(ask.sentence)

    def _read_item(self, listing: Listing, item: Sentence, owner: str | None = None) -> None:
        ask = None if item.is_done_box else item_ask(listing, item)
        if not ask or only_reads(ask.body):
            return
        head = listing.head
        due = self.due(item) or (self.due(head) if head else None)
        ask = replace(ask, owner=ask.owner or owner or (listing.ask.owner if listing.ask else None))
        todos = todos_of(ask, LISTED, due, is_one=True)
        pressing = priority_of(head.text) if head else None
        self.add(self._pressed(replace(todo, priority=todo.priority or pressing)) for todo in todos)


_OF_DUE = (
    "by ",
    "before ",
    "until ",
    "due",
    "deadline",
    "needed by",
    "we need this",
    "we need it",
    "need this",
    "need it",
    "bis ",
)
