"""People cancel jobs and go on with what failed, through the API and the command line: the chain tells who did it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.tables import inboxes
from tests.flow.desk import Desk, command
from tests.flow.processes import children, resting
from tests.flow.runs import eventually
from tests.flow.team import Thread, refused
from tests.flow.town import Town

DELETE = "mutation Delete($id: String!) { deletePipelineRun(runId: $id) { __typename } }"
REST = ["create_tasks", "finalize_discussion"]


@pytest.fixture(scope="module")
def retried(town: Town) -> tuple[Thread, Desk, str, str]:
    """Retry what failed: five callers at once."""
    thread, failed = refused(town, "retried", "The tap drips", "@bot fix the tap and buy a bucket")
    desk = Desk.of(thread.team)
    with ThreadPoolExecutor(5) as five:
        path = f"/api/discussions/{thread.discussion_id}/retry"
        token = {"authorization": f"Bearer {desk.token}"}
        send = lambda _: town.receiver.call("POST", path, json={"reason": "new token"}, headers=token)  # noqa: E731
        answers = list(five.map(send, range(5)))
    assert sorted(answer.status_code for answer in answers)[0] == 202
    assert {answer.status_code for answer in answers[1:]} <= {202, 409, 422}
    [made] = {answer.json()["job_id"] for answer in answers if answer.status_code == 202}
    return thread, desk, failed, made


def test_a_failed_discussion_is_gone_on_with_in_one_new_job(retried: tuple[Thread, Desk, str, str], town: Town) -> None:
    """In the same chain, from the step that failed, however many ask for it at once."""
    thread, desk, failed, made = retried
    job = desk.ended(made)
    run = town.run(made)
    assert (job["status"], job["is_retry"], job["root_job_id"]) == ("completed", True, failed)
    assert (run.parent, run.root, sorted(run.steps)) == (failed, failed, REST)
    assert [each.id for each in thread.runs] == [failed, made]
    assert (thread.status, thread.titles) == ("completed", ["Fix the tap", "Buy a bucket"])
    assert [row.status for row in thread.deliveries] == ["done"]


def test_the_chain_tells_who_went_on_and_why(retried: tuple[Thread, Desk, str, str], town: Town) -> None:
    """How many attempts, when, by whom, with what error each; and what Dagster may still do by itself is as much."""
    _, desk, failed, made = retried
    first, second = desk.ended(made)["attempts"]
    assert (first["job_id"], first["status"], first["is_retry"], first["retried_by"]) == (failed, "failed", False, None)
    assert (first["error"]["reason"], first["error"]["stage"]) == ("unauthorized", "task_creation")
    assert "token" in first["error"]["message"]
    assert any("publish" in line for line in first["error"]["stack"])
    assert (second["number"], second["retried_by"], second["retry_reason"]) == (2, "token:anna", "new token")
    assert second["error"] is None
    assert first["finished_at"] <= second["created_at"] <= second["started_at"] <= second["finished_at"]
    assert town.run(made).tags["dagster/max_retries"] == "3"


def test_what_is_done_is_not_retried(retried: tuple[Thread, Desk, str, str]) -> None:
    """Nor is what nobody knows, or what is another team's."""
    thread, desk, _, made = retried
    desk.ended(made)
    eventually(lambda: thread.status == "completed", "the discussion to end")
    desk("POST", f"/discussions/{thread.discussion_id}/retry", 422)
    desk("POST", f"/discussions/{made}/retry", 404)
    desk("POST", f"/jobs/{made}/cancel", 409)
    stranger = Desk.of(thread.team.town.team("outsiders"))
    stranger("POST", f"/discussions/{thread.discussion_id}/retry", 404)
    stranger("POST", f"/jobs/{made}/cancel", 404)
    for part in ("", "/logs", "/progress", "/outcome", "/steps"):
        stranger("GET", f"/jobs/{made}{part}", 404)
    assert stranger("GET", "/jobs")["jobs"] == []


def test_a_partial_discussion_gets_what_is_missing(town: Town) -> None:
    """The last two steps run again, and only the page that is missing is made."""
    team = town.team("partly")
    with town.fault("notion", "POST /pages", "status", status=403, times=1):
        thread = team.thread("The hedge is high", "@bot fix the hedge and update the plan")
        [run] = thread.settled()
    desk = Desk.of(team)
    assert (thread.status, desk.job(run.id)["status"], len(thread.titles)) == ("partial", "partial", 1)
    made = command(town, "retry", str(thread.discussion_id), "--reason", "one is missing")["job_id"]
    job = desk.ended(made)
    assert (job["status"], job["root_job_id"], sorted(town.run(made).steps)) == ("completed", run.id, REST)
    assert job["retried_by"].startswith("cli:")
    assert job["retry_reason"] == "one is missing"
    assert sorted(thread.titles) == ["Fix the hedge", "Update the plan"]
    assert "discubot/outcome" in town.run(run.id).tags
    assert thread.status == "completed"


def test_fresh_reads_the_thread_again_even_when_its_payload_is_gone(town: Town) -> None:
    """All steps of the same chain, with no need of a delivery that has been purged."""
    thread, failed = refused(town, "fresh", "The path is muddy", "@bot pave the path")
    table = inboxes[SourceType.SLACK]
    with town.here.engine.begin() as connection:
        purge = sa.update(table).where(table.c.discussion_id == thread.discussion_id).values(payload=sa.null())
        connection.execute(purge)
    since = town.mark()
    desk = Desk.of(thread.team)
    made = desk("POST", f"/discussions/{thread.discussion_id}/retry", 202, {"fresh": True})["job_id"]
    assert (desk.ended(made)["status"], len(town.run(made).steps), town.run(made).root) == ("completed", 6, failed)
    assert "/conversations.replies" in thread.team.slack_calls(since)
    assert thread.titles == ["Pave the path"]


def test_a_discussion_outlives_its_jobs(town: Town) -> None:
    """When they have been removed a retry begins a chain of its own, for the same discussion."""
    thread, failed = refused(town, "old", "The fence leans", "@bot mend the fence")
    town.web.ask(DELETE, id=failed)
    made = Desk.of(thread.team)("POST", f"/discussions/{thread.discussion_id}/retry", 202)["job_id"]
    job = Desk.of(thread.team).ended(made)
    assert (job["status"], job["root_job_id"], len(job["attempts"])) == ("completed", made, 1)
    assert job["discussion_id"] == str(thread.discussion_id)
    assert (thread.status, thread.titles) == ("completed", ["Mend the fence"])


def test_a_running_job_is_cancelled_and_gone_on_with(town: Town) -> None:
    """The discussion ends cancelled with who did it; a retry reads the thread as if nothing had been."""
    team = town.team("halted")
    desk = Desk.of(team, "ben")
    with town.fault("slack", "conversations.replies", "slow", seconds=15) as slow:
        thread = team.thread("The shed is full", "@bot clear the shed")
        slow.strikes()
        [run] = thread.runs
        assert desk("POST", f"/jobs/{run.id}/cancel", 202, {"reason": "not now"}) == {"job_id": run.id}
        job = desk.ended(run.id)
    assert (job["status"], job["cancelled_by"]) == ("cancelled", "token:ben")
    eventually(lambda: thread.status == "cancelled", "the discussion to be closed")
    [delivery] = thread.deliveries
    assert (delivery.status, delivery.reason) == ("failed", "cancelled")
    made = command(town, "retry", run.id)["job_id"]
    assert desk.ended(made)["status"] == "completed"
    assert (thread.status, thread.titles) == ("completed", ["Clear the shed"])
    assert "already" in command(town, "cancel", made, status=1)


def test_a_queued_job_is_cancelled_before_it_begins(town: Town) -> None:
    """The discussion that it was for ends cancelled, and can be gone on with."""
    thread, _ = refused(town, "queued", "The clock is late", "@bot wind the clock")
    desk = Desk.of(thread.team)
    with resting(*children(town, "defs.daemon")):
        made = desk("POST", f"/discussions/{thread.discussion_id}/retry", 202)["job_id"]
        assert desk.job(made)["status"] == "pending"
        assert desk("GET", "/jobs?status=pending")["jobs"][0]["job_id"] == made
        desk("POST", f"/discussions/{thread.discussion_id}/retry", 409)
        desk("POST", f"/jobs/{made}/cancel", 202)
    job = desk.ended(made)
    assert (job["status"], job["started_at"], job["cancelled_by"]) == ("cancelled", None, "token:anna")
    eventually(lambda: thread.status == "cancelled", "the discussion to be closed")
    again = desk("POST", f"/discussions/{thread.discussion_id}/retry", 202)["job_id"]
    job = desk.ended(again)
    assert [each["status"] for each in job["attempts"]] == ["failed", "cancelled", "completed"]
    assert (sorted(town.run(again).steps), thread.titles) == (REST, ["Wind the clock"])
