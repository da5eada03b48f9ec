"""Steps of a finished job are explained: by one run of Dagster, for the API and the command line alike."""

import pytest

from discubot_pipeline.admin.teams import change
from discubot_pipeline.domain.changes import TeamChange
from discubot_pipeline.domain.job import STAGE_OF
from tests.flow.desk import Desk, command
from tests.flow.runs import eventually
from tests.flow.team import Thread
from tests.flow.town import Town


@pytest.fixture(scope="module")
def done(town: Town) -> tuple[Desk, Thread]:
    """Let a job end that nobody wants explained yet."""
    team = town.team("curious")
    thread = team.thread("The kite is torn", "@bot mend the kite")
    thread.settled()
    return Desk.of(team), thread


def explained(desk: Desk, job_id: str, expected: set[str]) -> dict[str, str]:
    """Wait for the explanations of the steps of a job."""

    def probe() -> dict[str, str] | None:
        steps = {step["step"]: step["reasoning"] for step in desk("GET", f"/jobs/{job_id}/steps")["steps"]}
        return steps if set(steps) == expected and all(steps.values()) else None

    return eventually(probe, f"job {job_id} to be explained")


def test_what_is_asked_for_is_explained_once(done: tuple[Desk, Thread], town: Town) -> None:
    """All six steps by one run, each by its own evidence; the command line shows the same."""
    desk, thread = done
    [run] = thread.runs
    assert all(step["reasoning"] is None for step in desk("GET", f"/jobs/{run.id}/steps")["steps"])
    before = {each.id for each in town.runs(pipelineName="explanation_job")}
    assert desk("POST", f"/jobs/{run.id}/explain", 202)["asked"] == len(STAGE_OF)
    told = explained(desk, run.id, set(STAGE_OF))
    assert len(set(told.values())) == len(told)
    assert thread.team.pages[0]["url"] in told["create_tasks"]
    assert {step["step"]: step["reasoning"] for step in command(town, "show", run.id, "--steps")["steps"]} == told
    again = command(town, "explain", run.id)
    assert again["asked"] == 0
    assert {(each["status"], each["attempts"], each["author"]) for each in again["explanations"]} == {
        ("completed", 1, "offline")
    }
    [wrote] = [each for each in town.runs(pipelineName="explanation_job") if each.id not in before]
    assert town.finished(wrote.id).status == "SUCCESS"
    figures = desk("GET", "/explanations/stats")
    assert (figures["completed"], figures["pending"], figures["success_rate"]) == (len(STAGE_OF), 0, 1)


def test_a_team_that_wants_it_need_not_ask(town: Town) -> None:
    """Its steps are explained when they have ended, those of a failed job too."""
    team = town.team("thorough")
    change(town.here.stores, team.row, TeamChange(preferences={"explain": True}), team.row.version, "test")
    with town.fault("notion", team.resolving, "status", status=401, times=None):
        [run] = team.thread("The swing is loose", "@bot fix the swing").settled()
    desk = Desk.of(team)
    told = explained(desk, run.id, set(STAGE_OF) - {"finalize_discussion"})
    assert "unauthorized" in told["create_tasks"]
    execution = desk("GET", f"/executions/{run.id}")
    assert {step["step"]: step["reasoning"] for step in execution["steps"]} == told
