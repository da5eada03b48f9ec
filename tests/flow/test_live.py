"""Jobs are heard while they happen, with what Dagster does to them by itself."""

import statistics
import time
from datetime import datetime
from typing import Any

from discubot_pipeline.domain.job import STAGE_OF
from discubot_pipeline.domain.news import ENDS
from tests.flow.desk import Desk, command
from tests.flow.team import Team
from tests.flow.town import Town
from tests.web.sse import Client, Said

DELAY = 1.0
"""Seconds within which what happens is to be heard."""


def listener(team: Team) -> Client:
    """Give a member of a team who listens."""
    return Client(team.town.here.settings.receiver_url, Desk.of(team).token)


def test_a_job_is_heard_from_the_mention_to_its_end(town: Town) -> None:
    """In the order in which Dagster tells it, and soon; on the command line and by the job's own stream the same."""
    team = town.team("ears")
    client = listener(team)
    news: list[tuple[float, Said]] = []
    with client.listening("/events") as said:
        thread = team.thread("The landing page looks tired", "@bot fix the header and update the footer")
        for each in said:
            news += [(time.time(), each)] if each.kind != "comment" else []
            if each.kind in ENDS:
                break
    [run] = thread.settled()
    told = [each for _, each in news]
    assert (told[-1].kind, told[-1].data["job_id"], told[-1].data["percent"]) == ("completed", run.id, 100)
    assert told[-1].data["summary"].startswith("2 tasks found")
    stages = [(each.data["stage"], each.data["state"]) for each in told if each.kind == "stage"]
    assert stages == by_dagster(town.events(run.id))
    assert [each.data["status"] for each in told if each.kind == "status"] == ["pending", "processing", "processing"]
    percents = [each.data["percent"] for each in told if each.kind == "progress"]
    assert percents and percents == sorted(percents)
    delays = [
        at - datetime.fromisoformat(each.data["created_at"]).timestamp() for at, each in news if each.kind == "log"
    ]
    assert statistics.median(delays) < DELAY
    kept = [each for each in told if each.kind != "progress"]
    assert client.all_of(f"/jobs/{run.id}/events") == kept
    watched = command(town, "watch", run.id)
    assert [each.pop("event") for each in watched] == [each.kind for each in kept]
    assert watched == [each.data for each in kept]


def by_dagster(events: list[Any]) -> list[tuple[str, str]]:
    """List how the stages went, by GraphQL's word."""
    states = {"STEP_START": "running", "STEP_SUCCESS": "completed"}
    return [
        (STAGE_OF[event["stepKey"]], states[event["eventType"]]) for event in events if event.get("eventType") in states
    ]


def test_a_cancellation_in_dagsters_ui_is_heard(town: Town) -> None:
    """Once, within a second of Dagster's own word."""
    team = town.team("deaf")
    with (
        listener(team).listening("/events") as said,
        town.fault("slack", "conversations.replies", "slow", seconds=10) as slow,
    ):
        thread = team.thread("The radio is loud", "@bot turn it down")
        slow.strikes()
        [run] = thread.runs
        assert town.web.cancel(run.id)
        end = next(each for each in said if each.kind in ENDS)
        delay = time.time() - datetime.fromisoformat(end.data["finished_at"]).timestamp()
    assert (end.kind, end.data["job_id"]) == ("cancelled", run.id)
    assert delay < DELAY
