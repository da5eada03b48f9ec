"""Finds the option of a database that says what a task says, in whatever words. Used by `schema.py`."""

import re
from collections.abc import Sequence

from discubot_pipeline.domain.analysis import Priority, TaskType

PRIORITY_WORDS = {
    Priority.URGENT: (
        *("urgent", "critical", "highest", "blocker", "very high", "asap", "immediate", "emergency", "p0"),
        *("high", "p1"),
    ),
    Priority.HIGH: ("high", "important", "major", "p1"),
    Priority.MEDIUM: ("medium", "normal", "moderate", "mid", "med", "p2"),
    Priority.LOW: ("low", "minor", "lowest", "trivial", "nice to have", "someday", "p3"),
}
TYPE_WORDS = {
    TaskType.BUG: ("bug", "bugfix", "bug fix", "defect", "error", "fix", "issue", "incident"),
    TaskType.FEATURE: ("feature", "new feature", "feature request", "user story", "story"),
    TaskType.QUESTION: ("question", "support", "research", "request for information", "discussion"),
    TaskType.IMPROVEMENT: ("improvement", "enhancement", "improve", "optimization", "refactoring", "polish"),
}
STATUS_WORDS = (
    ("to do", "todo", "not started", "backlog", "open", "new", "planned"),
    ("in progress", "doing", "started", "wip", "ongoing", "active", "in work"),
    ("done", "complete", "completed", "closed", "finished", "resolved"),
)
"""What people call the three states of a task."""
NEGATIONS = frozenset({"not", "no", "non", "un"})
LEVEL = re.compile(r"(?:p|prio|priority) ?([0-9])")
RANKS = {2: (0, 0, 1, 1), 3: (0, 0, 1, 2)}
"""Places of urgent, high, medium and low on a scale of two or three levels; a longer one has one for each."""


def words(text: str) -> str:
    """Reduce a name to its words: no emoji, no punctuation, no capitals, "dueDate" and "due_date" alike."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"[^\W_]+", parted.casefold()))


def match_option(options: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Find the option that says a wanted word, best word first: alone, else among others ("🔥 P1 - High")."""
    spoken = {words(option): option for option in reversed(options)}
    for word in wanted:
        if word in spoken:
            return spoken[word]
    for word in wanted:
        for said, option in spoken.items():
            if word in said.split() and NEGATIONS.isdisjoint(said.split()):
                return option
    return None


def match_priority(options: Sequence[str], priority: Priority) -> str | None:
    """Find the option for a priority: by its place on a scale like P1 to P3, else by words."""
    levels = {int(level[1]): option for option in options if (level := LEVEL.fullmatch(words(option)))}
    if len(levels) < 2:
        return match_option(options, PRIORITY_WORDS[priority])
    ranks = RANKS.get(len(levels), (0, 1, 2, 3))
    place = ranks[list(reversed(Priority)).index(priority)]
    return levels[sorted(levels)[place]]


def match_status(options: Sequence[str], status: str) -> str | None:
    """Find the option for a status: of its own name, else of another name for the same state."""
    said = words(status)
    return match_option(options, (said, *next((group for group in STATUS_WORDS if said in group), ())))
