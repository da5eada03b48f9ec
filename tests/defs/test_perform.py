"""Each verdict of a stage becomes what it should in Dagster, in our rows and in the thread."""

from collections import Counter
from datetime import timedelta

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger
from discubot_pipeline.domain.meters import Meter, tally
from discubot_pipeline.ports import Mark
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.runs import RUN_KEY
from tests.defs.workshop import THREAD, Workshop

SOON = timedelta(milliseconds=1)
OPS = ["validate_discussion", "load_config", "build_thread", "analyze_thread", "create_tasks", "finalize_discussion"]
BEFORE_PAGES = OPS[:4]
READ = {"messages": 1, "people": 1}


def again() -> Transient:
    """Give a trouble that is over in a moment."""
    return Transient("slack_down", "Slack is away for a moment", SOON)


def test_a_run_without_troubles_completes(workshop: Workshop) -> None:
    """Six steps succeed, and everything is closed."""
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_SUCCESS")) == ("SUCCESS", OPS)
    assert workshop.delivery(delivery).status == DeliveryStatus.DONE
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.active_run_id) == ("completed", None)
    assert workshop.paper.marks == {"1.2": [Mark.SEEN, Mark.DONE]}
    assert len(workshop.paper.replies[THREAD]) == 1
    assert len(workshop.paper.pages) == 2


def test_a_run_of_a_person_gets_the_tags_to_be_found_by(workshop: Workshop) -> None:
    """They are those that a sensor would have given, but for the trigger."""
    ended = workshop.launch(thread_url=f"https://paper.example/{THREAD}")
    assert ended.tags == {
        "discubot/class": "discussion",
        "discubot/team": "acme",
        "discubot/team_id": str(workshop.config.team_id),
        "discubot/source": "slack",
        "discubot/thread": THREAD,
        "discubot/discussion": str(workshop.id),
        "discubot/trigger": "manual",
        "discubot/outcome": "completed",
    }


def test_the_note_of_a_run_says_what_it_was_about(workshop: Workshop) -> None:
    """Stage, outcome, trigger, launch and counters are kept."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()], instruction="be quick")
    note = workshop.note(ended.id)
    assert (note.stage, note.outcome, note.trigger) == (Stage.NOTIFICATION, RunOutcome.COMPLETED, Trigger.MANUAL)
    assert (note.team_id, note.discussion_id, note.root_run_id) == (workshop.config.team_id, workshop.id, ended.id)
    assert note.counters == READ | {"tasks": 2, "created": 2, "there_already": 0, "missing": 0}
    assert (note.job_name, note.scope, note.params["instruction"]) == ("discussion_job", Scope.TEAM, "be quick")
    assert note.summary == "2 tasks found in 1 message by 1 person: 2 pages made."
    assert note.closed_at is not None


def test_a_short_trouble_is_tried_again_within_the_run(workshop: Workshop) -> None:
    """Two retries at most; the record counts the attempts and ends clean."""
    workshop.paper.troubles["fetch"] = [again(), again()]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert ended.status == "SUCCESS"
    assert ended.steps("STEP_UP_FOR_RETRY") == ["build_thread"] * 2
    record = workshop.records(ended.id)["build_thread"]
    assert (record.status, record.attempts, record.reason, record.error) == (StepStatus.COMPLETED, 3, None, None)


def test_a_short_trouble_that_lasts_fails_the_run_for_good(workshop: Workshop) -> None:
    """After the third attempt everything is closed as failed, and the thread is told once."""
    workshop.paper.troubles["fetch"] = [again(), again(), again()]
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_FAILURE")) == ("FAILURE", ["build_thread"])
    assert ended.run.tags["dagster/will_retry"] == "false"
    assert ended.why == "Slack is away for a moment"
    row = workshop.delivery(delivery)
    assert (row.status, row.reason, row.error) == (DeliveryStatus.FAILED, "slack_down", "Slack is away for a moment")
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.reason, workshop.discussion.active_run_id) == (
        "failed",
        "slack_down",
        None,
    )
    assert [reply[0] for reply in workshop.paper.replies[THREAD]] == ["❌"]
    assert workshop.paper.marks["1.2"] == [Mark.SEEN, Mark.FAILED]
    assert workshop.note(ended.id).outcome is RunOutcome.FAILED


def test_what_a_person_must_mend_fails_at_the_first_attempt(workshop: Workshop) -> None:
    """Permanent is not tried again."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert (ended.status, ended.why) == ("FAILURE", "invite the app")
    assert ended.steps("STEP_UP_FOR_RETRY") == []
    record = workshop.records(ended.id)["build_thread"]
    assert (record.status, record.attempts, record.reason) == (StepStatus.FAILED, 1, "not_in_channel")


def test_a_fault_of_ours_fails_as_internal(workshop: Workshop) -> None:
    """An exception nobody foresaw closes everything too; the thread is told no detail."""
    workshop.paper.troubles["analyze"] = [ZeroDivisionError("secret detail")]
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert ended.status == "FAILURE"
    assert (workshop.delivery(delivery).status, workshop.delivery(delivery).reason) == ("failed", "internal")
    assert workshop.records(ended.id)["analyze_thread"].reason == "internal"
    [reply] = workshop.paper.replies[THREAD]
    assert "internal" in reply
    assert "secret" not in reply


def test_a_failure_that_cannot_be_told_is_still_closed(workshop: Workshop) -> None:
    """Slack being away does not leave anything open."""
    workshop.paper.troubles["fetch"] = [Permanent("account_inactive", "no such workspace")]
    workshop.paper.troubles["reply"] = [Permanent("account_inactive", "no such workspace")]
    delivery = workshop.deliver()
    assert workshop.launch(delivery_ids=[delivery]).status == "FAILURE"
    assert workshop.delivery(delivery).reason == "account_inactive"
    assert workshop.discussion is not None
    assert workshop.discussion.active_run_id is None


def test_a_long_pause_ends_the_run_green_and_puts_the_delivery_back(workshop: Workshop) -> None:
    """Deferred: nothing is said, the delivery waits as the next generation, the discussion is free."""
    workshop.paper.troubles["create Fix the header"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    workshop.paper.troubles["create Update the footer"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert (ended.status, ended.steps("STEP_SUCCESS")) == ("SUCCESS", [*BEFORE_PAGES, "create_tasks"])
    assert ended.steps("STEP_SKIPPED") == ["finalize_discussion"]
    assert (ended.tags["discubot/outcome"], ended.tags["discubot/reason"]) == ("deferred", "rate_limited")
    row = workshop.delivery(delivery)
    assert (row.status, row.generation, row.run_key) == (DeliveryStatus.PENDING, 1, None)
    wait = row.not_before - workshop.paper.clock.now()
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    note = workshop.note(ended.id)
    assert (note.outcome, note.not_before) == (RunOutcome.DEFERRED, row.not_before)
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.active_run_id) == ("processing", None)
    assert workshop.paper.replies == {}
    assert workshop.records(ended.id)["create_tasks"].status == StepStatus.DEFERRED


def test_the_run_after_a_pause_asks_for_nothing_that_is_kept(workshop: Workshop) -> None:
    """Thread and analysis come from the run that had to wait; `fresh` asks again all the same."""
    for title in workshop.paper.titles:
        workshop.paper.troubles[f"create {title}"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    delivery = workshop.deliver()
    workshop.launch(delivery_ids=[delivery])
    workshop.paper.calls.clear()
    assert workshop.launch(delivery_ids=[delivery]).tags["discubot/outcome"] == "completed"
    assert not {"fetch", "analyze"} & set(workshop.paper.calls)
    workshop.paper.calls.clear()
    workshop.launch(delivery_ids=[delivery], fresh=True)
    assert {"fetch", "analyze"} <= set(workshop.paper.calls)


def test_a_pause_before_there_is_a_delivery_fails(workshop: Workshop) -> None:
    """A run that holds nothing has nothing that could come back later."""
    workshop.paper.troubles["locate"] = [Transient("rate_limited", "later", timedelta(hours=1))]
    ended = workshop.launch(thread_url=f"https://paper.example/{THREAD}")
    assert (ended.status, workshop.note(ended.id).reason) == ("FAILURE", "rate_limited")


def test_a_second_run_for_the_same_delivery_is_ignored(workshop: Workshop) -> None:
    """A run that a sensor asked for, and that finds its delivery done, ends green with nothing done."""
    delivery = workshop.deliver()
    [lease] = workshop.inbox.lease(5, timedelta(minutes=1))
    assert workshop.launch({RUN_KEY: lease.run_key}, delivery_ids=[delivery]).status == "SUCCESS"
    again = workshop.launch({RUN_KEY: lease.run_key}, delivery_ids=[delivery])
    assert (again.status, again.steps("STEP_SUCCESS")) == ("SUCCESS", ["validate_discussion"])
    assert (again.tags["discubot/outcome"], again.tags["discubot/reason"]) == ("ignored", "not_free")
    assert workshop.delivery(delivery).status == DeliveryStatus.DONE
    assert len(workshop.paper.replies[THREAD]) == 1


def test_a_busy_discussion_sends_the_run_away_and_the_delivery_back(workshop: Workshop) -> None:
    """Busy is green too; the delivery waits a few seconds instead of getting lost."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert workshop.services.stores.discussions.take(workshop.id, "another", ())
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert (ended.status, ended.tags["discubot/reason"]) == ("SUCCESS", "busy")
    row = workshop.delivery(delivery)
    assert (row.status, row.generation) == (DeliveryStatus.PENDING, 1)
    assert timedelta() < row.not_before - workshop.paper.clock.now() <= timedelta(seconds=5)
    assert workshop.services.stores.discussions.holder(workshop.id) == "another"
    assert len(workshop.paper.replies[THREAD]) == 1


def test_a_run_that_loses_its_discussion_writes_nothing_more(workshop: Workshop) -> None:
    """Fenced: whoever has taken over in the meantime keeps it, and no page is made behind its back."""

    class Stolen(dict[str, list[Exception]]):
        def __missing__(self, name: str) -> list[Exception]:
            if name == "analyze":
                workshop.services.stores.discussions.release(
                    workshop.id, workshop.services.stores.discussions.holder(workshop.id) or ""
                )
                workshop.services.stores.discussions.take(workshop.id, "another", ())
            return []

    workshop.paper.troubles = Stolen()
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert (ended.status, ended.tags["discubot/reason"]) == ("SUCCESS", "busy")
    assert workshop.paper.pages == {}
    assert workshop.services.stores.discussions.holder(workshop.id) == "another"


def test_what_exists_is_kept_when_some_of_it_fails(workshop: Workshop) -> None:
    """Partial is green: the reply names what is missing, and a later run makes the rest and nothing twice."""
    workshop.paper.troubles["create Fix the header"] = [Permanent("validation", "too long")]
    delivery = workshop.deliver()
    ended = workshop.launch(delivery_ids=[delivery])
    assert (ended.status, ended.tags["discubot/outcome"]) == ("SUCCESS", "partial")
    [reply] = workshop.paper.replies[THREAD]
    assert "Not created in tasks: Fix the header (validation)" in reply
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.reason) == ("partial", "validation")
    assert workshop.delivery(delivery).status == DeliveryStatus.DONE
    assert len(workshop.paper.pages) == 1
    later = workshop.launch(discussion_id=str(workshop.id))
    assert later.tags["discubot/outcome"] == "completed"
    assert len(workshop.paper.pages) == 2
    assert workshop.paper.replies[THREAD][1].startswith("✅ 1 task created in Notion (1 was there already)")


def test_a_failed_run_goes_on_from_its_failed_step(workshop: Workshop) -> None:
    """The new run takes over the delivery, reads what the first one kept, and completes."""
    workshop.paper.troubles["create Fix the header"] = [Permanent("unauthorized", "token")]
    workshop.paper.troubles["create Update the footer"] = [Permanent("unauthorized", "token")]
    delivery = workshop.deliver()
    failed = workshop.launch(delivery_ids=[delivery])
    assert failed.steps("STEP_FAILURE") == ["create_tasks"]
    workshop.paper.calls.clear()
    child = workshop.reexecute(failed.id)
    assert (child.status, child.run.root_run_id, child.run.parent_run_id) == ("SUCCESS", failed.id, failed.id)
    assert child.steps("STEP_SUCCESS") == ["create_tasks", "finalize_discussion"]
    assert not {"fetch", "analyze"} & set(workshop.paper.calls)
    row = workshop.delivery(delivery)
    assert (row.status, row.run_id, row.reason) == (DeliveryStatus.DONE, child.id, None)
    assert workshop.note(child.id).trigger is Trigger.RETRY
    assert workshop.discussion is not None
    assert (workshop.discussion.status, workshop.discussion.reason) == ("completed", None)
    assert len(workshop.paper.pages) == 2


def test_a_retry_does_not_take_a_discussion_from_a_stranger(workshop: Workshop) -> None:
    """While another chain is at work on the thread, a re-executed run ends green as busy."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    failed = workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.services.stores.discussions.take(workshop.id, "another", ())
    child = workshop.reexecute(failed.id)
    assert (child.status, child.tags["discubot/reason"]) == ("SUCCESS", "busy")
    assert workshop.paper.pages == {}


def test_step_records_hold_what_went_in_without_the_thread(workshop: Workshop) -> None:
    """Inputs are ids and sizes; the values themselves are the outputs of the steps before."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    records = workshop.records(ended.id)
    assert list(records["create_tasks"].input) == ["Thread", "Analysis"]
    assert records["analyze_thread"].input == {"Thread": {"messages": 1, "title": "The landing page"}}
    assert records["finalize_discussion"].input["CreatedTasks"] == {"made": 2, "missing": 0}
    assert {record.stage for record in records.values()} == set(Stage)


def test_the_tries_of_each_stage_are_summed_up(workshop: Workshop) -> None:
    """When the run is over, by how they ended."""
    tally.take()
    workshop.paper.troubles["fetch"] = [again()]
    workshop.launch(delivery_ids=[workshop.deliver()])
    counts: Counter[tuple[str, ...]] = Counter()
    for sum, amount in workshop.services.stores.meters.read().items():
        if sum.meter is Meter.STAGES:
            counts[sum.labels[:-1]] += int(amount)
    tries = [(stage, "completed") for stage in Stage] + [(Stage.THREAD_BUILDING, "retrying")]
    assert counts == {("discussion_job", *each): 1 for each in tries}
