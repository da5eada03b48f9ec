"""Maps a task onto the properties of a Notion database, whatever they are called. Used by `notion.py`.

Values go out under property ids, which survive a renaming. Read-only types and unknown options never do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from discubot_pipeline.adapters.options import TYPE_WORDS, match_option, match_priority, match_status, words
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


class Maps(NamedTuple):
    """What a person has said of an output: the property of a field (None for never), and the option of a value."""

    fields: Mapping[str, str | None]
    values: Mapping[str, Mapping[str, str]]


AS_FOUND = Maps({}, {})


class How(StrEnum):
    """How the property of a field was chosen, or why there is none."""

    NAME = "name"
    SYNONYM = "synonym"
    OVERRIDE = "override"
    NEVER = "never"
    WRONG_TYPE = "wrong type"
    NOT_THERE = "not there"
    NONE = "none"


class Choice(NamedTuple):
    """The property that a field goes to."""

    property: "Property | None"
    how: How


class Filling(NamedTuple):
    """Properties by id as they are sent, the fields that are in them, and those that could not be said."""

    properties: dict[str, Any]
    fields: tuple[str, ...]
    skipped: tuple[str, ...]

    def without(self, field: str) -> "Filling":
        """Leave one field out, which could not be said then."""
        at = list(self.properties)[self.fields.index(field)]
        rest = {id: value for id, value in self.properties.items() if id != at}
        return Filling(rest, tuple(name for name in self.fields if name != field), (*self.skipped, field))


CHOICE = ("select", "status", "multi_select", "rich_text")
KEY = Field(
    ("discubot key", "source key", "key", "task key", "external key", "external id", "idempotency key"),
    ("rich_text",),
)
FIELDS = {
    "priority": Field(("priority", "prio", "priority level", "task priority", "urgency", "importance"), CHOICE),
    "status": Field(("status", "state", "stage", "progress", "task status"), ("status", "select", "rich_text")),
    "domain": Field(("domain", "area", "discipline", "department", "workstream", "team"), CHOICE),
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
"""Everything but title and key, which every page has."""


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
        return next((found for found in self.by_names(field.names) if found.type in field.types), None)

    def choose(self, maps: Maps) -> dict[str, Choice]:
        """Choose the property of each field: as a person said, else by name; no property is chosen twice."""
        said = {name: self._said(name, wanted) for name, wanted in maps.fields.items() if name in FIELDS}
        taken = {choice.property.id for choice in said.values() if choice.property}
        rest = Schema(properties=tuple(found for found in self.properties if found.id not in taken))
        return {name: said.get(name) or rest.by_itself(field) for name, field in FIELDS.items()}

    def by_itself(self, field: Field) -> Choice:
        """Choose the property of a field by its names."""
        found = self.named(field)
        if found:
            return Choice(found, How.NAME if words(found.name) == field.names[0] else How.SYNONYM)
        return Choice(None, How.WRONG_TYPE if any(self.by_names(field.names[:1])) else How.NONE)

    def _said(self, name: str, wanted: str | None) -> Choice:
        if wanted is None:
            return Choice(None, How.NEVER)
        known = [found for found in self.properties if wanted in (found.id, found.name)]
        found = next(iter(known or self.by_names([words(wanted)])), None)
        if found is None:
            return Choice(None, How.NOT_THERE)
        return Choice(found, How.OVERRIDE) if found.type in FIELDS[name].types else Choice(None, How.WRONG_TYPE)

    def by_names(self, names: Sequence[str]) -> Iterator[Property]:
        """Give the properties of some names, in the order of the names."""
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


def extras(schema: Schema, draft: Draft, find_person: FindPerson, maps: Maps = AS_FOUND) -> Filling:
    """Give the other properties: of what the task says, what the database has a place for."""
    properties: dict[str, Any] = {}
    done: list[str] = []
    skipped: list[str] = []
    for name, (found, how) in schema.choose(maps).items():
        if how in (How.NEVER, How.NONE) or not _plain(name, draft):
            continue
        value = _express(found, name, draft, find_person, maps.values.get(name, {})) if found else None
        if found and value:
            properties[found.id] = {found.type: value}
            done.append(name)
        else:
            skipped.append(name)
    return Filling(properties, tuple(done), tuple(skipped))


def title_text(draft: Draft) -> str:
    """Give a page's title exactly as it is sent and looked for."""
    return clip(" ".join(draft.task.title.split())) or "Task"


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
            said = str(getattr(task, name) or "")
            return said if name in ("status", "domain") else said.capitalize()


def option_of(options: Sequence[str], name: str, said: str, values: Mapping[str, str]) -> str | None:
    """Find the option for what a field says: as a person has mapped it, else by words. None where there is none."""
    mapped = {words(value): option for value, option in values.items()}.get(words(said))
    if mapped is not None:
        return next((option for option in options if option.casefold() == mapped.casefold()), None)
    match name:
        case "priority":
            return match_priority(options, Priority(said.casefold()))
        case "type":
            return match_option(options, TYPE_WORDS[TaskType(said.casefold())])
        case "status":
            return match_status(options, said)
        case _:
            return match_option(options, (words(said),))


def _express(found: Property, name: str, draft: Draft, find_person: FindPerson, values: Mapping[str, str]) -> Any:
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
            return _tags(found.options, draft.task.tags, values) or None
        case _:
            option = option_of(found.options, name, text, values)
            return option and ([{"name": option}] if found.type == "multi_select" else {"name": option})


def _tags(options: Sequence[str], tags: Sequence[str], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Name the tags as the database does; a new one becomes a new option, which takes no comma."""
    known = {option.casefold(): option for option in options}
    known |= {tag.casefold(): option for tag, option in values.items()}
    names: dict[str, str] = {}
    for tag in tags:
        name = clip(" ".join(tag.replace(",", " ").split()), OPTION_LENGTH)
        if name:
            names.setdefault(name.casefold(), known.get(name.casefold(), name))
    return [{"name": name} for name in list(names.values())[:MOST_TAGS]]


def _text(text: str, url: str | None = None) -> list[dict[str, Any]]:
    return rich_text([Run(text, url=url)])
