"""Short ways to write threads down and have them analysed."""

from datetime import UTC, datetime, timedelta

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings
from discubot_pipeline.domain.discussion import Author, Message

WEDNESDAY = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)

Line = tuple[str, str]


def message(
    number: int, author: str, text: str, *, at: datetime = WEDNESDAY, zone: str | None = None, is_bot: bool = False
) -> Message:
    """Write one message, a minute after the one before."""
    writer = Author(id=author.casefold(), name=author, time_zone=zone, is_bot=is_bot)
    return Message(id=f"m{number}", author=writer, text=text, sent_at=at + timedelta(minutes=number))


def brief(
    *lines: Line, instructions: tuple[Line, ...] = (), people: tuple[str, ...] = ("Ann", "Bob"), most: int = 10
) -> Brief:
    """Write a thread of (author, text), and the messages beside a mention after it."""
    return Brief(
        title="Menu on phones",
        messages=tuple(message(number, *line) for number, line in enumerate(lines)),
        instructions=tuple(message(100 + number, *line) for number, line in enumerate(instructions)),
        people=people,
        max_tasks=most,
    )


def findings(*lines: Line, instructions: tuple[Line, ...] = (), people: tuple[str, ...] = ("Ann", "Bob")) -> Findings:
    """Analyse a thread."""
    return RuleAnalyst().find(brief(*lines, instructions=instructions, people=people))


def tasks(*lines: Line, people: tuple[str, ...] = ("Ann", "Bob")) -> tuple[DetectedTask, ...]:
    """Give the tasks of a thread."""
    return findings(*lines, people=people).tasks


def titles(*lines: Line) -> list[str]:
    """Give the titles of a thread's tasks."""
    return [task.title for task in tasks(*lines)]


def only(*lines: Line, people: tuple[str, ...] = ("Ann", "Bob")) -> DetectedTask:
    """Give the one task of a thread."""
    (task,) = tasks(*lines, people=people)
    return task
