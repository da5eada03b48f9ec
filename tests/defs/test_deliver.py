"""Whoever has asked for it is told how jobs end: signed, once, again when that failed, and never what was not asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters import webhook
from discubot_pipeline.defs import sensors
from discubot_pipeline.defs.deliver import Given, ends_to_tell
from discubot_pipeline.defs.jobs import hooks_job
from discubot_pipeline.defs.resources import job
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.hook import BY_DEFAULT, MOST_TRIES, Hook, HookCredentials, HookEvent, HookKind
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.outside import Adapters
from discubot_pipeline.stages import deliver as stage
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.outbox import BELL
from discubot_pipeline.store.tables import hook_deliveries
from discubot_pipeline.tracking.describe import Addresses
from discubot_pipeline.tracking.jobs import JobStore
from discubot_pipeline.wiring import Services
from tests.defs.target import Target, listening_target
from tests.defs.ticks import by_hand, tick
from tests.defs.workshop import THREAD, Workshop
from tests.tracking.ledger import RETRIES

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


@pytest.fixture
def target() -> Iterator[Target]:
    """Give a target."""
    with listening_target() as target:
        yield target


@pytest.fixture
def real(workshop: Workshop) -> Services:
    """Give services whose world is the real one, in which this machine may be called."""
    here = workshop.services
    settings = here.settings.model_copy(update={"hooks_to_loopback": True})
    return Services(settings, here.engine, here.stores, Adapters(settings, here.engine, here.stores.limits))


@pytest.fixture
def hook(workshop: Workshop, target: Target) -> Hook:
    """Give a hook that hears of all ends."""
    return add(workshop, target, events=list(HookEvent))


def add(workshop: Workshop, target: Target, name: str = "desk", **columns: Any) -> Hook:
    """Make a hook of the team."""
    known = {"kind": HookKind.WEBHOOK, "url": target.url, "events": list(BY_DEFAULT)}
    credentials = HookCredentials(signing_secret=SecretStr(SECRET))
    return workshop.services.stores.hooks.add(workshop.config.team_id, name, credentials, "test", **known | columns)


def drain(workshop: Workshop, real: Services) -> dict[str, int]:
    """Run the job that tells hooks; gives how it went, without those of which there was none."""
    result = hooks_job.execute_in_process(instance=workshop.instance, resources={"services": real, "job": job})
    return workshop.note(result.run_id).counters


def rows(workshop: Workshop) -> list[Any]:
    """Give the outbox, the oldest first."""
    with workshop.services.engine.connect() as connection:
        return list(connection.execute(sa.select(hook_deliveries).order_by(hook_deliveries.c.created_at)))


def make_due(workshop: Workshop, **values: Any) -> None:
    """Let the time of all that waits have come."""
    with workshop.services.engine.begin() as connection:
        due = {"not_before": sa.func.now() - timedelta(seconds=1)} | values
        connection.execute(sa.update(hook_deliveries).values(due))


def test_a_completed_job_is_told_signed_and_once(
    workshop: Workshop, real: Services, hook: Hook, target: Target
) -> None:
    """The library verifies it; it holds the job as the API shows it, and no word of the thread."""
    run = workshop.launch(delivery_ids=[workshop.deliver()])
    assert drain(workshop, real) == {"sent": 1}
    [told] = target.bodies(SECRET)
    assert told["type"] == "job.completed"
    data = told["data"]
    assert (data["job_id"], data["status"], data["thread"]) == (run.id, "completed", THREAD)
    assert data["links"]["dagster"].endswith(f"/runs/{run.id}")
    assert sorted(data["links"]["tasks"]) == sorted(page.url for page in workshop.paper.pages.values())
    assert len(data["task_ids"]) == len(workshop.paper.pages)
    assert (data["title"], data["summary"]) == (None, None)
    [row] = rows(workshop)
    assert (row.status, row.tries, target.ids) == ("sent", 1, [f"msg_{row.id.hex}"])
    assert drain(workshop, real) == {}
    assert len(target.heard) == 1


def test_words_are_told_to_those_who_ask_for_them(workshop: Workshop, real: Services, target: Target) -> None:
    """Title and summary, to the hook that wants words."""
    add(workshop, target, has_text=True)
    workshop.launch(delivery_ids=[workshop.deliver()])
    drain(workshop, real)
    [told] = target.bodies(SECRET)
    assert told["data"]["title"] and told["data"]["summary"]


def test_a_failed_job_is_told(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """With its reason."""
    workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
    workshop.launch(delivery_ids=[workshop.deliver()])
    drain(workshop, real)
    [told] = target.bodies(SECRET)
    assert (told["type"], told["data"]["reason"]) == ("job.failed", "not_in_channel")


def tags(workshop: Workshop) -> dict[str, str]:
    """Give the tags of a run that a sensor asks for."""
    return {"discubot/team": "acme", "discubot/team_id": str(workshop.config.team_id)}


def end(workshop: Workshop, status: str, **more: str) -> str:
    """Let a run end that never began; the sensors close it. Gives its id."""
    run_id = workshop.ledger.run(
        status, **tags(workshop), **{"dagster/will_retry": "false", "dagster/max_retries": "0"}, **more
    )
    assert sensors.close_ended(workshop.instance, workshop.run(run_id), workshop.services)
    return run_id


@pytest.mark.parametrize(("status", "event"), [("FAILURE", "job.failed"), ("CANCELED", "job.cancelled")])
def test_a_run_that_never_began_is_told_too(
    workshop: Workshop, real: Services, hook: Hook, target: Target, status: str, event: str
) -> None:
    """One whose process could not start, and one that was cancelled in the queue; closing it twice tells it once."""
    run_id = end(workshop, status)
    sensors.close_ended(workshop.instance, workshop.run(run_id), workshop.services)
    drain(workshop, real)
    assert [(told["type"], told["data"]["job_id"]) for told in target.bodies(SECRET)] == [(event, run_id)]


def test_nobody_is_told_what_he_did_not_ask_for(workshop: Workshop, real: Services, target: Target) -> None:
    """Events, another source's jobs, and a hook that is off."""
    team = workshop.services.stores.configs.team("acme")
    stores = workshop.services.stores
    credentials = workshop.config.credentials
    other = stores.configs.add_source(team, SourceType.SLACK, "other", credentials, "test")
    add(workshop, target, "failures", events=[HookEvent.FAILED])
    add(workshop, target, "other", source_config_id=other.id)
    add(workshop, target, "off", active=False)
    add(workshop, target, "own", source_config_id=workshop.config.id)
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert drain(workshop, real) == {"sent": 1}
    elsewhere = stores.configs.add_team("globex", "test")
    stores.hooks.add(
        elsewhere.id,
        "spy",
        HookCredentials(signing_secret=SecretStr(SECRET)),
        "test",
        kind=HookKind.WEBHOOK,
        url=target.url,
        events=list(HookEvent),
    )
    workshop.launch(delivery_ids=[workshop.deliver("C1:9.9")])
    assert drain(workshop, real) == {"sent": 1}
    names = {hook.id: hook.name for hook in stores.hooks.of_team(team.id)}
    assert {names[row.hook_id] for row in rows(workshop)} == {"own"}


def test_an_end_is_in_the_outbox_or_not_noted_at_all(workshop: Workshop, hook: Hook) -> None:
    """Both are one transaction: what is rolled back tells nobody."""
    run = workshop.launch(delivery_ids=[workshop.deliver()])
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.delete(hook_deliveries))
        connection.execute(sa.text("UPDATE discubot.notes SET closed_at = NULL"))

    def close_and_die() -> None:
        with workshop.services.stores.together():
            workshop.services.stores.notes.close(run.id, workshop.note(run.id).outcome)  # type: ignore[arg-type]
            raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        close_and_die()
    assert rows(workshop) == []


def test_a_target_that_is_down_is_told_again(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """500 first, then 200: the same id, signed anew, and not before its time."""
    target.answers = [(500, {})]
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert drain(workshop, real) == {"again": 1}
    [row] = rows(workshop)
    assert (row.status, row.reason) == ("pending", "hook_down")
    assert drain(workshop, real) == {}
    make_due(workshop)
    assert drain(workshop, real) == {"sent": 1}
    assert len(target.bodies(SECRET)) == 2
    assert len(set(target.ids)) == 1


@pytest.mark.parametrize(("status", "wait"), [(429, 3600), (503, 3600)])
def test_a_target_may_ask_for_a_pause(
    workshop: Workshop, real: Services, hook: Hook, target: Target, status: int, wait: int
) -> None:
    """Its Retry-After is kept to."""
    target.answers = [(status, {"retry-after": str(wait)})]
    workshop.launch(delivery_ids=[workshop.deliver()])
    drain(workshop, real)
    due = real.stores.outbox.next_due()
    assert due and timedelta(seconds=wait - 60) < due <= timedelta(seconds=wait)


def test_a_target_that_is_silent_is_told_again(
    workshop: Workshop, real: Services, hook: Hook, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it longer than a time-out."""
    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    target.gate.clear()
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert drain(workshop, real) == {"again": 1}
    target.gate.set()
    make_due(workshop)
    assert drain(workshop, real) == {"sent": 1}
    assert len(set(target.ids)) == 1


@pytest.mark.parametrize("status", [301, 400, 404])
def test_a_refusal_is_final(workshop: Workshop, real: Services, hook: Hook, target: Target, status: int) -> None:
    """It is marked as failed, with the answer; the hook stays, and no redirect is followed."""
    target.answers = [(status, {"location": target.url})]
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert drain(workshop, real) == {"failed": 1}
    [row] = rows(workshop)
    assert (row.status, row.reason, row.error) == ("failed", "refused", f"the hook answered {status}")
    assert len(target.heard) == 1
    assert real.stores.hooks.get(hook.id).active


def test_a_target_that_is_gone_is_told_nothing_any_more(
    workshop: Workshop, real: Services, hook: Hook, target: Target
) -> None:
    """410 disables the hook, and what waits for it is given up."""
    target.answers = [(410, {})]
    for thread in (THREAD, "C1:2.2"):
        workshop.launch(delivery_ids=[workshop.deliver(thread)])
    assert drain(workshop, real) == {"failed": 1}
    assert {(row.status, row.reason) for row in rows(workshop)} == {("failed", "gone")}
    disabled = real.stores.hooks.get(hook.id)
    assert (disabled.active, disabled.reason) == (False, "gone")
    workshop.launch(delivery_ids=[workshop.deliver("C1:3.3")])
    assert (len(rows(workshop)), len(target.heard)) == (2, 1)


def test_it_is_given_up_after_the_last_try(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """There is an end to trying."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    make_due(workshop, tries=MOST_TRIES - 1)
    target.answers = [(500, {})]
    assert drain(workshop, real) == {"failed": 1}
    [row] = rows(workshop)
    assert (row.status, row.reason, row.tries) == ("failed", "hook_down", MOST_TRIES)


def test_a_kill_between_sending_and_noting_repeats_the_id(
    workshop: Workshop, real: Services, hook: Hook, target: Target
) -> None:
    """The lease runs out, and the target can tell by the id that it has heard it before."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    killed = real.stores.outbox.lease(timedelta(minutes=2))
    assert killed
    assert drain(workshop, real) == {}
    make_due(workshop, leased_until=sa.func.now() - timedelta(seconds=1))
    assert drain(workshop, real) == {"sent": 1}
    assert target.ids == [f"msg_{killed.id.hex}"]
    assert not real.stores.outbox.failed(killed, "late", "whoever lost the lease has nothing to say")
    assert rows(workshop)[0].status == "sent"


def test_twin_runs_tell_it_once(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """What one has taken no other takes."""
    threads = [f"C1:{number}.0" for number in range(6)]
    for thread in threads:
        workshop.launch(delivery_ids=[workshop.deliver(thread)])
    with ThreadPoolExecutor(3) as pool:
        ask = JobStore(Given(workshop.instance), real.stores.dossiers, Addresses("api", "dagster")).details
        went = pool.map(lambda _: stage.drain(ask, real.stores, real.outside, lambda: True), range(3))
    assert sum(each["sent"] for each in went) + drain(workshop, real).get("sent", 0) == 6
    assert len(target.ids) == len(set(target.ids)) == 6


def test_a_hook_is_told_one_thing_at_a_time(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """A slow target holds one worker, and no more."""
    for thread in (THREAD, "C1:2.2"):
        workshop.launch(delivery_ids=[workshop.deliver(thread)])
    assert real.stores.outbox.lease(timedelta(minutes=2))
    assert real.stores.outbox.lease(timedelta(minutes=2)) is None


def test_a_job_that_is_not_quite_over_is_told_when_it_is(
    workshop: Workshop, real: Services, hook: Hook, target: Target
) -> None:
    """The note is closed in the run's last op: a try costs nothing, and the job is told as completed."""
    run_id = workshop.ledger.run("STARTED", **tags(workshop))
    stores = workshop.services.stores
    sensors.open_note(workshop.run(run_id), stores.notes)
    stores.notes.close(run_id, RunOutcome.COMPLETED)
    assert drain(workshop, real) == {"again": 1}
    assert (rows(workshop)[0].tries, target.heard) == (0, [])
    workshop.ledger.say(run_id, dg.DagsterEventType.RUN_SUCCESS, step=None)
    make_due(workshop)
    assert drain(workshop, real) == {"sent": 1}
    assert target.bodies(SECRET)[0]["data"]["status"] == "completed"


def test_a_run_is_asked_for_when_something_is_due(workshop: Workshop, hook: Hook) -> None:
    """Once: not while one is at work, not by a person's test, and not for nothing."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    assert "yes" in by_hand(workshop, ends_to_tell).skip_message
    assert len(tick(workshop, ends_to_tell).run_requests) == 1
    run = workshop.instance.add_run(dg.DagsterRun(job_name="hooks_job", status=dg.DagsterRunStatus.STARTED))
    assert tick(workshop, ends_to_tell).skip_message == "A run is telling already."
    workshop.instance.delete_run(run.run_id)
    make_due(workshop, not_before=sa.func.now() + timedelta(milliseconds=200))
    assert len(tick(workshop, ends_to_tell).run_requests) == 1, "it waits for what is due soon"


def test_who_waits_hears_of_a_repetition(workshop: Workshop, real: Services, hook: Hook, target: Target) -> None:
    """It is due sooner than the lease ends, which it was thought to last."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    target.answers = [(503, {})]
    with listening(workshop.services.settings.listen_url) as bell:
        assert drain(workshop, real) == {"again": 1}
        assert bell.wait(BELL, timedelta(seconds=10))
