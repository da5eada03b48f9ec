"""Jobs over REST: who sees what, what is refused, and what a page looks like."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking.status import OUTCOME, WILL_RETRY
from discubot_pipeline.web.pages import cursor
from tests.tracking.ledger import Ledger
from tests.web.rest.conftest import Caller, Enter

PARTS = ("", "/logs", "/progress", "/outcome", "/steps", "/events")


def test_jobs_come_in_pages(member: Caller, ledger: Ledger, mine: dict[str, str]) -> None:
    """The newest first, each once; the last page has no next one."""
    ids = [ledger.run("SUCCESS", **mine) for _ in range(5)]
    seen, after, pages = [], "", 0
    while after is not None:
        page = member("GET", f"/jobs?limit=2{after}")
        seen += [job["job_id"] for job in page["jobs"]]
        after, pages = f"&after={page['next']}" if page["next"] else None, pages + 1
    assert (seen, pages) == (ids[::-1], 3)


def test_a_job_is_shown_in_parts(member: Caller, ledger: Ledger, stores: Stores, mine: dict[str, str]) -> None:
    """As far as it has come, with what its steps were given."""
    run_id = ledger.run("STARTED", **mine)
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
    stores.notes.stage(run_id, Stage.AI_ANALYSIS)
    stores.steps.begin(run_id, "analyze_thread", Stage.AI_ANALYSIS, {"messages": 2})
    ledger.say(run_id, dg.DagsterEventType.STEP_START, "analyze_thread")
    job = member("GET", f"/jobs/{run_id}")
    assert (job["status"], job["stage"], job["result"]) == ("processing", "ai_analysis", None)
    progress = member("GET", f"/jobs/{run_id}/progress")
    assert (progress["stage"], progress["percent"], progress["current"]) == ("ai_analysis", 0, 0)
    outcome = member("GET", f"/jobs/{run_id}/outcome")
    nothing = {"summary": None, "duration_ms": None, "finished_at": None, "counters": {}}
    assert outcome == {"status": "processing", **nothing}
    [step] = member("GET", f"/jobs/{run_id}/steps")["steps"]
    assert (step["stage"], step["status"], step["input"]) == ("ai_analysis", "running", {"messages": 2})
    [line] = member("GET", f"/jobs/{run_id}/logs")["logs"]
    assert (line["stage"], line["message"], line["level"]) == ("ai_analysis", "ai_analysis began.", "info")


def test_another_teams_job_is_not_there(enter: Enter, ledger: Ledger, mine: dict[str, str]) -> None:
    """Whatever is asked of it, and like one that nobody knows."""
    stranger = enter("strangers")
    for run_id in (ledger.run("STARTED", **mine), str(uuid4())):
        for part in PARTS:
            assert stranger("GET", f"/jobs/{run_id}{part}", 404)["reason"] == "not_found"
        stranger("POST", f"/jobs/{run_id}/cancel", 404)
        stranger("POST", f"/discussions/{run_id}/retry", 404)
    assert stranger("GET", "/jobs") == {"jobs": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "status=gone",
        "source=fax",
        "stage=lunch",
        "trigger=1",
        "scope=all",
        "limit=0",
        "limit=201",
        "limit=x",
        "since=yesterday",
        "since=2026-01-01T00:00:00",
        "until=99999999999999999999",
        "since=0001-01-01T00:00:00%2B23:00",
        "job_name=%00",
        "discussion_id=1",
        "after=nonsense",
        "after=WzEsMl0",
        "after=%00",
        "after=W251bGwsbnVsbF0",
    ],
)
def test_a_wrong_filter_is_refused(member: Caller, ledger: Ledger, query: str) -> None:
    """With 422, and a sentence that says what is wrong with it."""
    assert member("GET", f"/jobs?{query}", 422)["detail"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("since=2026-03-02T12:30:00%2B02:00", 1),
        ("since=2026-03-02T11:30:00Z", 0),
        ("until=2026-03-02T12:30:00%2B02:00", 0),
    ],
)
def test_times_are_meant_in_their_zone(
    member: Caller, ledger: Ledger, mine: dict[str, str], query: str, count: int
) -> None:
    """A job that was made at eleven in UTC."""
    ledger.time(ledger.run("SUCCESS", **mine), datetime(2026, 3, 2, 11, tzinfo=UTC), None, None)
    assert len(member("GET", f"/jobs?{query}")["jobs"]) == count


@pytest.mark.parametrize("path", ["/jobs/1", "/jobs/%00", "/jobs/not-a-uuid/logs"])
def test_an_id_that_is_none_is_refused(member: Caller, ledger: Ledger, path: str) -> None:
    """Before anybody looks for it."""
    member("GET", path, 422)


@pytest.mark.parametrize("number", [-1, 2**63, 2**70])
def test_a_log_goes_on_only_where_one_has_been(
    member: Caller, ledger: Ledger, mine: dict[str, str], number: int
) -> None:
    """A number that no event can have is refused before the database is asked."""
    member("GET", f"/jobs/{ledger.run('STARTED', **mine)}/logs?after={cursor((number,))}", 422)


@pytest.mark.parametrize("status", ["SUCCESS", "CANCELED", "FAILURE"])
def test_what_has_ended_cannot_be_cancelled(member: Caller, ledger: Ledger, mine: dict[str, str], status: str) -> None:
    """409, and nothing is noted."""
    run_id = ledger.run(status, **mine, **{WILL_RETRY: "false"})
    assert "already" in member("POST", f"/jobs/{run_id}/cancel", 409)["detail"]
    assert member("GET", f"/jobs/{run_id}")["cancelled_by"] is None


def test_a_job_that_was_put_off_has_ended_for_dagster(member: Caller, ledger: Ledger, mine: dict[str, str]) -> None:
    """Another one will go on: that one can be cancelled when it is there."""
    run_id = ledger.run("SUCCESS", **mine, **{OUTCOME: "deferred"})
    assert member("GET", f"/jobs/{run_id}")["status"] == "delayed"
    member("POST", f"/jobs/{run_id}/cancel", 409)


def test_without_dagsters_web_server_nothing_is_steered(member: Caller, ledger: Ledger, mine: dict[str, str]) -> None:
    """503: the caller comes again."""
    run_id = ledger.run("QUEUED", **mine)
    member("POST", f"/jobs/{run_id}/cancel", 503)
    assert member("GET", f"/jobs/{run_id}")["cancelled_by"] is None


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "x" * 501}, {"fresh": True}, [], "why"])
def test_a_wrong_body_is_refused(member: Caller, ledger: Ledger, mine: dict[str, str], body: Any) -> None:
    """Also what nobody asked for."""
    member("POST", f"/jobs/{ledger.run('QUEUED', **mine)}/cancel", 422, body)


def test_all_that_may_go_wrong_is_described(member: Caller) -> None:
    """Each route of jobs names its errors, as problem details."""
    paths = member.client.get("/api/openapi.json").json()["paths"]
    routes = {path: ways for path, ways in paths.items() if path.startswith("/api/jobs") or path.endswith("/retry")}
    assert len(routes) == 10
    for ways in routes.values():
        for way in ways.values():
            assert {"401", "422", "503"} <= set(way["responses"])
            for status, answer in way["responses"].items():
                assert status.startswith("2") or list(answer["content"]) == ["application/problem+json"]


def test_nobody_sees_jobs_without_a_token(member: Caller) -> None:
    """401, with the way to get one."""
    answer = member.client.get("/api/jobs")
    assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorized")
