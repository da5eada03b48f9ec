"""Makes findings of a model's answer: what the thread does not bear out is dropped, whatever the model says."""

from collections.abc import Iterator
from datetime import date, timedelta

from discubot_pipeline.adapters.models.answer import Answer, TaskAnswer
from discubot_pipeline.adapters.models.links import Links
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Priority, Sentiment, TaskType
from discubot_pipeline.domain.task import fingerprint

LONGEST_TITLE = 200
LONGEST_TEXT = 2000
LONGEST_WORDS = 300
LONGEST_NAME = 60
MOST_POINTS = 10
MOST_ITEMS = 20
MOST_TAGS = 10
FARTHEST = timedelta(days=5 * 366)
"""A date later than this after the thread is a mistake."""
NOTHING = frozenset({"", "null", "none", "n/a", "unknown", "-"})
"""What models write where they mean null."""


def findings_of(answer: Answer, brief: Brief) -> Findings:
    """Take over what the thread bears out."""
    guard = Guard(brief)
    tasks: dict[str, DetectedTask] = {}
    for task in guard.tasks(answer):
        tasks.setdefault(fingerprint(task.title), task)
    return Findings(
        summary=guard.text(answer.summary, LONGEST_TEXT),
        key_points=guard.texts(answer.key_points, MOST_POINTS, LONGEST_WORDS),
        sentiment=Sentiment(answer.sentiment),
        confidence=share(answer.confidence),
        tasks=tuple(tasks.values()),
    )


class Guard:
    """Holds a model's words against one thread."""

    def __init__(self, brief: Brief) -> None:
        self._links = Links(brief)
        self._names = People(brief)
        self._people = {name.casefold(): name for name in brief.people}
        self._domains = {name.casefold(): name for name in brief.domains}
        self._said = brief.said

    def tasks(self, answer: Answer) -> Iterator[DetectedTask]:
        """Take over the tasks that have a title."""
        for told in answer.tasks:
            title = self.text(" ".join(told.title.split()), LONGEST_TITLE)
            if any(character.isalnum() for character in title):
                yield self._task(title, told)

    def _task(self, title: str, told: TaskAnswer) -> DetectedTask:
        return DetectedTask(
            title=title,
            description=self.text(told.description or "", LONGEST_TEXT),
            action_items=self.texts(told.action_items, MOST_ITEMS, LONGEST_WORDS),
            status=self.text(word(told.status) or "", LONGEST_NAME) or None,
            priority=Priority(told.priority) if told.priority else None,
            type=TaskType(told.type) if told.type else None,
            assignee=self.person(told.assignee),
            due_date=self.day(told.due_date),
            tags=tuple(dict.fromkeys(tag.lstrip("#") for tag in self.texts(told.tags, MOST_TAGS, LONGEST_NAME))),
            domain=self._domains.get((word(told.domain) or "").casefold()),
            evidence=self.message(told.evidence),
            confidence=share(told.confidence),
        )

    def text(self, text: str, most: int) -> str:
        """Give a text without strange links, and not too long."""
        cleaned = self._links.clean(text.replace("&lt;", "<").replace("&gt;", ">").replace("\0", "").strip())
        return cleaned if len(cleaned) <= most else cleaned[: most - 1].rstrip() + "…"

    def texts(self, texts: list[str] | None, most: int, longest: int) -> tuple[str, ...]:
        """Give the texts that say something, each once."""
        cleaned = [self.text(text, longest) for text in texts or [] if word(text)]
        return tuple(dict.fromkeys(filter(None, cleaned)))[:most]

    def person(self, name: str | None) -> str | None:
        """Give the person of the brief that a name means; None for everybody else."""
        surface = (word(name) or "").lstrip("@").strip()
        known = self._people.get(surface.casefold()) or self._names.whose(surface)
        return known if known in self._people.values() else None

    def day(self, text: str | None) -> date | None:
        """Give a day that people in this thread can have meant."""
        try:
            day = date.fromisoformat((word(text) or "")[:10])
        except ValueError:
            return None
        if not self._said:
            return None
        days = [message.sent_at.date() for message in self._said]
        return day if min(days) - timedelta(days=1) <= day <= max(days) + FARTHEST else None

    def message(self, number: int | None) -> str | None:
        """Give the id of the message with a number, counted from 1."""
        return self._said[number - 1].id if number and 0 < number <= len(self._said) else None


def word(text: str | None) -> str | None:
    """Read null where a model writes it as a word."""
    return None if text is None or text.strip().casefold() in NOTHING else text.strip()


def share(number: float) -> float:
    """Bring a number between 0 and 1; percentages are understood, nonsense is 0."""
    if 1 < number <= 100:
        number /= 100
    return round(number, 4) if 0 <= number <= 1 else 0.0
