"""A person cancels a running job through GraphQL, as the UI's button does."""

import pytest

from tests.flow.runs import Run, eventually
from tests.flow.team import Thread
from tests.flow.town import Town


@pytest.fixture(scope="module")
def cancelled(town: Town) -> tuple[Thread, Run]:
    """Cancel a run while Slack lets it wait."""
    with town.fault("slack", "conversations.replies", "slow", seconds=10) as slow:
        thread = town.team("cancelled").thread("The lamp is broken", "@bot replace the lamp")
        slow.strikes()
        [run] = thread.runs
        assert town.web.cancel(run.id)
        run = town.finished(run.id)
    return thread, run


def test_a_cancelled_job_ends_without_a_word(cancelled: tuple[Thread, Run], town: Town) -> None:
    """Run, discussion and delivery are cancelled; no ❌ and no answer is posted, and nothing is retried."""
    thread, run = cancelled
    assert run.status == "CANCELED"
    [again] = thread.settled()
    assert again.id == run.id
    [delivery] = thread.deliveries
    assert (delivery.status, delivery.reason) == ("failed", "cancelled")
    eventually(lambda: thread.status != "processing", "the discussion to be closed")
    discussion = thread.discussion
    assert discussion is not None
    assert (discussion.status, discussion.reason, discussion.active_run_id) == ("cancelled", "cancelled", None)
    note = town.here.stores.notes.get(run.id)
    assert note is not None
    assert (note.outcome, note.summary) == ("cancelled", "Cancelled.")
    assert (note.progress.percent, note.progress.steps["thread_building"]) == (33, "cancelled")
    assert thread.replies == []
    assert thread.reactions(thread.said[-1]) == {"eyes"}
    assert thread.titles == []


def test_a_later_mention_works_as_ever(cancelled: tuple[Thread, Run]) -> None:
    """A cancelled discussion is free for whoever asks next."""
    thread, _ = cancelled
    thread.settled()
    thread.say("@bot buy a lamp")
    thread.settled(2)
    assert thread.status == "completed"
    assert "Buy a lamp" in thread.titles
    assert len(thread.titles) == len(set(thread.titles))


def test_a_job_that_waits_for_another_try_is_cancelled(town: Town) -> None:
    """The wait itself cannot be interrupted, and it is short; then the job is over, without another try."""
    with town.fault("slack", "conversations.replies", "ratelimit", retry_after=8, times=None) as pause:
        thread = town.team("lamps").thread("The lamp flickers", "@bot check the lamp")
        pause.strikes()
        [run] = thread.runs
        eventually(
            lambda: (step := town.step_records(run.id).get("build_thread")) and step.status == "retrying", "a wait"
        )
        assert town.web.cancel(run.id)
        assert town.finished(run.id).status == "CANCELED"
        assert pause.struck == 1
    [delivery] = eventually(lambda: [row for row in thread.deliveries if row.status == "failed"], "the delivery to end")
    assert delivery.reason == "cancelled"
    assert (thread.titles, thread.replies) == ([], [])
