"""Maps a task onto the properties of a Notion database, whatever they are called. Used by `notion.py`.

Values go out under property ids, which survive a renaming. Read-only types and unknown options never do.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from discubot_pipeline.adapters.page import Run, clip, rich_text, safe_link
from discubot_pipeline.domain.analysis import Priority, TaskType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value
from discubot_pipeline.ports import Draft

OPTION_LENGTH = 100
MOST_TAGS = 100
FindPerson = Callable[[str], str | None]
"""Gives the id of the Notion user that a name or an e-mail address stands for."""


class Property(Value):
    """One property of a database, with the names of its options where it has any."""

    id: str
    name: str
    type: str
    options: tuple[str, ...] = ()


class Field(NamedTuple):
    """What a task has to say, under which names and in which types. The first name is the field's own."""

    names: tuple[str, ...]
    types: tuple[str, ...]


class Filling(NamedTuple):
    """Properties by id as they are sent, the fields that are in them, and those that could not be said."""

    properties: dict[str, Any]
    fields: tuple[str, ...]
    skipped: tuple[str, ...]


CHOICE = ("select", "status", "multi_select", "rich_text")
KEY = Field(
    ("discubot key", "source key", "key", "task key", "external key", "external id", "idempotency key"),
    ("rich_text",),
)
FIELDS = {
    "priority": Field(("priority", "prio", "priority level", "task priority", "urgency", "importance"), CHOICE),
    "type": Field(("type", "task type", "issue type", "kind", "category", "kind of work"), CHOICE),
    "assignee": Field(
        ("assignee", "assigned to", "assigned", "assign", "owner", "person", "responsible", "people", "who"),
        ("people", "rich_text"),
    ),
    "due_date": Field(
        ("due date", "due", "deadline", "due on", "due by", "target date", "date"), ("date", "rich_text")
    ),
    "tags": Field(("tags", "tag", "labels", "label", "topics", "keywords"), ("multi_select", "rich_text")),
    "source_url": Field(
        (
            *("source url", "source link", "discussion url", "discussion link", "discussion", "thread url"),
            *("thread link", "thread", "permalink", "source", "link", "url"),
        ),
        ("url", "rich_text"),
    ),
    "summary": Field(("summary", "ai summary", "tldr", "tl dr"), ("rich_text",)),
    "description": Field(("description", "task description", "details", "notes", "context"), ("rich_text",)),
}
"""Everything but title and key, which every page has; a status keeps the database's own default."""

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
NEGATIONS = frozenset({"not", "no", "non", "un"})
LEVEL = re.compile(r"(?:p|prio|priority) ?([0-9])")
RANKS = {2: (0, 0, 1, 1), 3: (0, 0, 1, 2)}
"""Places of urgent, high, medium and low on a scale of two or three levels; a longer one has one for each."""


class Schema(Value):
    """The properties of one database, or of one of its data sources."""

    properties: tuple[Property, ...]

    @property
    def title(self) -> Property:
        """Give the title property: every database has one, by any name."""
        return next(found for found in self.properties if found.type == "title")

    @property
    def key(self) -> Property | None:
        """Give the property that holds our key, where the database has one."""
        return self.named(KEY)

    def named(self, field: Field) -> Property | None:
        """Find the property for a field: by its names in their order, in a type that can be written."""
        return next((found for found in self._by_name(field.names) if found.type in field.types), None)

    def is_wanted(self, field: Field) -> bool:
        """Tell whether a property has the field's own name, be its type one we can write or not."""
        return any(self._by_name(field.names[:1]))

    def _by_name(self, names: Sequence[str]) -> Iterator[Property]:
        for name in names:
            yield from (found for found in self.properties if words(found.name) == name)


def read_schema(raw: Mapping[str, Any]) -> Schema:
    """Read the `properties` of a database or data source. Raises Permanent("schema", …) without a title."""
    schema = Schema(properties=tuple(_property(name, about) for name, about in raw.items()))
    if not any(found.type == "title" for found in schema.properties):
        raise Permanent("schema", "Notion shows no title property for the database")
    return schema


def essentials(schema: Schema, draft: Draft) -> dict[str, Any]:
    """Give title and key: what every page carries, and what it is found by."""
    filled = {schema.title.id: {"title": _text(title_text(draft))}}
    if schema.key is not None:
        filled[schema.key.id] = {"rich_text": _text(draft.key)}
    return filled


def extras(schema: Schema, draft: Draft, find_person: FindPerson) -> Filling:
    """Give the other properties: of what the task says, what the database has a place for."""
    properties: dict[str, Any] = {}
    done: list[str] = []
    skipped: list[str] = []
    for name, field in FIELDS.items():
        found = schema.named(field)
        if not _plain(name, draft) or not (found or schema.is_wanted(field)):
            continue
        value = _express(found, name, draft, find_person) if found else None
        if found and value:
            properties[found.id] = {found.type: value}
            done.append(name)
        else:
            skipped.append(name)
    return Filling(properties, tuple(done), tuple(skipped))


def title_text(draft: Draft) -> str:
    """Give a page's title exactly as it is sent and looked for."""
    return clip(" ".join(draft.task.title.split())) or "Task"


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


def _property(name: str, about: Mapping[str, Any]) -> Property:
    kind = about["type"]
    options = tuple(option["name"] for option in (about.get(kind) or {}).get("options", ()))
    return Property(id=about["id"], name=about.get("name", name), type=kind, options=options)


def _plain(name: str, draft: Draft) -> str:
    """Say a field in plain text; empty when nothing is known."""
    task, summary = draft.task, draft.analysis.findings.summary
    match name:
        case "source_url":
            return draft.source_url or ""
        case "summary":
            return summary
        case "description":
            return task.description or summary
        case "due_date":
            return task.due_date.isoformat() if task.due_date else ""
        case "tags":
            return ", ".join(task.tags)
        case "assignee":
            return task.assignee or ""
        case _:
            return str(getattr(task, name) or "").capitalize()


def _express(found: Property, name: str, draft: Draft, find_person: FindPerson) -> Any:
    """Write a field's value in a property's type; None when it cannot be said there."""
    text = _plain(name, draft)
    match found.type:
        case "rich_text":
            return _text(clip(text), safe_link(text))
        case "url":
            return safe_link(text)
        case "date":
            return {"start": text}
        case "people":
            person = find_person(text)
            return [{"id": person}] if person else None
        case "multi_select" if name == "tags":
            return _tags(found.options, draft.task.tags) or None
        case _:
            option = _option(found.options, name, draft)
            return option and ([{"name": option}] if found.type == "multi_select" else {"name": option})


def _option(options: Sequence[str], name: str, draft: Draft) -> str | None:
    task = draft.task
    if name == "priority" and task.priority is not None:
        return match_priority(options, task.priority)
    if name == "type" and task.type is not None:
        return match_option(options, TYPE_WORDS[task.type])
    return None


def _tags(options: Sequence[str], tags: Sequence[str]) -> list[dict[str, str]]:
    """Name the tags as the database does; a new one becomes a new option, which takes no comma."""
    known = {option.casefold(): option for option in options}
    names: dict[str, str] = {}
    for tag in tags:
        name = clip(" ".join(tag.replace(",", " ").split()), OPTION_LENGTH)
        if name:
            names.setdefault(name.casefold(), known.get(name.casefold(), name))
    return [{"name": name} for name in list(names.values())[:MOST_TAGS]]


def _text(text: str, url: str | None = None) -> list[dict[str, Any]]:
    return rich_text([Run(text, url=url)])
