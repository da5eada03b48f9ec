"""Jobs walk through every status that there is: the API is asked and heard, Dagster's GraphQL says what is true."""

import os
import signal

import pytest

from tests.flow.desk import Desk
from tests.flow.processes import children, resting, workers
from tests.flow.runs import Run, eventually
from tests.flow.team import Thread, refused
from tests.flow.town import Town
from tests.flow.witness import Witness, check

RETRIED = 180.0
pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


def test_a_job_waits_works_is_held_up_and_is_completed(town: Town) -> None:
    """Slack is busy for a second in the middle of it."""
    team = town.team("walker")
    with Witness(team).watching() as witness:
        with town.fault("slack", "conversations.replies", "ratelimit", retry_after=1) as hiccup:
            thread = team.thread("The stair creaks", "@bot oil the stair")
            hiccup.strikes()
        [run] = thread.settled()
        walked = check(witness, town, run)
    assert walked == ["pending", "processing", "processing", "delayed", "processing", "completed"]


def test_a_job_fails(town: Town) -> None:
    """Notion refuses the token."""
    team = town.team("stumbler")
    with Witness(team).watching() as witness, town.fault("notion", team.resolving, "status", status=401, times=None):
        [run] = team.thread("The stair is steep", "@bot fix the stair").settled()
        assert check(witness, town, run)[-1] == "failed"


def test_a_job_is_put_off(town: Town) -> None:
    """Notion wants a minute; another job goes on then."""
    team = town.team("dawdler")
    with Witness(team).watching() as witness:
        with town.fault("notion", team.resolving, "ratelimit", retry_after=60, times=None):
            thread = team.thread("The stair is red", "@bot paint the stair")
            thread.waits()
            [run] = thread.runs
            assert check(witness, town, run)[-1] == "delayed"


def test_a_chain_of_three(town: Town) -> None:
    """Two processes are killed; the third job ends it, and the chain tells all three."""
    team = town.team("climber")
    with Witness(team).watching() as witness:
        with town.fault("slack", "conversations.replies", "slow", seconds=30, times=2) as slow:
            thread = team.thread("The ladder is short", "@bot buy a ladder")
            for number in (1, 2):
                slow.strikes(number)
                os.kill(town.process(newest(thread).id), signal.SIGKILL)
        runs = thread.settled(3, RETRIED)
        walked = [check(witness, town, run) for run in runs]
    assert [each[-1] for each in walked] == ["delayed", "delayed", "completed"]
    assert [run.parent for run in runs] == [None, runs[0].id, runs[1].id]
    attempts = Desk.of(team, "carl").job(runs[0].id)["attempts"]
    assert [(each["job_id"], each["status"]) for each in attempts] == [
        (run.id, status) for run, status in zip(runs, ("failed", "failed", "completed"), strict=True)
    ]


def test_a_job_is_cancelled_while_it_waits_in_the_queue(town: Town) -> None:
    """It goes on with what failed, and the daemon that would begin it stands still."""
    thread, _ = refused(town, "turner", "The queue is long", "@bot shorten the queue")
    with Witness(thread.team).watching() as witness:
        with resting(*children(town, "defs.daemon")):
            cancel(thread, made := again(thread))
        assert check(witness, town, town.finished(made)) == ["pending", "cancelled"]


def test_a_job_is_cancelled_while_it_is_about_to_begin(town: Town) -> None:
    """All processes that it could begin in stand still: it never begins."""
    thread, _ = refused(town, "starter", "The door is shut", "@bot open the door")
    with Witness(thread.team).watching() as witness:
        with resting(*workers(town)):
            made = again(thread)
            eventually(lambda: town.run(made).status == "STARTING", "the run to be handed over")
            cancel(thread, made)
        assert check(witness, town, town.finished(made)) == ["pending", "processing", "cancelled"]
    assert thread.titles == []


def test_a_job_is_cancelled_while_it_works(town: Town) -> None:
    """Slack lets it wait for its answer."""
    team = town.team("stopper")
    with Witness(team).watching() as witness:
        with town.fault("slack", "conversations.replies", "slow", seconds=15) as slow:
            thread = team.thread("The bell is loud", "@bot muffle the bell")
            slow.strikes()
            [run] = thread.runs
            cancel(thread, run.id)
            run = town.finished(run.id)
        assert check(witness, town, run) == ["pending", "processing", "processing", "cancelled"]


def test_a_job_is_cancelled_while_it_waits_for_another_try(town: Town) -> None:
    """Slack is busy, and the op that asked it waits: the wait itself is not interrupted."""
    team = town.team("waiter")
    with Witness(team).watching() as witness:
        with town.fault("slack", "conversations.replies", "ratelimit", retry_after=8, times=None):
            thread = team.thread("The bell is rusty", "@bot polish the bell")
            [run] = eventually(lambda: [each for each in thread.runs if each.status == "STARTED"], "a run at work")
            eventually(lambda: Desk.of(team, "eve").job(run.id)["status"] == "delayed", "the job to be delayed")
            cancel(thread, run.id)
            run = town.finished(run.id)
        walked = check(witness, town, run)
    assert walked == ["pending", "processing", "processing", "delayed", "processing", "cancelled"]


def again(thread: Thread) -> str:
    """Go on with a discussion; gives the new job's id."""
    return str(Desk.of(thread.team, "fay")("POST", f"/discussions/{thread.discussion_id}/retry", 202)["job_id"])


def cancel(thread: Thread, job_id: str) -> None:
    """Cancel a job through the API."""
    assert Desk.of(thread.team, "gil")("POST", f"/jobs/{job_id}/cancel", 202) == {"job_id": job_id}


def newest(thread: Thread) -> Run:
    """Give the run of a thread that has a process."""
    return eventually(lambda: next((run for run in thread.runs if run.status == "STARTED"), None), "a run at work")
