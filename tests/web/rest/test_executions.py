"""Executions and explanations over REST: what ran, who sees it, and how an explanation is asked for."""

from typing import Any
from uuid import uuid4

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.web.pages import cursor
from tests.store.samples import THREAD, parsed_of
from tests.tracking.ledger import Ledger
from tests.web.rest.conftest import Caller, Enter


def note(stores: Stores, outcome: RunOutcome | None = None, team: str = "acme", **params: Any) -> str:
    """Write the note of a run with one step; gives the run's id."""
    run_id = str(uuid4())
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, params, "0.1.0", team_name=team)
    stores.steps.begin(run_id, "analyze_thread", Stage.AI_ANALYSIS, {"Thread": {"messages": 2}})
    stores.steps.end(run_id, "analyze_thread", StepStatus.COMPLETED)
    if outcome:
        stores.notes.close(run_id, outcome)
    return run_id


def test_executions_come_in_pages(member: Caller, stores: Stores) -> None:
    """The newest first, each once."""
    ids = [note(stores) for _ in range(5)]
    seen, after = [], ""
    while after is not None:
        page = member("GET", f"/executions?limit=2{after}")
        seen += [each["id"] for each in page["executions"]]
        after = f"&after={page['next']}" if page["next"] else None
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", {"failed"}),
        ("status=running", {"open"}),
        ("thread=C9:9", {"failed"}),
        ("thread=C9:9&status=completed", set()),
        ("project=discubot", {"failed", "open"}),
        ("project=others", set()),
    ],
)
def test_executions_are_searched(member: Caller, stores: Stores, query: str, found: set[str]) -> None:
    """By thread, project and how they ended."""
    ids = {note(stores, RunOutcome.FAILED, thread="C9:9"): "failed", note(stores): "open"}
    assert {ids[each["id"]] for each in member("GET", f"/executions?{query}")["executions"]} == found


def test_a_thread_finds_the_jobs_of_its_discussion(stores: Stores, slack_config: SourceConfig, admin: Caller) -> None:
    """By the id that its source knows it by."""
    parsed, run_id = parsed_of(slack_config), note(stores)
    note(stores)
    stores.discussions.open(parsed, run_id, ())
    stores.notes.stage(run_id, Stage.AI_ANALYSIS, discussion_id=parsed.discussion_id)
    [found] = admin("GET", f"/executions?thread={THREAD}")["executions"]
    assert (found["id"], found["thread"]) == (run_id, THREAD)


def test_an_execution_is_shown_with_its_steps(member: Caller, stores: Stores) -> None:
    """What each was given and what came of it; another team's is not there."""
    run_id = note(stores, RunOutcome.COMPLETED)
    shown = member("GET", f"/executions/{run_id}")
    assert (shown["status"], shown["team"], shown["project"]) == ("completed", "acme", "discubot")
    [step] = shown["steps"]
    assert (step["step"], step["attempts"], step["reasoning"]) == ("analyze_thread", 1, None)
    assert step["duration_ms"] >= 0


def test_another_teams_execution_is_not_there(member: Caller, enter: Enter, stores: Stores, ledger: Ledger) -> None:
    """It is neither shown nor explained, and counts for nothing."""
    run_id = note(stores)
    stranger = enter("strangers")
    for id in (run_id, str(uuid4())):
        stranger("GET", f"/executions/{id}", 404)
        stranger("POST", f"/jobs/{id}/explain", 404)
    assert stranger("GET", "/executions") == {"executions": [], "next": None}
    member("POST", f"/jobs/{run_id}/explain", 202)
    assert stranger("GET", "/explanations/stats")["pending"] == 0


def test_an_explanation_is_asked_for_once(member: Caller, stores: Stores) -> None:
    """By whoever asked first; it then waits, and is counted."""
    run_id = note(stores)
    first = member("POST", f"/jobs/{run_id}/explain", 202)
    assert (first["asked"], first["explanations"][0]["status"]) == (1, "pending")
    assert member("POST", f"/jobs/{run_id}/explain", 202)["asked"] == 0
    figures = member("GET", "/explanations/stats")
    assert (figures["pending"], figures["success_rate"]) == (1, None)


def test_a_job_that_has_not_begun_has_nothing_to_explain(member: Caller, ledger: Ledger, mine: dict[str, str]) -> None:
    """It is known all the same."""
    run_id = ledger.run("QUEUED", **mine)
    assert member("POST", f"/jobs/{run_id}/explain", 202) == {"asked": 0, "explanations": []}


@pytest.mark.parametrize(
    "query",
    ["status=gone", "limit=0", "thread=%00", "project=%00", "after=x", f"after={cursor(['2026-01-01T00:00:00Z', 1])}"],
)
def test_a_wrong_filter_of_executions_is_refused(member: Caller, query: str) -> None:
    """With 422, and a sentence that says what is wrong with it."""
    assert member("GET", f"/executions?{query}", 422)["detail"]
