"""A person runs a job again, from its failed step or whole: through the same GraphQL call as the UI's button."""

import shutil
from dataclasses import dataclass

import pytest

from tests.flow.runs import Run
from tests.flow.team import Thread
from tests.flow.town import Town

SKIPPED = ("validate_discussion", "load_config", "build_thread", "analyze_thread")


@dataclass(frozen=True)
class Rescue:
    """A thread whose job failed while Notion was down, and the run that went on with it."""

    thread: Thread
    parent: Run
    child: Run
    since: int


@pytest.fixture(scope="module")
def rescue(town: Town) -> Rescue:
    """Take Notion down, let a job fail, bring Notion up, forget the local files, go on from the failed step."""
    with town.outage("notion"):
        thread = town.team("rescue").thread("The roof leaks", "@bot mend the roof and buy buckets")
        [parent] = thread.settled()
    shutil.rmtree(town.system.home / "storage", ignore_errors=True)
    since = town.mark()
    child = town.finished(town.web.reexecute(parent.id))
    return Rescue(thread, parent, child, since)


def test_an_outage_fails_the_job_after_three_tries(rescue: Rescue) -> None:
    """Notion was asked again twice before the job gave up."""
    assert (rescue.parent.status, rescue.parent.attempts["create_tasks"]) == ("FAILURE", 3)


def test_the_new_run_goes_on_from_the_failed_step(rescue: Rescue, town: Town) -> None:
    """It names its parent, runs the last two steps only, and needs no local file for it."""
    assert (rescue.child.status, rescue.child.parent, rescue.child.root) == (
        "SUCCESS",
        rescue.parent.id,
        rescue.parent.id,
    )
    assert rescue.child.steps == {"create_tasks": "SUCCESS", "finalize_discussion": "SUCCESS"}
    assert set(town.step_records(rescue.child.id)) == set(rescue.child.steps)
    assert rescue.child.tags["discubot/outcome"] == "completed"


def test_the_skipped_steps_call_nobody(rescue: Rescue) -> None:
    """Slack hears only the answer and ✅ of the new run."""
    assert rescue.thread.team.slack_calls(rescue.since) == ["/chat.postMessage", "/reactions.add"]


def test_what_failed_ends_completed(rescue: Rescue, town: Town) -> None:
    """Pages, answer, ✅ and all rows are as if nothing had happened, but for what was said of the failure."""
    thread = rescue.thread
    assert thread.titles == ["Mend the roof", "Buy buckets"]
    assert [reply[0] for reply in thread.replies] == ["❌", "✅"]
    assert thread.replies[1].startswith("✅ 2 tasks created in Notion\n")
    assert "white_check_mark" in thread.reactions(thread.said[-1])
    discussion = thread.discussion
    assert discussion is not None
    assert (discussion.status, discussion.reason, discussion.run_id) == ("completed", None, rescue.child.id)
    [delivery] = thread.deliveries
    assert (delivery.status, delivery.reason, delivery.run_id) == ("done", None, rescue.child.id)
    note = town.here.stores.notes.get(rescue.child.id)
    assert note is not None
    assert (note.outcome, note.root_run_id, note.trigger) == ("completed", rescue.parent.id, "retry")


def test_running_all_steps_again_makes_nothing_twice(rescue: Rescue, town: Town) -> None:
    """A finished job can be run again whole: green, with no second page and no second answer."""
    again = town.finished(town.web.reexecute(rescue.child.id, from_failure=False))
    assert (again.status, again.root) == ("SUCCESS", rescue.parent.id)
    assert set(again.steps) == {*SKIPPED, "create_tasks", "finalize_discussion"}
    assert rescue.thread.titles == ["Mend the roof", "Buy buckets"]
    assert len(rescue.thread.replies) == 2
    assert rescue.thread.status == "completed"
    assert [row.status for row in rescue.thread.deliveries] == ["done"]
