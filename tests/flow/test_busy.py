"""One run at a time works on a thread: what comes meanwhile waits, and nothing happens twice."""

from dataclasses import dataclass

import pytest

from discubot_pipeline.domain.delivery import SourceType
from tests.cli.commands import Shell
from tests.flow.runs import Run, eventually
from tests.flow.team import Posted, Thread
from tests.flow.town import Town

DRY_RUN = """
mutation Test($sensor: SensorSelector!) {
  sensorDryRun(selectorData: $sensor, cursor: "") {
    __typename
    ... on DryRunInstigationTick { evaluationResult { skipReason runRequests { runKey } error { message } } }
  }
}"""
HELD = 12


@dataclass(frozen=True)
class Crowd:
    """A thread at work, held up by Slack; a second mention, a person's launch and a test of the sensor meanwhile."""

    thread: Thread
    second: Posted
    launched: Run
    tested: dict[str, str]
    status_at_test: str
    held: bool


@pytest.fixture(scope="module")
def crowd(town: Town) -> Crowd:
    """Hold a run up while it reads its thread, and come with more."""
    with town.fault("slack", "conversations.replies", "slow", seconds=HELD) as slow:
        thread = town.team("crowd").thread("The tap drips", "@bot mend the tap")
        slow.strikes()
        launched = town.launch(discussion_id=str(thread.discussion_id))
        second = thread.say("@bot buy a bucket")
        tested = {sensor: dry_run(town, sensor) for sensor in ("slack_inbox", "generic_inbox", "unfinished_work")}
        status = eventually(lambda: thread.deliveries[1:], "the second mention to arrive")[0].status
        ended = town.finished(launched)
        held = thread.status == "processing"
    return Crowd(thread, second, ended, tested, status, held)


def dry_run(town: Town, sensor: str) -> str:
    """Press "Test sensor" in the UI; gives what it says."""
    selector = {"repositoryLocationName": "discubot", "repositoryName": "__repository__", "sensorName": sensor}
    result = town.web.ask(DRY_RUN, sensor=selector)["sensorDryRun"]["evaluationResult"]
    assert result["error"] is None
    assert not result["runRequests"]
    return str(result["skipReason"])


def test_testing_a_sensor_takes_nothing(crowd: Crowd) -> None:
    """It says at once what is due, and leaves it where it is; an empty inbox is not waited for."""
    assert crowd.held
    assert crowd.tested == {
        "slack_inbox": f"A test takes nothing. Due: {crowd.thread.id}.",
        "generic_inbox": "A test takes nothing. Due: nothing.",
        "unfinished_work": "A test closes nothing.",
    }
    assert crowd.status_at_test == "pending"


def test_a_second_run_on_the_same_thread_ends_green_as_busy(crowd: Crowd) -> None:
    """While the first one was at work, the launched one gave way."""
    assert (crowd.launched.status, crowd.launched.tags["discubot/outcome"]) == ("SUCCESS", "ignored")
    assert crowd.launched.tags["discubot/reason"] == "busy"


def test_what_came_meanwhile_is_done_afterwards_and_nothing_twice(crowd: Crowd) -> None:
    """All deliveries end done: one page a task, and only one answer speaks of new ones."""
    runs = crowd.thread.settled(3)
    assert {run.status for run in runs} == {"SUCCESS"}
    assert [row.status for row in crowd.thread.deliveries] == ["done"] * 3
    assert sorted(crowd.thread.titles) == ["Buy a bucket", "Mend the tap"]
    first, *others = crowd.thread.replies
    assert first.startswith("✅ 2 tasks created in Notion\n")
    assert all(reply.startswith("✅ Nothing new") for reply in others)
    assert len(others) == sum(run.tags["discubot/outcome"] == "completed" for run in runs) - 1
    assert "white_check_mark" in crowd.thread.reactions(crowd.second)


def test_all_sensors_and_schedules_run(town: Town) -> None:
    """Nobody has to switch anything on."""
    selector = {"repositoryLocationName": "discubot", "repositoryName": "__repository__"}
    query = """query States($repository: RepositorySelector!) { repositoryOrError(repositorySelector: $repository) {
      ... on Repository { sensors { name sensorState { status } } schedules { name scheduleState { status } } } } }"""
    found = town.web.ask(query, repository=selector)["repositoryOrError"]
    assert {each["name"]: each["sensorState"]["status"] for each in found["sensors"]} == dict.fromkeys(
        (
            *(f"{source}_inbox" for source in (*SourceType, "operations")),
            *("failed_runs", "cancelled_runs", "unfinished_work", "waiting_explanations", "ends_to_tell"),
        ),
        "RUNNING",
    )
    assert [each["scheduleState"]["status"] for each in found["schedules"]] == ["RUNNING"] * 2


def test_doctor_finds_nothing_wrong(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a system that runs our code is loaded, the daemons are alive, and a team's credentials work."""
    town.team("healthy")
    for name, value in town.system.exports().items():
        monkeypatch.setenv(name, value)
    states = {line["name"]: line["state"] for line in Shell().json("doctor", "--team", "healthy")}
    assert set(states.values()) == {"passed"}
    assert {"dagster", "daemon", "migrations", "scopes", "database", "key property"} <= states.keys()
