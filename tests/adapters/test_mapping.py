"""How tasks are mapped onto databases that people have made themselves, and what they may say against it."""

from typing import Any

import pytest

from discubot_pipeline.adapters.mapping import MappedField, explain, faults
from discubot_pipeline.adapters.schema import Maps, extras
from discubot_pipeline.domain.analysis import Priority, TaskType
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_space import workspace
from tests.adapters.test_schema import Column, schema_of
from tests.adapters.tracker_conformance import TASK, make_draft

EXAMPLE: dict[str, Column] = {
    "Priority": ("select", ["P1", "P2", "P3"]),
    "Type": ("select", ["Improvement", "Bug", "New Feature", "Quick Fix"]),
    "Status": ("status", ["Not started", "Doing", "Staging", "Production", "Done", "Researching"]),
    "Person": "people",
    "Due date": "date",
    "Domain": ("select", ["Design", "Frontend", "Backend"]),
    "Estimate": "number",
    "Blocked": "checkbox",
}
"""A database of a real team: its title is called "Task Short Description"."""


def mapped(columns: dict[str, Column], **maps: Any) -> dict[str, MappedField]:
    """Explain a mapping, by field."""
    said = Maps(maps.get("fields", {}), maps.get("values", {}))
    return {each.field: each for each in explain(schema_of(columns, title="Task Short Description"), said)}


def fill(columns: dict[str, Column], fields: Any = None, values: Any = None, **task: Any) -> dict[str, Any]:
    """Map a task onto columns; gives what is sent, and under `skipped` what could not be said."""
    draft = make_draft(task=TASK.model_copy(update=task))
    filling = extras(schema_of(columns), draft, {"Anna de Vries": "user-1"}.get, Maps(fields or {}, values or {}))
    return {**filling.properties, "skipped": filling.skipped}


def test_the_example_database_is_mapped_whole() -> None:
    """Title, priority, type, status, person, due date and domain have a place; numbers and boxes are left alone."""
    found = mapped(EXAMPLE)
    places = {field: (each.property, each.how) for field, each in found.items() if each.property}
    assert places == {
        "title": ("Task Short Description", "type"),
        "priority": ("Priority", "name"),
        "type": ("Type", "name"),
        "status": ("Status", "name"),
        "assignee": ("Person", "synonym"),
        "due_date": ("Due date", "name"),
        "domain": ("Domain", "name"),
    }


def test_the_options_of_the_example_database() -> None:
    """Priorities go by their place on the scale, types and states by what they mean."""
    found = mapped(EXAMPLE)
    assert found["priority"].options == {"urgent": "P1", "high": "P1", "medium": "P2", "low": "P3"}
    types = {"bug": "Bug", "feature": "New Feature", "question": None, "improvement": "Improvement"}
    assert found["type"].options == types
    assert found["status"].options == {"To do": "Not started", "In progress": "Doing", "Done": "Done"}


def test_the_example_database_takes_a_page(sandbox: Sandbox) -> None:
    """Notion accepts all of it."""
    columns = {
        name: {"type": each[0], "options": each[1]} if isinstance(each, tuple) else each
        for name, each in EXAMPLE.items()
    }
    task = TASK.model_copy(
        update={"priority": Priority.LOW, "type": TaskType.FEATURE, "status": "in progress", "domain": "frontend"}
    )
    with workspace(sandbox, title_property="Task Short Description", properties=columns) as space:
        assert space.tracker().create(make_draft(task=task))[1] == ()
        assert space.pages()[0]["properties"] == {
            "Task Short Description": "Fix the header",
            "Priority": "P3",
            "Type": "New Feature",
            "Status": "Doing",
            "Person": ["Anna de Vries"],
            "Due date": "2026-12-01",
            "Domain": "Frontend",
            "Estimate": None,
            "Blocked": False,
        }


class TestOverrides:
    """What a person says goes before names."""

    COLUMNS: dict[str, Column] = {
        "Priority": ("select", ["Now", "Later"]),
        "Severity": ("select", ["Big", "Small"]),
        "Owner": "people",
        "Reviewer": "people",
        "Points": "number",
    }

    def test_a_property_is_named_by_name_or_id(self) -> None:
        """Either way it is the same."""
        for wanted in ("Severity", "severity", "id:Severity"):
            assert mapped(self.COLUMNS, fields={"priority": wanted})["priority"].property == "Severity"
        assert mapped(self.COLUMNS, fields={"assignee": "Reviewer"})["assignee"].how == "override"

    def test_a_field_is_never_set(self) -> None:
        """Neither sent nor reported as missing."""
        sent = fill(self.COLUMNS, fields={"assignee": None, "priority": None})
        assert sent == {"skipped": ()}

    def test_a_value_becomes_the_named_option(self) -> None:
        """What is not named goes by words, and an option that is not there is reported, never made."""
        values = {"priority": {"high": "Now", "low": "Someday"}}
        assert fill(self.COLUMNS, values=values)["id:Priority"] == {"select": {"name": "Now"}}
        sent = fill(self.COLUMNS, values=values, priority=Priority.LOW)
        assert "id:Priority" not in sent and "priority" in sent["skipped"]

    def test_a_property_is_not_used_twice(self) -> None:
        """One that a person gave to another field is no longer found by name."""
        columns: dict[str, Column] = {"Type": ("select", ["Bug"])}
        found = mapped(columns, fields={"domain": "Type"})
        assert (found["domain"].property, found["type"].property) == ("Type", None)

    @pytest.mark.parametrize(
        ("maps", "sentence"),
        [
            ({"fields": {"priority": "Urgenz"}}, "there is no property 'Urgenz'"),
            ({"fields": {"priority": "Points"}}, "'Points' is of a type that cannot hold it"),
            ({"values": {"priority": {"high": "Soon"}}}, "'Priority' has no option 'Soon' for 'high'"),
        ],
    )
    def test_what_cannot_be_is_reported(self, maps: dict[str, Any], sentence: str) -> None:
        """Doctor says what is wrong, and the page is made without it."""
        said = Maps(maps.get("fields", {}), maps.get("values", {}))
        [check] = faults(schema_of(self.COLUMNS), said)
        assert sentence in check.message and check.advice
        assert "priority" in fill(self.COLUMNS, **maps)["skipped"]

    def test_tags_are_mapped_too(self) -> None:
        """A tag of ours is the database's own word for it."""
        columns: dict[str, Column] = {"Tags": ("multi_select", ["Mobile"])}
        sent = fill(columns, values={"tags": {"phone": "Mobile"}}, tags=("phone", "new"))
        assert sent["id:Tags"] == {"multi_select": [{"name": "Mobile"}, {"name": "new"}]}


@pytest.mark.parametrize(
    ("options", "status", "option"),
    [
        (["To do", "Doing", "Done"], "todo", "To do"),
        (["Backlog", "In work", "Complete"], "done", "Complete"),
        (["Backlog", "Started", "Closed"], "In progress", "Started"),
        (["Icebox", "Review"], "review", "Review"),
        (["Icebox", "Review"], "done", None),
    ],
)
def test_states_go_by_what_they_mean(options: list[str], status: str, option: str | None) -> None:
    """Of its own name first, else of the same state; where there is none the database's default holds."""
    sent = fill({"Status": ("status", options)}, status=status)
    assert sent.get("id:Status") == ({"status": {"name": option}} if option else None)
