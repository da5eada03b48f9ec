"""Each verdict of a stage becomes what it should in Dagster, in our rows and in the thread."""

from datetime import timedelta
from uuid import uuid4

import pytest

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
from discubot_pipeline.ports import Mark
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.runs import RUN_KEY
from tests.defs.bench import THREAD, Bench

SOON = timedelta(milliseconds=1)
OPS = ["validate_discussion", "load_config", "build_thread", "analyze_thread", "create_tasks", "finalize_discussion"]
BEFORE_PAGES = OPS[:4]


def again() -> Transient:
    """Give a trouble that is over in a moment."""
    return Transient("slack_down", "Slack is away for a moment", SOON)


def test_a_run_without_troubles_completes(bench: Bench) -> None:
    """Six steps succeed, and everything is closed."""
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_SUCCESS")) == ("SUCCESS", OPS)
    assert bench.delivery(delivery).status == DeliveryStatus.DONE
    assert bench.discussion is not None
    assert (bench.discussion.status, bench.discussion.active_run_id) == ("completed", None)
    assert bench.paper.marks == {"1.2": [Mark.SEEN, Mark.DONE]}
    assert len(bench.paper.replies[THREAD]) == 1
    assert len(bench.paper.pages) == 2


def test_a_run_of_a_person_gets_the_tags_to_be_found_by(bench: Bench) -> None:
    """They are those that a sensor would have given, but for the trigger."""
    ended = bench.launch(thread_url=f"https://paper.example/{THREAD}")
    assert ended.tags == {
        "discubot/class": "discussion",
        "discubot/team": "acme",
        "discubot/source": "slack",
        "discubot/thread": THREAD,
        "discubot/discussion": str(bench.id),
        "discubot/trigger": "manual",
        "discubot/outcome": "completed",
    }


def test_the_note_of_a_run_says_what_it_was_about(bench: Bench) -> None:
    """Stage, outcome, trigger, launch and counters are kept."""
    ended = bench.launch(delivery_ids=[bench.deliver()], instruction="be quick")
    note = bench.note(ended.id)
    assert (note.stage, note.outcome, note.trigger) == (Stage.NOTIFICATION, RunOutcome.COMPLETED, Trigger.MANUAL)
    assert (note.team_id, note.discussion_id, note.root_run_id) == (bench.config.team_id, bench.id, ended.id)
    assert note.counters == {"created": 2, "there_already": 0, "missing": 0}
    assert note.closed_at is not None


def test_a_short_trouble_is_tried_again_within_the_run(bench: Bench) -> None:
    """Two retries at most; the record counts the attempts and ends clean."""
    bench.paper.troubles["fetch"] = [again(), again()]
    ended = bench.launch(delivery_ids=[bench.deliver()])
    assert ended.status == "SUCCESS"
    assert ended.steps("STEP_UP_FOR_RETRY") == ["build_thread"] * 2
    record = bench.records(ended.id)["build_thread"]
    assert (record.status, record.attempts, record.reason, record.error) == (StepStatus.COMPLETED, 3, None, None)


def test_a_short_trouble_that_lasts_fails_the_run_for_good(bench: Bench) -> None:
    """After the third attempt everything is closed as failed, and the thread is told once."""
    bench.paper.troubles["fetch"] = [again(), again(), again()]
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_FAILURE")) == ("FAILURE", ["build_thread"])
    assert ended.run.tags["dagster/will_retry"] == "false"
    assert ended.why == "Slack is away for a moment"
    row = bench.delivery(delivery)
    assert (row.status, row.reason, row.error) == (DeliveryStatus.FAILED, "slack_down", "Slack is away for a moment")
    assert bench.discussion is not None
    assert (bench.discussion.status, bench.discussion.reason, bench.discussion.active_run_id) == (
        "failed",
        "slack_down",
        None,
    )
    assert [reply[0] for reply in bench.paper.replies[THREAD]] == ["❌"]
    assert bench.paper.marks["1.2"] == [Mark.SEEN, Mark.FAILED]
    assert bench.note(ended.id).outcome is RunOutcome.FAILED


def test_what_a_person_must_mend_fails_at_the_first_attempt(bench: Bench) -> None:
    """Permanent is not tried again."""
    bench.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    ended = bench.launch(delivery_ids=[bench.deliver()])
    assert (ended.status, ended.why) == ("FAILURE", "invite the app")
    assert ended.steps("STEP_UP_FOR_RETRY") == []
    record = bench.records(ended.id)["build_thread"]
    assert (record.status, record.attempts, record.reason) == (StepStatus.FAILED, 1, "not_in_channel")


def test_a_fault_of_ours_fails_as_internal(bench: Bench) -> None:
    """An exception nobody foresaw closes everything too; the thread is told no detail."""
    bench.paper.troubles["analyze"] = [ZeroDivisionError("secret detail")]
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert ended.status == "FAILURE"
    assert (bench.delivery(delivery).status, bench.delivery(delivery).reason) == ("failed", "internal")
    assert bench.records(ended.id)["analyze_thread"].reason == "internal"
    [reply] = bench.paper.replies[THREAD]
    assert "internal" in reply
    assert "secret" not in reply


def test_a_failure_that_cannot_be_told_is_still_closed(bench: Bench) -> None:
    """Slack being away does not leave anything open."""
    bench.paper.troubles["fetch"] = [Permanent("account_inactive", "no such workspace")]
    bench.paper.troubles["reply"] = [Permanent("account_inactive", "no such workspace")]
    delivery = bench.deliver()
    assert bench.launch(delivery_ids=[delivery]).status == "FAILURE"
    assert bench.delivery(delivery).reason == "account_inactive"
    assert bench.discussion is not None
    assert bench.discussion.active_run_id is None


def test_a_long_pause_ends_the_run_green_and_puts_the_delivery_back(bench: Bench) -> None:
    """Deferred: nothing is said, the delivery waits as the next generation, the discussion is free."""
    bench.paper.troubles["create Fix the header"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    bench.paper.troubles["create Update the footer"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_SUCCESS")) == ("SUCCESS", [*BEFORE_PAGES, "create_tasks"])
    assert ended.steps("STEP_SKIPPED") == ["finalize_discussion"]
    assert (ended.tags["discubot/outcome"], ended.tags["discubot/reason"]) == ("deferred", "rate_limited")
    row = bench.delivery(delivery)
    assert (row.status, row.generation, row.run_key) == (DeliveryStatus.PENDING, 1, None)
    wait = row.not_before - bench.paper.clock.now()
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    note = bench.note(ended.id)
    assert (note.outcome, note.not_before) == (RunOutcome.DEFERRED, row.not_before)
    assert bench.discussion is not None
    assert (bench.discussion.status, bench.discussion.active_run_id) == ("processing", None)
    assert bench.paper.replies == {}
    assert bench.records(ended.id)["create_tasks"].status == StepStatus.DEFERRED


def test_the_run_after_a_pause_asks_for_nothing_that_is_kept(bench: Bench) -> None:
    """Thread and analysis come from the run that had to wait; `fresh` asks again all the same."""
    for title in bench.paper.titles:
        bench.paper.troubles[f"create {title}"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    delivery = bench.deliver()
    bench.launch(delivery_ids=[delivery])
    bench.paper.calls.clear()
    assert bench.launch(delivery_ids=[delivery]).tags["discubot/outcome"] == "completed"
    assert not {"fetch", "analyze"} & set(bench.paper.calls)
    bench.paper.calls.clear()
    bench.launch(delivery_ids=[delivery], fresh=True)
    assert {"fetch", "analyze"} <= set(bench.paper.calls)


def test_a_pause_before_there_is_a_delivery_fails(bench: Bench) -> None:
    """A run that holds nothing has nothing that could come back later."""
    bench.paper.troubles["locate"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    ended = bench.launch(thread_url=f"https://paper.example/{THREAD}")
    assert (ended.status, bench.note(ended.id).reason) == ("FAILURE", "rate_limited")


def test_a_second_run_for_the_same_delivery_is_ignored(bench: Bench) -> None:
    """A run that a sensor asked for, and that finds its delivery done, ends green with nothing done."""
    delivery = bench.deliver()
    [lease] = bench.inbox.lease(5, timedelta(minutes=1))
    assert bench.launch({RUN_KEY: lease.run_key}, delivery_ids=[delivery]).status == "SUCCESS"
    again = bench.launch({RUN_KEY: lease.run_key}, delivery_ids=[delivery])
    assert (again.status, again.steps("STEP_SUCCESS")) == ("SUCCESS", ["validate_discussion"])
    assert (again.tags["discubot/outcome"], again.tags["discubot/reason"]) == ("ignored", "not_free")
    assert bench.delivery(delivery).status == DeliveryStatus.DONE
    assert len(bench.paper.replies[THREAD]) == 1


def test_a_busy_discussion_sends_the_run_away_and_the_delivery_back(bench: Bench) -> None:
    """Busy is green too; the delivery waits a few seconds instead of getting lost."""
    bench.launch(delivery_ids=[bench.deliver()])
    assert bench.services.stores.discussions.take(bench.id, "another", ())
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert (ended.status, ended.tags["discubot/reason"]) == ("SUCCESS", "busy")
    row = bench.delivery(delivery)
    assert (row.status, row.generation) == (DeliveryStatus.PENDING, 1)
    assert timedelta() < row.not_before - bench.paper.clock.now() <= timedelta(seconds=5)
    assert bench.services.stores.discussions.holder(bench.id) == "another"
    assert len(bench.paper.replies[THREAD]) == 1


def test_a_run_that_loses_its_discussion_writes_nothing_more(bench: Bench) -> None:
    """Fenced: whoever has taken over in the meantime keeps it, and no page is made behind its back."""

    class Stolen(dict[str, list[Exception]]):
        def __missing__(self, name: str) -> list[Exception]:
            if name == "analyze":
                bench.services.stores.discussions.release(
                    bench.id, bench.services.stores.discussions.holder(bench.id) or ""
                )
                bench.services.stores.discussions.take(bench.id, "another", ())
            return []

    bench.paper.troubles = Stolen()
    ended = bench.launch(delivery_ids=[bench.deliver()])
    assert (ended.status, ended.tags["discubot/reason"]) == ("SUCCESS", "busy")
    assert bench.paper.pages == {}
    assert bench.services.stores.discussions.holder(bench.id) == "another"


def test_what_exists_is_kept_when_some_of_it_fails(bench: Bench) -> None:
    """Partial is green: the reply names what is missing, and a retry makes the rest and nothing twice."""
    bench.paper.troubles["create Fix the header"] = [Permanent("validation", "too long")]
    delivery = bench.deliver()
    ended = bench.launch(delivery_ids=[delivery])
    assert (ended.status, ended.tags["discubot/outcome"]) == ("SUCCESS", "partial")
    [reply] = bench.paper.replies[THREAD]
    assert "Not created in tasks: Fix the header (validation)" in reply
    assert bench.discussion is not None
    assert (bench.discussion.status, bench.discussion.reason) == ("partial", "validation")
    assert bench.delivery(delivery).status == DeliveryStatus.DONE
    assert len(bench.paper.pages) == 1


def test_a_failed_run_goes_on_from_its_failed_step(bench: Bench) -> None:
    """The new run takes over the delivery, reads what the first one kept, and completes."""
    bench.paper.troubles["create Fix the header"] = [Permanent("unauthorized", "token")]
    bench.paper.troubles["create Update the footer"] = [Permanent("unauthorized", "token")]
    delivery = bench.deliver()
    failed = bench.launch(delivery_ids=[delivery])
    assert failed.steps("STEP_FAILURE") == ["create_tasks"]
    bench.paper.calls.clear()
    child = bench.reexecute(failed.id)
    assert (child.status, child.run.root_run_id, child.run.parent_run_id) == ("SUCCESS", failed.id, failed.id)
    assert child.steps("STEP_SUCCESS") == ["create_tasks", "finalize_discussion"]
    assert not {"fetch", "analyze"} & set(bench.paper.calls)
    row = bench.delivery(delivery)
    assert (row.status, row.run_id, row.reason) == (DeliveryStatus.DONE, child.id, None)
    assert bench.note(child.id).trigger is Trigger.RETRY
    assert bench.discussion is not None
    assert (bench.discussion.status, bench.discussion.reason) == ("completed", None)
    assert len(bench.paper.pages) == 2


def test_a_retry_does_not_take_a_discussion_from_a_stranger(bench: Bench) -> None:
    """While another chain is at work on the thread, a re-executed run ends green as busy."""
    bench.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    failed = bench.launch(delivery_ids=[bench.deliver()])
    bench.services.stores.discussions.take(bench.id, "another", ())
    child = bench.reexecute(failed.id)
    assert (child.status, child.tags["discubot/reason"]) == ("SUCCESS", "busy")
    assert bench.paper.pages == {}


def test_a_wrong_uuid_fails_with_the_accepted_forms(bench: Bench) -> None:
    """The words quote what was given, and name what may be given."""
    ended = bench.launch(discussion_id="the one from yesterday")
    assert (ended.status, bench.note(ended.id).reason) == ("FAILURE", "bad_launch")
    assert "'the one from yesterday' is no UUID" in ended.why
    assert all(form in ended.why for form in ("delivery_ids", "discussion_id", "thread_url"))


def test_an_unknown_discussion_fails(bench: Bench) -> None:
    """A UUID alone is not enough."""
    unknown = uuid4()
    ended = bench.launch(discussion_id=str(unknown))
    assert (ended.status, bench.note(ended.id).reason) == ("FAILURE", "unknown_discussion")
    assert str(unknown) in ended.why


@pytest.mark.parametrize(
    "config",
    [{}, {"delivery_ids": [1], "thread_url": "https://paper.example/C1:1.1"}, {"thread_url": ""}],
    ids=["nothing", "two", "empty"],
)
def test_anything_but_one_form_fails_with_the_accepted_forms(bench: Bench, config: dict[str, object]) -> None:
    """A launch says exactly one thing."""
    ended = bench.launch(**config)
    assert ended.why.startswith("give exactly one of: delivery_ids")
    assert bench.note(ended.id).reason == "bad_launch"


def test_deliveries_of_two_threads_do_not_make_one_run(bench: Bench) -> None:
    """They are closed as failed, not left open."""
    ids = [bench.deliver(), bench.deliver("C1:2.2")]
    ended = bench.launch(delivery_ids=ids)
    assert bench.note(ended.id).reason == "mixed_deliveries"
    assert [bench.delivery(id).status for id in ids] == ["failed", "failed"]


def test_a_second_launch_of_a_known_thread_makes_only_what_is_new(bench: Bench) -> None:
    """By its discussion's id, as a person does it later on."""
    bench.launch(delivery_ids=[bench.deliver()])
    bench.paper.titles.append("Paint the wall")
    ended = bench.launch(discussion_id=str(bench.id))
    assert ended.tags["discubot/outcome"] == "completed"
    assert len(bench.paper.pages) == 3
    assert bench.note(ended.id).counters == {"created": 1, "there_already": 2, "missing": 0}


def test_step_records_hold_what_went_in_without_the_thread(bench: Bench) -> None:
    """Inputs are ids and sizes; the values themselves are the outputs of the steps before."""
    ended = bench.launch(delivery_ids=[bench.deliver()])
    records = bench.records(ended.id)
    assert list(records["create_tasks"].input) == ["Thread", "Analysis"]
    assert records["analyze_thread"].input == {"Thread": {"messages": 1, "title": "The landing page"}}
    assert records["finalize_discussion"].input["CreatedTasks"] == {"made": 2, "missing": 0}
    assert {record.stage for record in records.values()} == set(Stage)
