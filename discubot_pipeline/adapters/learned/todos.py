"""Joins what was learned with what rules say: in a conversation the learned reader finds the work, in a monologue,
where no answer tells what becomes of a request, the rules do. What a mention asked for stands in any case.
"""

from collections.abc import Sequence

from discubot_pipeline.adapters.learned.reader import Work, work_in
from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.ledger import Ledger, Todo
from discubot_pipeline.adapters.rules.replies import Effect, reply_in
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.domain.analysis import Brief

FEW = 3
"""An answer of more words may speak of something else."""


def is_monologue(sentences: Sequence[Sentence]) -> bool:
    """Say whether only one person speaks."""
    return len({sentence.message.author.id for sentence in sentences}) < 2


def todos_in(sentences: Sequence[Sentence], brief: Brief, known: Sequence[Todo]) -> tuple[Todo, ...]:
    """Give the work known already, and with it what the learned reader finds in a conversation."""
    ledger = Ledger()
    for todo in known:
        ledger.add(todo)
    spoken = {sentence.message.id for sentence in sentences}
    messages = [message for message in brief.messages if message.id in spoken]
    for work in work_in(messages, sentences, brief.time_zone):
        if not _is_over(work, sentences):
            ledger.add(_todo(work))
    return ledger.todos


def _is_over(work: Work, sentences: Sequence[Sentence]) -> bool:
    """Say whether the next message answers in a word that the work is done or off: "done", "nvm"."""
    spoken = work.clause.sentence
    later = (each for each in sentences if each.order > spoken.order and each.message.id != spoken.message.id)
    answer = next(later, None)
    reply = reply_in(answer) if answer and len(answer.text.split()) <= FEW else None
    return bool(reply and reply.effect is Effect.CLOSES and not reply.words)


def _todo(work: Work) -> Todo:
    sentence = work.clause.sentence
    return Todo(
        title=work.title,
        words=content_words(work.title),
        kind=Kind.BUG if repair_of(sentence) else Kind.MARKER,
        score=work.chance,
        said=(sentence,),
        owner=work.owner,
        due=work.due,
        priority=work.priority,
    )
