"""Queries of the stand-in of Notion: filters, sorts, pages, the cap and the lag."""

from typing import Any

import pytest

from .harness import Json, Sandbox, rich, until


@pytest.fixture
def filled(sandbox: Sandbox) -> Sandbox:
    """Add three pages that differ in everything."""
    anna = sandbox.defaults["notion"]["users"][0]["id"]
    sandbox.create(
        "Blue",
        Status={"status": {"name": "To do"}},
        Source={"url": "https://a.io/1"},
        Tags={"multi_select": [{"name": "ui"}]},
    )
    sandbox.create("Green", Priority={"select": {"name": "High"}}, **{"Due date": {"date": {"start": "2026-12-01"}}})
    sandbox.create("Red", **{"Discubot key": {"rich_text": rich("slack:1")}, "Assignee": {"people": [{"id": anna}]}})
    return sandbox


def titles(sandbox: Sandbox, **body: Any) -> list[str]:
    """Query the default data source and return the titles found, sorted."""
    answer = sandbox.notion("POST", f"/data_sources/{sandbox.source}/query", body)
    assert answer.status_code == 200, answer.text
    return sorted(page["properties"]["Task"]["title"][0]["plain_text"] for page in answer.json()["results"])


FILTERS: list[tuple[Json, list[str]]] = [
    ({"property": "Task", "title": {"equals": "Blue"}}, ["Blue"]),
    ({"property": "Task", "title": {"contains": "e"}}, ["Blue", "Green", "Red"]),
    ({"property": "Task", "title": {"does_not_contain": "u"}}, ["Green", "Red"]),
    ({"property": "title", "title": {"starts_with": "R"}}, ["Red"]),
    ({"property": "Discubot key", "rich_text": {"equals": "slack:1"}}, ["Red"]),
    ({"property": "Discubot key", "rich_text": {"is_empty": True}}, ["Blue", "Green"]),
    ({"property": "Source", "url": {"equals": "https://a.io/1"}}, ["Blue"]),
    ({"property": "Source", "url": {"contains": "a.io"}}, ["Blue"]),
    ({"property": "Status", "status": {"equals": "To do"}}, ["Blue"]),
    ({"property": "Status", "status": {"is_not_empty": True}}, ["Blue"]),
    ({"property": "Priority", "select": {"equals": "High"}}, ["Green"]),
    ({"property": "Tags", "multi_select": {"contains": "ui"}}, ["Blue"]),
    ({"property": "Due date", "date": {"on_or_after": "2026-12-01"}}, ["Green"]),
    ({"property": "Due date", "date": {"before": "2026-12-01"}}, []),
    ({"timestamp": "created_time", "created_time": {"on_or_after": "2020-01-01T00:00:00Z"}},
     ["Blue", "Green", "Red"]),
    ({"timestamp": "created_time", "created_time": {"before": "2020-01-01"}}, []),
    ({"or": [{"property": "Task",
     "title": {"equals": "Red"}}, {"property": "Task", "title": {"equals": "Blue"}}]}, ["Blue", "Red"]),
    ({"and": [{"property": "Task",
     "title": {"contains": "e"}}, {"property": "Source", "url": {"is_empty": True}}]}, ["Green", "Red"]),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "found"), FILTERS, ids=[str(f[0])[:60] for f in FILTERS])
def test_filters_find_what_they_say(filled: Sandbox, wanted: Json, found: list[str]) -> None:
    """Each kind of filter finds exactly its pages."""
    assert titles(filled, filter=wanted) == found


def test_people_are_found_by_id(filled: Sandbox) -> None:
    """A people filter compares ids."""
    anna = filled.defaults["notion"]["users"][0]["id"]
    assert titles(filled, filter={"property": "Assignee", "people": {"contains": anna}}) == ["Red"]


def test_the_oldest_version_queries_the_database(filled: Sandbox) -> None:
    """In the oldest version the database itself is queried and pages name it as parent."""
    answer = filled.notion("POST", f"/databases/{filled.database}/query", {}, version="2022-06-28").json()
    assert {page["parent"]["type"] for page in answer["results"]} == {"database_id"} and len(answer["results"]) == 3


def test_results_come_in_pages(filled: Sandbox) -> None:
    """Following next_cursor gives every page once, in one order."""
    path = f"/data_sources/{filled.source}/query"
    first = filled.notion("POST", path, {"page_size": 2}).json()
    rest = filled.notion("POST", path, {"page_size": 2, "start_cursor": first["next_cursor"]}).json()
    ids = [page["id"] for page in first["results"] + rest["results"]]
    assert len(set(ids)) == 3 and first["has_more"] and not rest["has_more"] and rest["next_cursor"] is None
    assert "request_status" not in rest


def test_sorts_order_the_results(filled: Sandbox) -> None:
    """Results are sorted by property or by time, in both directions."""
    path = f"/data_sources/{filled.source}/query"
    down = filled.notion("POST", path, {"sorts": [{"property": "Task", "direction": "descending"}]}).json()["results"]
    assert [p["properties"]["Task"]["title"][0]["plain_text"] for p in down] == ["Red", "Green", "Blue"]
    up = filled.notion("POST", path, {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}).json()[
        "results"
    ]
    assert [p["created_time"] for p in up] == sorted(p["created_time"] for p in up)


def test_only_wanted_properties_are_shown(filled: Sandbox) -> None:
    """filter_properties thins out what a page shows."""
    path = f"/data_sources/{filled.source}/query?filter_properties[]=title&filter_properties[]=Status"
    page = filled.notion("POST", path, {}).json()["results"][0]
    assert set(page["properties"]) == {"Task", "Status"}


def test_a_query_ends_at_the_cap(filled: Sandbox) -> None:
    """Beyond the cap nothing is given and the last page says that it is incomplete."""
    filled.control("PUT", "/notion/limits", {"query_cap": 2})
    answer = filled.notion("POST", f"/data_sources/{filled.source}/query", {}).json()
    assert len(answer["results"]) == 2 and not answer["has_more"]
    assert answer["request_status"] == {
        "type": "incomplete",
        "incomplete_reason": "query_result_limit_reached",
    }


def test_queries_may_lag_behind_writes(sandbox: Sandbox) -> None:
    """With the lag on, a new page can be read at once but is found only later."""
    sandbox.control("PUT", "/notion/limits", {"query_lag_seconds": 0.3})
    page = sandbox.create("Late").json()
    assert sandbox.notion("GET", f"/pages/{page['id']}").status_code == 200
    assert titles(sandbox) == []
    assert until(lambda: titles(sandbox)) == ["Late"]
