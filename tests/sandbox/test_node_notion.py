"""Notion's own client for Node in front of the stand-in."""

from collections.abc import Callable
from typing import Any

import pytest

from .harness import Json, Receiver, Sandbox, rich
from .sdk import needs_node, play

pytestmark = needs_node
Scene = Callable[..., Any]
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def scene(sandbox: Sandbox) -> Scene:
    """Give a way to play a scene with the token of the default connection, in the client's own version."""
    access = {"url": f"{sandbox.url}/notion", "token": sandbox.notion_token}
    return lambda name, **given: play("notion.mjs", name, **(access | given))


both = pytest.mark.parametrize("version", ["2025-09-03", "2026-03-11"])


@both
def test_the_client_reads_people(sandbox: Sandbox, scene: Scene, version: str) -> None:
    """The bot, all users by pages, and one of them by id."""
    found = scene("people", version=version)
    people = [user["person"]["email"] for user in found["users"] if user["type"] == "person"]
    assert people == [user["email"] for user in sandbox.defaults["notion"]["users"]]
    assert found["me"]["id"] == sandbox.defaults["notion"]["bot_id"] and found["one"]["id"] == found["users"][1]["id"]
    assert found["full"] and found["complaints"] == []


@both
def test_the_client_goes_from_a_database_to_its_columns(sandbox: Sandbox, scene: Scene, version: str) -> None:
    """A database names its data source, and that holds the columns with their options."""
    found = scene("tables", database=sandbox.database, version=version)
    assert found["source"]["id"] == sandbox.source
    assert found["source"]["parent"] == {"type": "database_id", "database_id": sandbox.database}
    options = found["source"]["properties"]["Status"]["status"]["options"]
    assert [option["name"] for option in options] == ["To do", "In progress", "Done"]
    assert ("archived" in found["container"]) == (version == "2025-09-03")
    assert found["full"] and found["complaints"] == []


@both
def test_the_client_queries_by_pages(sandbox: Sandbox, scene: Scene, version: str) -> None:
    """A compound filter and a sort hold through all pages of a query."""
    found = scene("query", source=sandbox.source, version=version)
    assert (found["first"], found["more"]) == (["d", "c"], True)
    assert found["rows"] == ["d", "c", "a"] and found["full"] and found["complaints"] == []


@both
def test_the_client_makes_a_page_and_fills_it(sandbox: Sandbox, scene: Scene, version: str) -> None:
    """A page is created with blocks, gets more, changes its status, and goes to the trash."""
    found = scene("page", source=sandbox.source, version=version)
    assert (found["added"], found["blocks"]) == (["two", "three"], ["one", "two", "three"])
    assert (found["title"], found["one"], found["status"]) == ("Fix it", "two", "Done")
    assert found["trashed"] and found["same"] and found["full"] and found["complaints"] == []


@both
def test_the_client_discusses(sandbox: Sandbox, scene: Scene, version: str) -> None:
    """It opens a discussion on a page, answers in it, and reads it by pages and by id."""
    page = sandbox.defaults["notion"]["page_id"]
    found = scene("comments", page=page, version=version)
    assert (found["texts"], found["same"]) == (["one", "two"], True)
    assert (found["author"], found["parent"]["page_id"]) == (sandbox.defaults["notion"]["bot_id"], page)
    assert found["full"] and found["complaints"] == []


def test_the_client_verifies_what_is_sent(
    sandbox: Sandbox, scene: Scene, listener: Receiver, subscription: Json
) -> None:
    """A webhook's signature passes its own check, and not with another body or token."""
    page = sandbox.defaults["notion"]["page_id"]
    sandbox.control("POST", "/notion/comments", {"page_id": page, "text": "hello"})
    headers, body = listener.requests.get(timeout=10)
    token = subscription["verification_token"]
    sent = {"body": body.decode(), "signature": headers["x-notion-signature"], "verificationToken": token}
    forged = [sent | {"body": "{}"}, sent | {"verificationToken": "secret_no"}]
    assert scene("signatures", requests=[sent, *forged]) == [True, False, False]


def test_the_client_searches(sandbox: Sandbox, scene: Scene) -> None:
    """Pages are found by words of their title, tables as data sources."""
    sandbox.create("Something else")
    found = scene("search", source=sandbox.source)
    assert (found["pages"], found["sources"], found["complaints"]) == (["Fix the login"], [sandbox.source], [])


def test_the_client_understands_refusals(sandbox: Sandbox, scene: Scene) -> None:
    """Codes and states are those that it knows, and each error carries the id of its request."""
    row = {"parent": {"data_source_id": sandbox.source}, "properties": {"Nope": {"checkbox": True}}}
    calls = {
        "page_size should be between": ("dataSources.query", {"data_source_id": sandbox.source, "page_size": 101}),
        "Nope is not a property that exists.": ("pages.create", row),
        "Could not find block": ("blocks.children.append", {"block_id": NOWHERE, "children": []}),
        "Could not find page": ("pages.retrieve", {"page_id": NOWHERE}),
        "Could not find data_source": ("dataSources.retrieve", {"data_source_id": NOWHERE}),
        "valid uuid": ("databases.retrieve", {"database_id": "tasks"}),
    }
    found = scene("refusals", calls=list(calls.values()))
    assert [words for words, one in zip(calls, found, strict=True) if words not in one["message"]] == []
    assert {one["name"] for one in found} == {"APIResponseError"} and all(one["request_id"] for one in found)
    refused, missing = (400, "validation_error"), (404, "object_not_found")
    states = [(one["status"], one["code"]) for one in found]
    assert states == [refused, refused, missing, missing, missing, refused]


def test_the_client_is_told_that_its_token_is_wrong(scene: Scene) -> None:
    """An unknown token is refused before anything else."""
    [found] = scene("refusals", calls=[("users.me", {})], token="ntn_no")
    assert (found["status"], found["code"]) == (401, "unauthorized")


def test_the_client_learns_of_several_data_sources(sandbox: Sandbox, scene: Scene) -> None:
    """The oldest version still queries a database itself, and refuses one with two data sources."""
    sandbox.create("Old ways")
    several = sandbox.control("POST", "/notion/databases", {"tokens": [sandbox.notion_token], "data_sources": 2})
    query = [["post", f"databases/{sandbox.database}/query", {"page_size": 1}]]
    [listed] = scene("raw", calls=query, version="2022-06-28")
    assert [row["properties"]["Task"]["title"][0]["plain_text"] for row in listed["results"]] == ["Old ways"]
    calls = [("databases.retrieve", {"database_id": several["database_id"]})]
    [found] = scene("refusals", calls=calls, version="2022-06-28")
    assert found["additional_data"]["error_type"] == "multiple_data_sources_for_database"
    assert found["additional_data"]["child_data_source_ids"] == several["data_source_ids"]


@pytest.mark.parametrize(
    ("fault", "name", "status", "code"),
    [
        ({"kind": "ratelimit", "retry_after": 7}, "APIResponseError", 429, "rate_limited"),
        ({"kind": "status", "status": 529}, "APIResponseError", 529, "service_overload"),
        ({"kind": "status", "status": 409}, "APIResponseError", 409, "conflict_error"),
        ({"kind": "html"}, "UnknownHTTPResponseError", 502, "notionhq_client_response_error"),
    ],
)
def test_the_client_understands_outages(
    sandbox: Sandbox, scene: Scene, fault: dict[str, object], name: str, status: int, code: str
) -> None:
    """Limits, overloads, conflicts and pages of HTML reach it as it knows them from Notion."""
    sandbox.control("POST", "/faults", {"service": "notion", "match": "users/me", **fault})
    [found] = scene("refusals", calls=[("users.me", {})])
    assert (found["name"], found["status"], found["code"]) == (name, status, code)
    assert found["wait"] == ("7" if status == 429 else None)


def test_the_client_learns_what_was_saved(sandbox: Sandbox, scene: Scene) -> None:
    """An outage after the page was saved names the page."""
    sandbox.control("POST", "/faults", {"service": "notion", "match": "POST /pages", "kind": "saved_503"})
    row = {"parent": {"data_source_id": sandbox.source}, "properties": {"Task": {"title": rich("Fix it")}}}
    [found] = scene("refusals", calls=[("pages.create", row)])
    assert (found["status"], found["code"]) == (503, "service_unavailable")
    assert [page["id"] for page in sandbox.pages()] == [found["additional_data"]["committed_resource_id"]]


def test_the_client_waits_when_it_is_told_to(sandbox: Sandbox, scene: Scene) -> None:
    """Left alone with a limit it waits, tries again and succeeds."""
    sandbox.control("POST", "/faults", {"service": "notion", "kind": "ratelimit", "retry_after": 1})
    found = scene("patience")
    assert found["id"] == sandbox.defaults["notion"]["bot_id"]
    assert len(found["complaints"]) == 1 and "rate_limited" in found["complaints"][0]
