"""Outputs and people through the REST API, with the sandbox's Notion behind them."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from discubot_pipeline.store.stores import Stores
from tests.adapters.notion_space import Workspace, workspace
from tests.conftest import Sandbox
from tests.store.samples import ANNA
from tests.web.rest.conftest import Caller, Enter
from tests.web.rest.test_settings import SLACK


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a Notion database."""
    with workspace(sandbox, properties={"Priority": {"type": "select", "options": ["P1", "P2", "P3"]}}) as space:
        yield space


@pytest.fixture
def source_id(admin: Caller) -> str:
    """Give the id of a Slack source."""
    return str(admin("POST", "/sources", 201, SLACK)["id"])


@pytest.fixture
def add(admin: Caller, source_id: str, space: Workspace) -> Any:
    """Let an output be made."""

    def call(name: str = "tasks", status: int = 201, **more: Any) -> Any:
        known = {"source_id": source_id, "database": space.database["database_id"], "token": space.token}
        return admin("POST", "/outputs", status, known | {"name": name} | more)

    return call


class TestDefault:
    """A source with outputs has one default."""

    def test_the_first_without_domains_is_it(self, admin: Caller, add: Any) -> None:
        """Later ones are not, unless they say so; then the first no longer is."""
        assert [add("one")["default"], add("two", domains=["design"])["default"], add("three")["default"]] == [
            True,
            False,
            False,
        ]
        assert add("four", default=True)["default"] is True
        assert [each["name"] for each in admin("GET", "/outputs") if each["default"]] == ["four"]

    def test_it_is_handed_over_not_dropped(self, admin: Caller, add: Any) -> None:
        """The default stays while there are others, by whatever way it would go."""
        one, two = add("one"), add("two", domains=["design"])
        path = f"/outputs/{one['id']}"
        for change in ({"default": False}, {"active": False}):
            told = admin("PATCH", path, 422, change | {"version": 1})["detail"]
            assert told == "output 'one' is the default: make another one the default first"
        assert admin("DELETE", f"{path}?version=1", 422)["reason"] == "default"
        admin("PATCH", f"/outputs/{two['id']}", body={"default": True, "version": 1})
        admin("DELETE", f"{path}?version=2", 204)

    def test_the_last_one_may_go(self, admin: Caller, add: Any) -> None:
        """A source without outputs needs no default."""
        admin("DELETE", f"/outputs/{add()['id']}?version=1", 204)


class TestMaps:
    """How tasks are mapped is shown and may be overruled."""

    def test_the_mapping_is_shown(self, admin: Caller, add: Any) -> None:
        """Field, property, how it was chosen, and the options."""
        path = f"/outputs/{add()['id']}"
        found = {each["field"]: each for each in admin("GET", f"{path}/schema")}
        assert found["priority"]["how"] == "name"
        assert found["priority"]["options"]["urgent"] == "P1"
        admin("PATCH", path, body={"version": 1, "value_map": {"priority": {"urgent": "P3"}}})
        changed = admin("PATCH", path, body={"version": 2, "field_map": {"due_date": None}})
        assert (changed["field_map"], changed["value_map"]) == ({"due_date": None}, {"priority": {"urgent": "P3"}})
        found = {each["field"]: each for each in admin("GET", f"{path}/schema")}
        assert (found["priority"]["options"]["urgent"], found["due_date"]["how"]) == ("P3", "never")

    def test_a_map_is_laid_over_the_one_before(self, admin: Caller, add: Any) -> None:
        """`auto` and an empty map take away what was said."""
        made = add(field_map={"type": "Kind", "tags": "Topics"}, value_map={"type": {"bug": "Defect"}})
        change = {"version": 1, "field_map": {"type": "auto"}, "value_map": {"type": {}}}
        changed = admin("PATCH", f"/outputs/{made['id']}", body=change)
        assert (changed["field_map"], changed["value_map"]) == ({"tags": "Topics"}, {})

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"field_map": {"colour": "x"}}, "field_map: there is no field 'colour'"),
            ({"value_map": {"priority": {"soon": "P1"}}}, "value_map.priority: there is no 'soon'"),
            ({"token": None}, "token: "),
        ],
    )
    def test_what_is_wrong_is_said(self, add: Any, wrong: dict[str, Any], sentence: str) -> None:
        """The field and what may stand there."""
        assert sentence in add(status=422, **wrong)["detail"]


def test_a_database_is_named_by_its_link(add: Any) -> None:
    """Anything else is refused before it is stored."""
    assert "no id of a Notion database" in add(status=400, database="tasks")["detail"]


def test_tokens_are_not_shown(client: TestClient, admin: Caller, add: Any, space: Workspace) -> None:
    """Of the token there is a fingerprint."""
    made = add()
    assert made["credentials"]["token"]["set"] is True
    assert space.token not in str([made, admin("GET", "/outputs"), admin("GET", f"/outputs/{made['id']}")])


def test_other_teams_see_no_outputs(enter: Enter, add: Any) -> None:
    """To an admin of another team they are not there."""
    stranger, path = enter("other"), f"/outputs/{add()['id']}"
    assert stranger("GET", "/outputs") == []
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/schema", None),
        ("PATCH", path, {"version": 1}),
        ("DELETE", f"{path}?version=1", None),
    ):
        assert stranger(method, where, 404, body)["reason"] == "not_found", where


class TestPeople:
    """Who people are in Notion."""

    def test_people_are_matched_said_and_forgotten(
        self, admin: Caller, add: Any, source_id: str, space: Workspace, stores: Stores
    ) -> None:
        """By e-mail from the sandbox's Notion; what a person says stays when it is matched again."""
        from discubot_pipeline.store.people import People

        add()
        mail = f"{space.token}@acme.example"
        user = space.sandbox.control("POST", "/notion/users", {"name": "Somebody Else", "email": mail})["id"]
        [config] = stores.configs.sources()
        People(stores.engine, config).put(ANNA.model_copy(update={"email": mail}))
        assert admin("POST", "/people/match", body={"source_id": source_id}) == {"matched": 1, "unmatched": []}
        [anna] = admin("GET", "/people")
        assert (anna["notion_user_id"], anna["match"], anna["confidence"]) == (user, "email", 1.0)
        path, other = f"/people/{anna['id']}", "0123456789abcdef0123456789abcdef"
        changed = admin("PATCH", path, body={"notion_user_id": other})
        assert (changed["match"], changed["updated_by"]) == ("manual", "anna")
        admin("POST", "/people/match", body={"source_id": source_id})
        assert admin("GET", path) == changed
        admin("DELETE", path, 204)
        assert admin("GET", "/people") == []

    def test_a_file_goes_out_and_in_again(self, admin: Caller, source_id: str) -> None:
        """What was exported can be imported; a file with a fault changes nothing."""
        new = {"source_id": source_id, "source_user_id": "U1", "name": "=Anna", "notion_user_id": "a" * 32}
        admin("POST", "/people", 201, new)
        text = admin("GET", f"/people/export?source_id={source_id}")
        where, headers = f"/people/import?source_id={source_id}", {"content-type": "text/csv"}
        assert "'=Anna" in text
        assert admin("POST", where, content=text.encode(), headers=headers) == {"imported": 1}
        assert [each["name"] for each in admin("GET", "/people")] == ["=Anna"]
        refused = admin("POST", where, 422, content=b"source_user_id\nU2\n", headers=headers)
        assert refused["detail"].startswith("nothing was imported: line 1: the column notion_user_id is missing")

    def test_other_teams_see_no_people(self, admin: Caller, enter: Enter, source_id: str) -> None:
        """To an admin of another team they are not there."""
        made = admin("POST", "/people", 201, {"source_id": source_id, "source_user_id": "U1"})
        stranger, path = enter("other"), f"/people/{made['id']}"
        assert stranger("GET", "/people") == stranger("GET", f"/people?source_id={source_id}") == []
        for method, body in (("GET", None), ("PATCH", {"active": False}), ("DELETE", None)):
            assert stranger(method, path, 404, body)["reason"] == "not_found"
