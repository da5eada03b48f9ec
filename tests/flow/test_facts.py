"""The API, the command line and Dagster's GraphQL tell the same of the same jobs."""

from datetime import datetime
from typing import Any

import pytest

from tests.flow.desk import Desk, command
from tests.flow.runs import eventually
from tests.flow.team import Thread
from tests.flow.town import Town

STATUSES = {"SUCCESS": "completed", "FAILURE": "failed", "CANCELED": "cancelled"}
ORACLE = """
query Oracle($id: ID!) {
  runOrError(runId: $id) { ... on Run {
    runId status pipelineName parentRunId rootRunId creationTime startTime endTime tags { key value }
    stepStats { stepKey status attempts { startTime } }
  } }
  logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events {
    __typename ... on MessageEvent { message timestamp stepKey eventType }
    ... on ExecutionStepFailureEvent { error { cause { message stack } } failureMetadata { description } }
  } } }
}"""
STARTS = "STEP_START"


@pytest.fixture(scope="module")
def told(town: Town) -> tuple[Desk, list[Thread]]:
    """Let one job fail and another complete."""
    team = town.team("facts")
    with town.fault("notion", team.resolving, "status", status=401, times=None):
        failed = team.thread("The pond is green", "@bot clean the pond")
        failed.settled()
    done = team.thread("The lawn is long", "@bot mow the lawn")
    done.settled()
    return Desk.of(team), [failed, done]


def oracle(town: Town, run_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ask Dagster's web server about a run."""
    answer = town.web.ask(ORACLE, id=run_id)
    return answer["runOrError"], answer["logsForRun"]["events"]


def test_a_job_is_told_alike(town: Town, told: tuple[Desk, list[Thread]]) -> None:
    """Name, status, times, family, steps and tags; word for word between the API and the command line."""
    desk, threads = told
    for thread in threads:
        [run] = thread.runs
        job, (truth, _) = desk.job(run.id), oracle(town, run.id)
        assert (job["job_id"], job["job_name"]) == (truth["runId"], truth["pipelineName"])
        assert (job["status"], job["root_job_id"]) == (STATUSES[truth["status"]], truth["rootRunId"] or truth["runId"])
        for ours, theirs in (("created_at", "creationTime"), ("started_at", "startTime"), ("finished_at", "endTime")):
            assert datetime.fromisoformat(job[ours]).timestamp() == pytest.approx(truth[theirs], abs=0.001)
        assert job["created_at"] <= job["started_at"] <= job["finished_at"]
        assert job["tags"] == {tag["key"]: tag["value"] for tag in truth["tags"] if not tag["key"].startswith(".")}
        assert command(town, "show", run.id) == job
        steps = {step["step"]: step["attempts"] for step in desk("GET", f"/jobs/{run.id}/steps")["steps"]}
        assert steps == {step["stepKey"]: len(step["attempts"]) for step in truth["stepStats"] if step["attempts"]}


def test_what_went_wrong_is_told_alike(town: Town, told: tuple[Desk, list[Thread]]) -> None:
    """The words and the stack of the step that failed."""
    desk, (thread, _) = told
    [run] = thread.runs
    [failure] = [event for event in oracle(town, run.id)[1] if event["__typename"] == "ExecutionStepFailureEvent"]
    error = desk.job(run.id)["error"]
    assert error["message"] == failure["failureMetadata"]["description"]
    assert error["stack"] == failure["error"]["cause"]["stack"]
    assert (error["reason"], error["stage"]) == ("unauthorized", "task_creation")


def test_a_log_is_told_alike(town: Town, told: tuple[Desk, list[Thread]]) -> None:
    """Every event of Dagster's is a line, in its order and at its time: in the API's pages and on the command line."""
    desk, (_, thread) = told
    [run] = thread.runs
    eventually(lambda: desk.job(run.id)["status"] == "completed", "the job to end")
    lines, after = [], ""
    while after is not None:
        page = desk("GET", f"/jobs/{run.id}/logs?level=debug&limit=7{after}")
        lines += page["logs"]
        after = f"&after={page['next']}" if page["next"] else None
    truth = oracle(town, run.id)[1]
    assert len(lines) == len(truth)
    times = [round(datetime.fromisoformat(line["created_at"]).timestamp() * 1000) for line in lines]
    assert times == pytest.approx([int(event["timestamp"]) for event in truth], abs=1)
    starts = [event["stepKey"] for event in truth if event["eventType"] == STARTS]
    assert [line["context"]["step"] for line in lines if line["context"].get("event") == STARTS] == starts
    assert command(town, "logs", run.id, "--level", "debug") == lines


def test_lists_progress_and_outcome_agree(town: Town, told: tuple[Desk, list[Thread]]) -> None:
    """A job in a list is the job by itself, the newest first; the command line lists the same."""
    desk, threads = told
    listed = desk("GET", "/jobs")["jobs"]
    assert [job["job_id"] for job in listed] == [thread.runs[0].id for thread in reversed(threads)]
    assert command(town, "list", "--team", "facts") == listed
    assert [job["status"] for job in command(town, "list", "--team", "facts", "--status", "failed")] == ["failed"]
    for job in listed:
        details = desk.job(job["job_id"])
        assert job == {name: details[name] for name in job}
        progress = desk("GET", f"/jobs/{job['job_id']}/progress")
        assert progress == progress | {name: job[name] for name in set(job) & set(progress)}
        outcome = desk("GET", f"/jobs/{job['job_id']}/outcome")
        assert outcome == outcome | {name: details["result"][name] for name in ("summary", "duration_ms", "counters")}
        assert (outcome["status"], outcome["finished_at"]) == (job["status"], job["finished_at"])
    done = desk.job(listed[0]["job_id"])
    assert [task["title"] for task in done["tasks"]] == ["Mow the lawn"]
    assert done["delivery_ids"] == [row.id for row in threads[1].deliveries]
    assert done["links"]["thread"] == threads[1].url
    assert done["discussion_id"] == str(threads[1].discussion_id)
