"""The stand-in of Notion: token, versions and limits at the door, pages, blocks, paging."""

from datetime import UTC, datetime
from typing import Any

import pytest

from .harness import Json, Sandbox, paragraph, rich

NOWHERE = "00000000-0000-0000-0000-000000000000"
OLD, MIDDLE, NEW = "2022-06-28", "2025-09-03", "2026-03-11"


def refused(answer: Any) -> tuple[int, str]:
    """Return status and code of an error, which must be a whole one."""
    body = answer.json()
    assert body["object"] == "error" and body["status"] == answer.status_code and body["request_id"]
    return answer.status_code, body["code"]


def test_a_bad_token_is_unauthorized(sandbox: Sandbox) -> None:
    """An unknown token and a missing one are 401."""
    assert refused(sandbox.notion("GET", "/users/me", token="ntn_wrong")) == (401, "unauthorized")
    assert refused(sandbox.http.get("/notion/v1/users/me")) == (401, "unauthorized")


@pytest.mark.parametrize("version", [None, "2021-05-13", "yesterday"])
def test_a_version_is_demanded(sandbox: Sandbox, version: str | None) -> None:
    """A missing or unknown version is refused with missing_version."""
    assert refused(sandbox.notion("GET", "/users/me", version=version)) == (400, "missing_version")


def test_bodies_must_be_json_and_small(sandbox: Sandbox) -> None:
    """Broken JSON is invalid_json, more than 500 KB is 413."""
    headers = {"Authorization": f"Bearer {sandbox.notion_token}", "Notion-Version": MIDDLE}
    for body in ("{", "[]", '"x"'):
        assert refused(sandbox.http.post("/notion/v1/pages", content=body, headers=headers)) == (
            400,
            "invalid_json",
        )
    assert refused(sandbox.create(children=[paragraph("x" * 2000)] * 100 * 3))[0] == 413


@pytest.mark.parametrize(("verb", "path"), [("GET", "/rooms"), ("DELETE", "/pages"), ("POST", "/databases/{id}/query")])
def test_unknown_addresses_are_refused(sandbox: Sandbox, verb: str, path: str) -> None:
    """What the API does not have, or not in this version, is invalid_request_url."""
    answer = sandbox.notion(verb, path.replace("{id}", sandbox.database), {})
    assert refused(answer) == (400, "invalid_request_url")


@pytest.mark.parametrize("path", ["/pages/{}", "/databases/{}", "/data_sources/{}", "/blocks/{}", "/users/{}"])
def test_unknown_ids_are_not_found(sandbox: Sandbox, path: str) -> None:
    """A well-formed id of nothing is 404, a malformed one 400."""
    assert refused(sandbox.notion("GET", path.format(NOWHERE))) == (404, "object_not_found")
    assert refused(sandbox.notion("GET", path.format("tasks"))) == (400, "validation_error")


def test_what_is_not_shared_does_not_exist(sandbox: Sandbox) -> None:
    """A connection sees neither database nor page nor block that is not shared with it."""
    page = sandbox.create(children=[paragraph()]).json()
    block = sandbox.notion("GET", f"/blocks/{page['id']}/children").json()["results"][0]
    other = sandbox.control("POST", "/notion/integrations", {"name": "Other"})["token"]
    paths = (
        f"/databases/{sandbox.database}",
        f"/data_sources/{sandbox.source}",
        f"/pages/{page['id']}",
        f"/blocks/{block['id']}",
    )
    for path in paths:
        assert refused(sandbox.notion("GET", path, token=other)) == (404, "object_not_found")
    sandbox.control("PUT", f"/notion/databases/{sandbox.database}/tokens", {"tokens": [other]})
    assert all(sandbox.notion("GET", path, token=other).status_code == 200 for path in paths)
    assert refused(sandbox.notion("GET", paths[0])) == (404, "object_not_found")


def test_each_connection_has_a_budget(sandbox: Sandbox) -> None:
    """180 calls fit into a window, the next is 429 with the wait; other connections are not touched."""
    other = sandbox.control("POST", "/notion/integrations", {})["token"]
    sandbox.control("PUT", "/notion/limits", {"requests": 180, "window_seconds": 3600})
    assert {sandbox.notion("GET", "/users/me").status_code for _ in range(180)} == {200}
    answer = sandbox.notion("GET", "/users/me")
    assert refused(answer) == (429, "rate_limited")
    more = answer.json()["additional_data"]
    assert more["rate_limit_reason"] == "public_api_request_rate_limit"
    assert more["retry_after"] == answer.headers["retry-after"] and int(more["retry_after"]) >= 1
    assert sandbox.notion("GET", "/users/me", token=other).status_code == 200


def test_people_are_listed_with_the_bot(sandbox: Sandbox) -> None:
    """users/me is the bot; the list has people with e-mail and is paged."""
    me = sandbox.notion("GET", "/users/me").json()
    assert me["type"] == "bot" and me["id"] == sandbox.defaults["notion"]["bot_id"]
    first = sandbox.notion("GET", "/users?page_size=4").json()
    rest = sandbox.notion("GET", f"/users?page_size=4&start_cursor={first['next_cursor']}").json()
    people = [u for u in first["results"] + rest["results"] if u["type"] == "person"]
    assert len(people) == 5 and people[0]["person"]["email"] == "anna@acme.example" and not rest["has_more"]
    assert sandbox.notion("GET", f"/users/{people[0]['id']}").json()["name"] == "Anna de Vries"


def test_a_database_looks_different_in_each_version(sandbox: Sandbox) -> None:
    """The oldest version shows columns, later ones data sources; `archived` is gone in the newest."""
    old, middle, new = (
        sandbox.notion("GET", f"/databases/{sandbox.database}", version=v).json() for v in (OLD, MIDDLE, NEW)
    )
    assert "Status" in old["properties"] and "data_sources" not in old
    assert middle["data_sources"] == [{"id": sandbox.source, "name": "Tasks"}] and "properties" not in middle
    assert "archived" in middle and "archived" not in new and new["in_trash"] is False
    source = sandbox.notion("GET", f"/data_sources/{sandbox.source}").json()
    assert source["properties"]["Task"]["id"] == "title" and source["parent"]["database_id"] == sandbox.database
    status = source["properties"]["Status"]["status"]
    assert [o["name"] for o in status["options"]] == ["To do", "In progress", "Done"] and len(status["groups"]) == 3
    assert refused(sandbox.notion("GET", f"/data_sources/{sandbox.source}", version=OLD)) == (
        400,
        "invalid_request_url",
    )


def test_several_data_sources_must_be_chosen_from(sandbox: Sandbox) -> None:
    """A database with two sources cannot be read in the old version nor written without naming one."""
    body = {"tokens": [sandbox.notion_token], "title": "Two", "data_sources": 2}
    made = sandbox.control("POST", "/notion/databases", body)
    old = sandbox.notion("GET", f"/databases/{made['database_id']}", version=OLD)
    assert refused(old) == (400, "validation_error")
    assert old.json()["additional_data"] == {
        "error_type": "multiple_data_sources_for_database", "database_id": made["database_id"],
        "child_data_source_ids": made["data_source_ids"], "minimum_api_version": MIDDLE,
    }  # fmt: skip
    page: Json = {
        "parent": {"database_id": made["database_id"]},
        "properties": {"Name": {"title": rich("x")}},
    }
    assert refused(sandbox.notion("POST", "/pages", page)) == (400, "validation_error")
    page["parent"] = {"type": "data_source_id", "data_source_id": made["data_source_ids"][1]}
    assert sandbox.notion("POST", "/pages", page).status_code == 200


@pytest.mark.parametrize(
    ("version", "kind"), [(OLD, "database_id"), (MIDDLE, "data_source_id"), (NEW, "data_source_id")]
)
def test_parents_take_the_form_of_the_version(sandbox: Sandbox, version: str, kind: str) -> None:
    """A page's parent is the database in the oldest version and the data source later."""
    body = {"parent": {"database_id": sandbox.database}, "properties": {"Task": {"title": rich("x")}}}
    assert sandbox.notion("POST", "/pages", body, version=version).json()["parent"]["type"] == kind
    body["parent"] = {"data_source_id": sandbox.source}
    assert sandbox.notion("POST", "/pages", body, version=version).status_code == (400 if version == OLD else 200)


def test_a_page_keeps_all_kinds_of_values(sandbox: Sandbox) -> None:
    """Values go in by name or id, come back complete, and new select options join the schema."""
    anna = sandbox.defaults["notion"]["users"][0]["id"]
    schema = sandbox.notion("GET", f"/data_sources/{sandbox.source}").json()["properties"]
    values = {
        "Status": {"status": {"name": "In progress"}},
        schema["Priority"]["id"]: {"select": {"name": "Urgent"}},
        "Tags": {"multi_select": [{"name": "a"}, {"name": "b"}]}, "Assignee": {"people": [{"id": anna}]},
        "Due date": {"type": "date", "date": {"start": "2026-12-01"}}, "Source": {"url": "https://acme.example/x"},
        "Discubot key": {"rich_text": rich("k:1")},
    }  # fmt: skip
    page = sandbox.create("Fix 😀", **values).json()
    shown = sandbox.notion("GET", f"/pages/{page['id']}").json()["properties"]
    assert shown == page["properties"] and shown["Task"]["title"][0]["plain_text"] == "Fix 😀"
    assert shown["Priority"]["select"]["name"] == "Urgent" and shown["Assignee"]["people"][0]["id"] == anna
    after = sandbox.notion("GET", f"/data_sources/{sandbox.source}").json()["properties"]
    assert "Urgent" in [o["name"] for o in after["Priority"]["select"]["options"]]
    assert page["url"] == f"{sandbox.url}/p/{page['id'].replace('-', '')}"
    assert datetime.fromisoformat(page["created_time"]).astimezone(UTC).second == 0
    flat = sandbox.pages()[0]["properties"]
    assert (flat["Tags"], flat["Assignee"], flat["Due date"]) == (["a", "b"], ["Anna de Vries"], "2026-12-01")


def test_updates_change_only_what_they_name(sandbox: Sandbox) -> None:
    """PATCH sets and clears single properties and leaves the others."""
    page = sandbox.create(Status={"status": {"name": "To do"}}, Source={"url": "https://a.io"}).json()
    body = {"properties": {"Source": {"url": None}, "Tags": {"multi_select": None}}}
    changed = sandbox.notion("PATCH", f"/pages/{page['id']}", body).json()["properties"]
    assert changed["Source"]["url"] is None and changed["Status"]["status"]["name"] == "To do"


def test_trashed_pages_are_hidden_but_readable(sandbox: Sandbox) -> None:
    """A page in the trash leaves queries, can be read, cannot be edited, and comes back when restored."""
    page = sandbox.create().json()
    sandbox.control("POST", f"/notion/pages/{page['id']}/trash")
    query = f"/data_sources/{sandbox.source}/query"
    assert sandbox.notion("POST", query, {}).json()["results"] == []
    assert [row["id"] for row in sandbox.notion("POST", query, {"in_trash": True}).json()["results"]] == [page["id"]]
    assert sandbox.notion("GET", f"/pages/{page['id']}").json()["in_trash"]
    edit = {"properties": {"Source": {"url": "https://a.io"}}}
    assert refused(sandbox.notion("PATCH", f"/pages/{page['id']}", edit)) == (400, "validation_error")
    append = sandbox.notion("PATCH", f"/blocks/{page['id']}/children", {"children": [paragraph()]})
    assert refused(append) == (400, "validation_error")
    assert refused(sandbox.notion("PATCH", f"/pages/{page['id']}", {"archived": False}, version=NEW))[0] == 400
    sandbox.notion("PATCH", f"/pages/{page['id']}", {"in_trash": False})
    assert len(sandbox.notion("POST", query, {}).json()["results"]) == 1


def test_blocks_are_appended_at_their_place(sandbox: Sandbox) -> None:
    """The old versions append after a block, the newest by position; each refuses the other's word."""
    page = sandbox.create(children=[paragraph("a"), paragraph("b")]).json()["id"]
    first = sandbox.notion("GET", f"/blocks/{page}/children").json()["results"][0]["id"]
    path = f"/blocks/{page}/children"
    after = {"type": "after_block", "after_block": {"id": first}}
    sandbox.notion("PATCH", path, {"children": [paragraph("c")], "after": first})
    sandbox.notion("PATCH", path, {"children": [paragraph("d")], "position": after}, version=NEW)
    sandbox.notion("PATCH", path, {"children": [paragraph("e")], "position": {"type": "start"}}, version=NEW)
    sandbox.notion("PATCH", path, {"children": [paragraph("f")]})
    shown = sandbox.notion("GET", path).json()["results"]
    assert [b["paragraph"]["rich_text"][0]["plain_text"] for b in shown] == ["e", "a", "d", "c", "b", "f"]
    assert refused(sandbox.notion("PATCH", path, {"children": [paragraph()], "position": after}))[0] == 400
    assert refused(sandbox.notion("PATCH", path, {"children": [paragraph()], "after": first}, version=NEW))[0] == 400
    assert refused(sandbox.notion("PATCH", path, {"children": [paragraph()], "after": NOWHERE})) == (
        404,
        "object_not_found",
    )


def test_nested_blocks_are_read_level_by_level(sandbox: Sandbox) -> None:
    """Children are listed one level at a time, in pages, and counted on all levels."""
    tree = paragraph("1", children=[paragraph("2", children=[paragraph("3")])])
    page = sandbox.create(children=[tree, {"type": "divider", "divider": {}}]).json()["id"]
    top = sandbox.notion("GET", f"/blocks/{page}/children?page_size=1").json()
    assert top["has_more"] and top["results"][0]["has_children"]
    below = sandbox.notion("GET", f"/blocks/{top['results'][0]['id']}/children").json()["results"]
    assert below[0]["parent"] == {"type": "block_id", "block_id": top["results"][0]["id"]}
    rest = sandbox.notion("GET", f"/blocks/{page}/children?page_size=1&start_cursor={top['next_cursor']}").json()
    assert [b["type"] for b in rest["results"]] == ["divider"] and sandbox.pages()[0]["block_count"] == 4
    divider = rest["results"][0]["id"]
    assert refused(sandbox.notion("PATCH", f"/blocks/{divider}/children", {"children": [paragraph()]}))[0] == 400
    assert sandbox.notion("GET", f"/blocks/{page}").json()["child_page"] == {"title": "Fix it"}


def test_search_finds_by_title(sandbox: Sandbox) -> None:
    """Search matches titles of pages and tables, as the version calls them."""
    sandbox.create("Blue button")
    found = sandbox.notion("POST", "/search", {"query": "blue"}).json()["results"]
    assert [item["object"] for item in found] == ["page"]
    tables = sandbox.notion("POST", "/search", {"filter": {"property": "object", "value": "data_source"}}).json()[
        "results"
    ]
    assert [item["id"] for item in tables] == [sandbox.source]
    old = {"filter": {"property": "object", "value": "database"}}
    assert sandbox.notion("POST", "/search", old, version=OLD).json()["results"][0]["id"] == sandbox.database
    assert refused(sandbox.notion("POST", "/search", old)) == (400, "validation_error")


def test_pages_stand_below_pages(sandbox: Sandbox) -> None:
    """A page may have a page as parent, with a title only."""
    above = sandbox.create().json()["id"]
    body = {"parent": {"page_id": above}, "properties": {"title": rich("Below")}}
    below = sandbox.notion("POST", "/pages", body).json()
    assert below["parent"] == {"type": "page_id", "page_id": above}
    assert below["properties"]["title"]["title"][0]["plain_text"] == "Below"
