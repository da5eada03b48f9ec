"""A run's process is killed in the middle of making pages: the run after it finds what was made and goes on."""

import os
import signal

import pytest

from tests.flow.runs import Run
from tests.flow.team import Thread
from tests.flow.town import Town


@pytest.fixture(scope="module")
def crashed(town: Town) -> tuple[Thread, list[Run]]:
    """Kill a run when Notion has made the first of two pages and has not answered yet."""
    with town.fault("notion", "POST /pages", "drop_after", seconds=30) as silence:
        thread = town.team("crashed").thread("The wall is wet", "@bot fix the roof and update the plan")
        silence.strikes()
        [run] = thread.runs
        os.kill(town.process(run.id), signal.SIGKILL)
    return thread, thread.settled(2)


def test_a_killed_run_is_retried_from_its_failed_step(crashed: tuple[Thread, list[Run]]) -> None:
    """Dagster sees that the process is gone and starts a second run for the rest."""
    _, (killed, retry) = crashed
    assert (killed.status, killed.tags["dagster/will_retry"]) == ("FAILURE", "true")
    assert (retry.status, retry.parent, retry.root) == ("SUCCESS", killed.id, killed.id)
    assert set(retry.steps) == {"create_tasks", "finalize_discussion"}
    assert retry.tags["discubot/outcome"] == "completed"


def test_each_task_has_exactly_one_page(crashed: tuple[Thread, list[Run]]) -> None:
    """The page that the dead run made is found, the other one is made."""
    thread, _ = crashed
    assert sorted(thread.titles) == ["Fix the roof", "Update the plan"]


def test_nobody_is_told_of_the_crash(crashed: tuple[Thread, list[Run]]) -> None:
    """All ends as it would have: completed, ✅, one answer that tells of both tasks."""
    thread, (_, retry) = crashed
    assert thread.status == "completed"
    assert [(row.status, row.run_id) for row in thread.deliveries] == [("done", retry.id)]
    [reply] = thread.replies
    assert reply.startswith("✅ 2 tasks created in Notion\n")
    assert thread.reactions(thread.said[-1]) == {"eyes", "white_check_mark"}
