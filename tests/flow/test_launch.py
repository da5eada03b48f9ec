"""A person launches a run in the Launchpad: by a thread's link, and what the run says when the launch is wrong."""

from dataclasses import dataclass

import pytest

from tests.flow.runs import Run
from tests.flow.team import Thread
from tests.flow.town import Town

FORMS = ("delivery_ids", "discussion_id", "thread_url", "https://acme.slack.com/archives/")


@dataclass(frozen=True)
class Launches:
    """The runs of four launches that go at once."""

    thread: Thread
    good: str
    wrong_link: str
    two_forms: str
    unknown: str


@pytest.fixture(scope="module")
def launches(town: Town) -> Launches:
    """Launch a thread nobody mentioned the bot in, and three things that are wrong."""
    team = town.team("launched")
    thread = team.thread("We ship on Friday", "Can you please update the e-mail template?")
    return Launches(
        thread,
        good=town.launch(thread_url=thread.url, team="launched"),
        wrong_link=town.launch(thread_url="https://example.com/a/thread"),
        two_forms=town.launch(thread_url=thread.url, delivery_ids=[1]),
        unknown=town.launch(delivery_ids=[987654321]),
    )


def test_a_link_is_enough_to_make_tasks_of_a_thread(launches: Launches, town: Town) -> None:
    """No mention was needed; the answer and 👀 ✅ stand in the thread, on its first message."""
    run = town.finished(launches.good)
    assert (run.status, set(run.steps)) == ("SUCCESS", set(town.metadata(run.id)))
    assert launches.thread.status == "completed"
    assert launches.thread.titles == ["Update the e-mail template"]
    assert len(launches.thread.replies) == 1
    assert launches.thread.reactions(launches.thread.said[0]) == {"eyes", "white_check_mark"}


def test_the_run_gets_the_tags_that_a_sensor_would_have_given(launches: Launches, town: Town) -> None:
    """It is found by team, source, thread and discussion like any other."""
    run = town.finished(launches.good)
    ours = {key: value for key, value in run.tags.items() if key.startswith("discubot/")}
    assert ours == {
        "discubot/class": "discussion",
        "discubot/team": "launched",
        "discubot/team_id": str(launches.thread.team.config.team_id),
        "discubot/source": "slack",
        "discubot/thread": launches.thread.id,
        "discubot/discussion": str(launches.thread.discussion_id),
        "discubot/trigger": "manual",
        "discubot/outcome": "completed",
    }


def test_the_launch_is_written_to_the_inbox(launches: Launches, town: Town) -> None:
    """The row of the launch is done, like that of a webhook."""
    town.finished(launches.good)
    [delivery] = launches.thread.deliveries
    assert (delivery.status, delivery.trigger, delivery.run_id) == ("done", "manual", launches.good)


def test_a_wrong_link_fails_with_the_forms_that_are_accepted(launches: Launches, town: Town) -> None:
    """The error of the run says what to give instead."""
    assert town.finished(launches.wrong_link).status == "FAILURE"
    message = town.failure(launches.wrong_link)
    assert "https://example.com/a/thread" in message
    assert all(form in message for form in FORMS)


def test_two_forms_at_once_fail_with_the_forms_that_are_accepted(launches: Launches, town: Town) -> None:
    """A launch that names two things is not guessed at."""
    assert town.finished(launches.two_forms).status == "FAILURE"
    assert all(form in town.failure(launches.two_forms) for form in FORMS)


def test_an_unknown_delivery_fails_with_what_may_be_wrong(launches: Launches, town: Town) -> None:
    """The error says why a delivery may not be there, and what to do."""
    run: Run = town.finished(launches.unknown)
    assert (run.status, run.steps["validate_discussion"]) == ("FAILURE", "FAILURE")
    message = town.failure(launches.unknown)
    assert "unknown" in message
    assert "thread_url" in message


def test_failed_launches_leave_nothing_open(launches: Launches, town: Town) -> None:
    """No row waits for a run that never came to work."""
    for run_id in (launches.wrong_link, launches.two_forms, launches.unknown):
        town.finished(run_id)
        note = town.here.stores.notes.get(run_id)
        assert note is not None
        assert note.outcome == "failed"
        assert note.closed_at is not None
