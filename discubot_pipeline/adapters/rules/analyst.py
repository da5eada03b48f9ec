"""The built-in offline analyst: rules and learned weights, no key, no network. Same brief, same findings."""

from collections.abc import Sequence
from itertools import compress

from discubot_pipeline.adapters.learned.todos import is_monologue, todos_in
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.instructions import Instructed, instructed
from discubot_pipeline.adapters.rules.ledger import Todo
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.reader import Reader
from discubot_pipeline.adapters.rules.sentences import Sentence, read
from discubot_pipeline.adapters.rules.summary import key_points, sentiment_of, summarize
from discubot_pipeline.adapters.rules.tasks import task_of
from discubot_pipeline.domain.analysis import Brief, Findings, Judgement

SURE, UNSURE, EMPTY = 0.95, 0.3, 0.1


class RuleAnalyst:
    """Finds tasks by what was learned from labelled threads and by rules, and sums a thread up in its own sentences."""

    name = "rules"
    fingerprint = None

    def analyze(self, brief: Brief) -> Judgement:
        """Analyse a thread; never fails, whatever the text, and costs nothing."""
        return Judgement(findings=self.find(brief))

    def find(self, brief: Brief) -> Findings:
        """Give what there is to be found."""
        people = People(brief)
        sentences = read(brief.messages, people)
        todos = _capped(self._todos(brief, sentences, instructed(brief, people)), brief.max_tasks)
        asked = tuple({todo.asked.order: todo.asked for todo in todos if not todo.is_instructed}.values())
        return Findings(
            summary=summarize(sentences, asked, brief.title),
            key_points=key_points(sentences, asked),
            sentiment=sentiment_of([message.text for message in brief.messages]),
            confidence=_confidence(todos, sentences),
            tasks=tuple(task_of(todo) for todo in todos),
        )

    def _todos(self, brief: Brief, sentences: Sequence[Sentence], asked: Instructed) -> tuple[Todo, ...]:
        """Read what the mentions ask for, then the thread; after words of its own only what was said since."""
        beside = {message.id for message in brief.instructions}
        since = min((message.sent_at for message in brief.instructions), default=None)
        thread = [
            sentence
            for sentence in sentences
            if sentence.message.id not in beside
            and (asked.wants_thread or since is None or sentence.message.sent_at >= since)
        ]
        reader = Reader(thread, brief.time_zone, wants_bugs=asked.wants_bugs)
        reader.add(asked.todos)
        if is_monologue(thread):
            reader.read()
            return reader.ledger.todos
        if asked.todos or asked.wants_bugs:
            reader.read()
        is_wanted = [todo.is_instructed or (asked.wants_bugs and todo.kind is Kind.BUG) for todo in reader.ledger.todos]
        return todos_in(thread, brief, [*compress(reader.ledger.todos, is_wanted)])


def _capped(todos: Sequence[Todo], most: int) -> tuple[Todo, ...]:
    """Keep the surest, in the order they came up."""
    surest = sorted(todos, key=lambda todo: (not todo.is_instructed, -todo.score))[: max(0, most)]
    return tuple(todo for todo in todos if todo in surest)


def _confidence(todos: Sequence[Todo], sentences: Sequence[Sentence]) -> float:
    if todos:
        return round(min(SURE, sum(todo.score for todo in todos) / len(todos)), 2)
    return UNSURE if sentences else EMPTY
