"""Sees to it that the words beside a mention become tasks, whatever the model made of them. Called by `analyst`."""

from discubot_pipeline.adapters.rules.instructions import FORCED, instructed
from discubot_pipeline.adapters.rules.ledger import Todo
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.tasks import task_of
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings
from discubot_pipeline.domain.task import fingerprint

SAME = 0.5
"""Share of an order's words that a task must have to be the same work."""


def obeyed(findings: Findings, brief: Brief) -> Findings:
    """Add the orders that the model passed over. "task: …" makes a task under exactly these words, and no other."""
    asked = instructed(brief, People(brief))
    forced = [todo for todo in asked.todos if todo.score == FORCED]
    tasks = findings.tasks
    if forced:
        beside = {todo.asked.message.id for todo in forced}
        later = _since(brief, beside) if not asked.wants_thread else {message.id for message in brief.said}
        tasks = tuple(task for task in tasks if task.evidence in later - beside)
        tasks = (*(_worded(todo, findings) for todo in forced), *tasks)
    missed = [todo for todo in asked.todos if todo.score != FORCED and not _covered(todo, tasks)]
    return findings.model_copy(update={"tasks": (*(task_of(todo) for todo in missed), *tasks)})


def _since(brief: Brief, beside: set[str]) -> set[str]:
    """Name the messages since the first of some."""
    first = min(message.sent_at for message in brief.said if message.id in beside)
    return {message.id for message in brief.said if message.sent_at >= first}


def _worded(todo: Todo, findings: Findings) -> DetectedTask:
    """Take what the model says of a forced task, under the title that was forced."""
    own = task_of(todo)
    alike = (task for task in findings.tasks if fingerprint(task.title) == fingerprint(own.title))
    known = next(alike, None)
    return known.model_copy(update={"title": own.title, "evidence": own.evidence}) if known else own


def _covered(todo: Todo, tasks: tuple[DetectedTask, ...]) -> bool:
    return any(task.evidence == todo.asked.message.id or _alike(todo, task) for task in tasks)


def _alike(todo: Todo, task: DetectedTask) -> bool:
    words = content_words(f"{task.title} {task.description}")
    return bool(todo.words) and len(todo.words & words) >= SAME * len(todo.words)
