"""The mapping of a task onto a database's properties."""

from datetime import date
from typing import Any

import pytest

from discubot_pipeline.adapters.schema import (
    FIELDS,
    KEY,
    Filling,
    Schema,
    essentials,
    extras,
    match_option,
    match_priority,
    read_schema,
    words,
)
from discubot_pipeline.domain.analysis import Priority, TaskType
from discubot_pipeline.domain.errors import Permanent
from tests.adapters.tracker_conformance import TASK, make_draft

URGENT, HIGH, MEDIUM, LOW = Priority.URGENT, Priority.HIGH, Priority.MEDIUM, Priority.LOW
Column = str | tuple[str, list[str]]


def schema_of(columns: dict[str, Column], title: str = "Name") -> Schema:
    """Make a schema; a column is its type, perhaps with options, and its id is `id:` and its name."""
    raw: dict[str, Any] = {title: {"id": "title", "name": title, "type": "title", "title": {}}}
    for name, column in columns.items():
        kind, options = (column, []) if isinstance(column, str) else column
        detail = {"options": [{"id": option, "name": option} for option in options]} if options else {}
        raw[name] = {"id": f"id:{name}", "name": name, "type": kind, kind: detail}
    return read_schema(raw)


def fill(columns: dict[str, Column], people: dict[str, str] | None = None, **changes: Any) -> Filling:
    """Map a task onto columns."""
    draft = make_draft(task=TASK.model_copy(update=changes))
    return extras(schema_of(columns), draft, (people or {}).get)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Due date", "due date"),
        ("due_date", "due date"),
        ("DueDate", "due date"),
        ("🔥 Due-Date!", "due date"),
    ],
)
def test_words_of_a_name(name: str, said: str) -> None:
    """Names are compared by their words alone."""
    assert words(name) == said


def test_title_of_any_name() -> None:
    """The title property is known by its type."""
    assert schema_of({"Name": "rich_text"}, title="Task Short Description").title.name == "Task Short Description"


def test_no_title() -> None:
    """A schema without title is refused."""
    with pytest.raises(Permanent, match="title"):
        read_schema({})


def test_everything_by_id() -> None:
    """Each field goes into the property of its name, under the property's id, in the property's type."""
    filling = fill(
        {
            "Priority": ("select", ["Low", "Medium", "High"]),
            "Type": ("select", ["Bug", "Feature"]),
            "Assignee": "people",
            "Due date": "date",
            "Tags": ("multi_select", ["Web"]),
            "Source": "url",
            "Summary": "rich_text",
            "Description": "rich_text",
            "Status": ("status", ["To do", "Done"]),
        },
        {"Anna de Vries": "user-1"},
    )
    link = {"type": "text", "text": {"content": "The header is broken.", "link": None}}
    about = {"type": "text", "text": {"content": "The header overlaps the menu on phones.", "link": None}}
    assert filling.properties == {
        "id:Priority": {"select": {"name": "High"}},
        "id:Type": {"select": {"name": "Bug"}},
        "id:Assignee": {"people": [{"id": "user-1"}]},
        "id:Due date": {"date": {"start": "2026-12-01"}},
        "id:Tags": {"multi_select": [{"name": "Web"}, {"name": "phone"}]},
        "id:Source": {"url": "https://acme.slack.example/archives/C1/p1"},
        "id:Summary": {"rich_text": [link]},
        "id:Description": {"rich_text": [about]},
    }
    assert filling.skipped == ()


@pytest.mark.parametrize(
    ("name", "kind", "field"),
    [
        ("Owner", "people", "assignee"),
        ("Person", "people", "assignee"),
        ("Assigned to", "people", "assignee"),
        ("Deadline", "date", "due_date"),
        ("Due", "date", "due_date"),
        ("Labels", "multi_select", "tags"),
        ("Link", "url", "source_url"),
        ("Thread URL", "rich_text", "source_url"),
        ("Notes", "rich_text", "description"),
    ],
)
def test_synonyms(name: str, kind: str, field: str) -> None:
    """A field is found under the names that people give it."""
    assert fill({name: kind}, {"Anna de Vries": "user-1"}).fields == (field,)


def test_names_are_not_shared() -> None:
    """No name stands for two fields, so no property is filled twice."""
    names = [name for field in (KEY, *FIELDS.values()) for name in field.names]
    assert sorted(set(names)) == sorted(names)
    assert all(words(name) == name for name in names)


def test_better_name_first() -> None:
    """Of two properties that could hold a field the one with the better name gets it."""
    assert list(fill({"Date": "date", "Deadline": "date"}).properties) == ["id:Deadline"]


@pytest.mark.parametrize("kind", ["formula", "rollup", "created_by", "number", "checkbox"])
def test_type_that_cannot_be_written(kind: str) -> None:
    """A property with a field's own name in a type that cannot hold it is reported, not sent."""
    assert fill({"Assignee": kind}) == Filling({}, (), ("assignee",))


def test_same_word_other_meaning() -> None:
    """A column "Source" with options is not our link, and nobody is bothered with it."""
    assert fill({"Source": ("select", ["Slack", "Figma"])}) == Filling({}, (), ())


def test_no_place_is_no_failure() -> None:
    """What a database has no column for is not reported: the page says it."""
    assert fill({}) == Filling({}, (), ())


def test_unknown_assignee() -> None:
    """An assignee whom Notion does not know is skipped and reported."""
    assert fill({"Assignee": "people"}) == Filling({}, (), ("assignee",))


def test_assignee_in_words() -> None:
    """Where the assignee is a text property the name is written."""
    [value] = fill({"Assignee": "rich_text"}).properties.values()
    assert value["rich_text"][0]["text"]["content"] == "Anna de Vries"


def test_option_that_is_missing() -> None:
    """A select without a fitting option is skipped and reported; no option is invented."""
    assert fill({"Type": ("select", ["Chore"]), "Priority": "select"}).skipped == ("priority", "type")


def test_priority_in_other_types() -> None:
    """A priority may be a status or a multi_select too."""
    assert fill({"Priority": ("status", ["high", "low"])}).properties == {"id:Priority": {"status": {"name": "high"}}}
    assert fill({"Prio": ("multi_select", ["P1", "P2", "P3"])}).properties == {
        "id:Prio": {"multi_select": [{"name": "P1"}]}
    }


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["High", "Medium", "Low"], ["High", "High", "Medium", "Low"]),
        (["Urgent", "High", "Normal", "Low"], ["Urgent", "High", "Normal", "Low"]),
        (["Highest", "High", "Medium", "Low", "Lowest"], ["Highest", "High", "Medium", "Low"]),
        (["P3", "P2", "P1"], ["P1", "P1", "P2", "P3"]),
        (["P0", "P1", "P2", "P3"], ["P0", "P1", "P2", "P3"]),
        (["P1", "P2", "P3", "P4"], ["P1", "P2", "P3", "P4"]),
        (["Priority 1", "Priority 2"], ["Priority 1", "Priority 1", "Priority 2", "Priority 2"]),
        (
            ["🔴 Critical", "🟠 High", "🟡 Medium", "⚪ low"],
            ["🔴 Critical", "🟠 High", "🟡 Medium", "⚪ low"],
        ),
        (["P1 - High", "P2 - Medium", "P3 - Low"], ["P1 - High", "P1 - High", "P2 - Medium", "P3 - Low"]),
        (["Not urgent", "Urgent!"], ["Urgent!", None, None, None]),
        (["1", "2"], [None, None, None, None]),
    ],
)
def test_priorities(options: list[str], found: list[str | None]) -> None:
    """Priorities find their option by word or by place; urgent takes the highest there is."""
    assert [match_priority(options, priority) for priority in (URGENT, HIGH, MEDIUM, LOW)] == found


@pytest.mark.parametrize(
    ("kind", "option"),
    [(TaskType.BUG, "Bug"), (TaskType.FEATURE, "New Feature"), (TaskType.IMPROVEMENT, "improvement")],
)
def test_types(kind: TaskType, option: str) -> None:
    """Types find their option by word, whatever its case."""
    filling = fill({"Type": ("select", ["improvement", "Quick Fix", "Bug", "New Feature"])}, type=kind)
    assert filling.properties == {"id:Type": {"select": {"name": option}}}


def test_first_of_equal_options() -> None:
    """Of two options with the same words the first is taken."""
    assert match_option(["Bug", "bug"], ["bug"]) == "Bug"


def test_tags() -> None:
    """Tags keep the database's spelling, lose commas and repetitions, and stay within Notion's limits."""
    tags = ("WEB", "web", "a, b", " ", "x" * 150, *(f"t{number}" for number in range(200)))
    [value] = fill({"Tags": ("multi_select", ["Web"])}, tags=tags).properties.values()
    names = [tag["name"] for tag in value["multi_select"]]
    assert names[:3] == ["Web", "a b", "x" * 99 + "…"]
    assert len(names) == 100


def test_long_text_is_cut() -> None:
    """A description longer than a property's element is cut; the page has the whole."""
    [value] = fill({"Description": "rich_text"}, description="😀" * 1500).properties.values()
    assert value["rich_text"][0]["text"]["content"] == "😀" * 999 + "…"


def test_bad_link() -> None:
    """A source link that Notion would refuse is skipped and reported."""
    draft = make_draft(source_url="slack://channel")
    assert extras(schema_of({"Source URL": "url"}), draft, lambda name: None).skipped == ("source_url",)


def test_due_date_alone() -> None:
    """Only what the task says is sent."""
    filling = fill({"Priority": ("select", ["High"]), "Due": "date"}, priority=None, due_date=date(2027, 1, 2))
    assert filling == Filling({"id:Due": {"date": {"start": "2027-01-02"}}}, ("due_date",), ())


def test_essentials() -> None:
    """Title and key go together; a title that is called Key is no key."""
    draft = make_draft(key="k-1")
    assert essentials(schema_of({"Discubot key": "rich_text", "Key": "rich_text"}), draft).keys() == {
        "title",
        "id:Discubot key",
    }
    assert essentials(schema_of({"source key": "select"}, title="Key"), draft).keys() == {"title"}
