"""The run queue: no team has more runs at work than it may, and what is urgent overtakes what waits."""

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.store.tables import source_configs
from tests.flow.runs import Run, eventually
from tests.flow.team import Team, Thread
from tests.flow.town import TEAM_RUNS, Town

LONG = 150.0
pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
AT_WORK = ("STARTING", "STARTED")


@dataclass(frozen=True)
class Rush:
    """More threads of one team than it may have runs: at work, waiting, one urgent, one cancelled in the queue."""

    first: list[Thread]
    waiting: list[Thread]
    cancelled: Thread
    urgent: Thread
    most: int
    other: Run


def prefer(team: Team, **preferences: Any) -> None:
    """Let the team's source choose something."""
    mine = sa.update(source_configs).where(source_configs.c.id == team.config.id)
    with team.town.here.engine.begin() as connection:
        connection.execute(mine.values(preferences=preferences))


def queued(thread: Thread) -> Run:
    """Wait until a thread's run is in the queue; gives it."""
    return eventually(lambda: next((run for run in thread.runs if run.status == "QUEUED"), None), "a run in the queue")


@pytest.fixture(scope="module")
def rush(town: Town) -> Rush:
    """Let Notion hold the first runs of a team up while others wait behind them."""
    team = town.team("rush")
    with town.fault("notion", team.resolving, "slow", seconds=60, times=None) as hold:
        first = [team.thread(f"Case {number}", f"@bot open case {number}") for number in range(TEAM_RUNS)]
        hold.strikes(TEAM_RUNS)
        waiting = [team.thread(f"Claim {number}", f"@bot open claim {number}") for number in range(TEAM_RUNS)]
        cancelled = team.thread("Case 9", "@bot open case 9")
        unwanted = queued(cancelled)
        for thread in waiting:
            queued(thread)
        prefer(team, priority="urgent")
        urgent = team.thread("Fire", "@bot call the brigade")
        queued(urgent)
        [other] = town.team("calm").thread("The tap drips", "@bot mend the tap").settled()
        most = sum(run.status in AT_WORK for thread in (*first, *waiting, cancelled, urgent) for run in thread.runs)
        assert town.web.cancel(unwanted.id)
    for thread in (*first, *waiting, urgent):
        thread.settled(timeout=LONG)
    return Rush(first, waiting, cancelled, urgent, most, other)


def test_a_team_has_no_more_runs_at_work_than_it_may(rush: Rush) -> None:
    """The others wait in the queue, and another team does not wait behind them."""
    assert rush.most == TEAM_RUNS
    assert (rush.other.status, rush.other.tags["discubot/outcome"]) == ("SUCCESS", "completed")


def test_what_is_urgent_overtakes_what_waits(rush: Rush, town: Town) -> None:
    """It came last, and what had waited longer fills all places that it left: the last of that began after it."""
    [urgent], waiting = rush.urgent.runs, [run for thread in rush.waiting for run in thread.runs]
    assert (urgent.tags["dagster/priority"], ["dagster/priority" in run.tags for run in waiting]) == (
        "2",
        [False, False],
    )
    began, *others = [
        run.started_at or 0 for id in (urgent.id, *(each.id for each in waiting)) if (run := town.web.run(id))
    ]
    assert began < max(others)
    assert {thread.status for thread in (*rush.first, *rush.waiting, rush.urgent)} == {"completed"}


def test_a_run_that_is_cancelled_in_the_queue_has_never_begun(rush: Rush, town: Town) -> None:
    """Its delivery is closed at once, nothing is posted, and a later mention works."""
    [run] = rush.cancelled.settled()
    assert (run.status, run.steps) == ("CANCELED", {})
    kinds = {event["__typename"] for event in town.events(run.id)}
    assert ("RunCanceledEvent" in kinds, "RunStartEvent" in kinds) == (True, False)
    [delivery] = rush.cancelled.deliveries
    assert (delivery.status, delivery.reason) == ("failed", "cancelled")
    assert rush.cancelled.replies == []
    rush.cancelled.say("@bot open case 9 after all")
    assert rush.cancelled.settled(2)[-1].status == "SUCCESS"
