"""What a page's properties say of its task, in databases of many kinds."""

from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.task import Standing
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_space import MIDDLE, NEWEST, OLD, Workspace, workspace

STATUS = {"type": "status", "options": ["Backlog", "Doing", "Live"]}


@pytest.fixture(scope="module", params=[OLD, MIDDLE, NEWEST])
def version(request: pytest.FixtureRequest) -> str:
    """Speak each version of the API."""
    return str(request.param)


@pytest.fixture(scope="module")
def tasks(sandbox: Sandbox, version: str) -> Iterator[Workspace]:
    """Give a database whose last status, and so the one that is complete, is called Live."""
    with workspace(sandbox, version, properties={"Progress": STATUS, "Other": STATUS}) as made:
        yield made


def page(space: Workspace, **properties: Any) -> str:
    """Let a person make a page; gives its id."""
    parent = {"type": "data_source_id", "data_source_id": space.database["data_source_id"]}
    title = {"Task": {"title": [{"text": {"content": "Fix it"}}]}}
    body = {"parent": parent, "properties": title | properties}
    headers = {"Authorization": f"Bearer {space.token}", "Notion-Version": MIDDLE}
    url = f"{space.sandbox.url}/notion/v1/pages"
    answer = httpx.post(url, json=body, headers=headers, trust_env=False)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(("status", "is_done"), [("Backlog", False), ("Doing", False), ("Live", True)])
def test_the_complete_group_is_done(tasks: Workspace, status: str, is_done: bool) -> None:
    """Whatever its options are called; a well-known name goes before other properties of the type."""
    id = page(tasks, Progress={"status": {"name": status}}, Other={"status": {"name": "Live"}})
    assert tasks.tracker().standing(id) == Standing(title="Fix it", status=status, is_done=is_done)


def test_a_page_without_a_status_is_open(tasks: Workspace) -> None:
    """Nothing chosen is not done."""
    assert tasks.tracker().standing(page(tasks)) == Standing(title="Fix it")


def test_a_page_in_the_trash_stands_nowhere(tasks: Workspace) -> None:
    """Its task stays as it was."""
    id = page(tasks, Progress={"status": {"name": "Live"}})
    tasks.sandbox.control("POST", f"/notion/pages/{id}/trash")
    assert tasks.tracker().standing(id) is None


def test_a_page_that_is_not_shared_is_not_found(tasks: Workspace) -> None:
    """No retry helps."""
    with pytest.raises(Permanent, match="not_found"):
        tasks.tracker().standing("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("columns", "value", "expected"),
    [
        ({"Status": {"type": "select", "options": ["Done ✅"]}}, {"select": {"name": "Done ✅"}}, ("Done ✅", True)),
        (
            {"Status": {"type": "select", "options": ["Not done"]}},
            {"select": {"name": "Not done"}},
            ("Not done", False),
        ),
        ({"State": {"type": "select", "options": ["Resolved"]}}, {"select": {"name": "Resolved"}}, ("Resolved", True)),
        ({"Mood": {"type": "select", "options": ["Done"]}}, {"select": {"name": "Done"}}, (None, False)),
        ({"Done": "checkbox"}, {"checkbox": True}, (None, True)),
        ({"Done": "checkbox"}, {"checkbox": False}, (None, False)),
        ({"Urgent": "checkbox"}, {"checkbox": True}, (None, False)),
        (
            {"Status": {"type": "status", "options": ["To do", "Done", "Won’t do"]}},
            {"status": {"name": "Won’t do"}},
            ("Won’t do", False),
        ),
        (
            {"Status": {"type": "status", "options": ["To do", "Done", "Cancelled"]}},
            {"status": {"name": "Cancelled"}},
            ("Cancelled", False),
        ),
    ],
)
def test_names_say_it_where_there_are_no_groups(
    sandbox: Sandbox, columns: dict[str, Any], value: dict[str, Any], expected: tuple[str | None, bool]
) -> None:
    """Selects and boxes of well-known names count; what was given up is not done, wherever it is grouped."""
    with workspace(sandbox, properties=columns) as space:
        found = space.tracker().standing(page(space, **{next(iter(columns)): value}))
    assert found is not None
    assert (found.status, found.is_done) == expected
