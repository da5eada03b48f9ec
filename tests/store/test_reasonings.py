"""The queue of explanations: each step once, taken by one at a time, and none lost or written twice by a crash."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.explanation import Explanation, Wanted
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.bell import listening
from discubot_pipeline.store.reasonings import BELL, MOST_ATTEMPTS, Reasonings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import StepStatus, reasonings, source_configs, steps, teams
from tests.store.samples import rows

LEASE = timedelta(minutes=5)
NOW = timedelta()
TEXT = Explanation(text="Because.", author="offline")


@pytest.fixture
def queue(stores: Stores) -> Reasonings:
    """Give the queue."""
    return stores.reasonings


def finish(stores: Stores, step: str, run_id: str = "run-1", status: StepStatus = StepStatus.COMPLETED) -> None:
    """Let a step end."""
    stores.steps.begin(run_id, step, Stage.AI_ANALYSIS, {"Thread": 1})
    stores.steps.store_output(run_id, step, {"tasks": 2})
    stores.steps.end(run_id, step, status)


def taken(queue: Reasonings, worker: str = "worker", lease: timedelta = LEASE) -> Wanted:
    """Take what must be there."""
    wanted = queue.take(worker, lease)
    assert wanted is not None
    return wanted


def states(engine: sa.Engine) -> dict[str, str]:
    """Give the state of each explanation by its step."""
    return {row.step: row.status for row in rows(engine, reasonings)}


def test_each_finished_step_is_asked_for_once(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """However often somebody asks; what still runs is left out."""
    finish(stores, "a")
    finish(stores, "b", status=StepStatus.FAILED)
    finish(stores, "c", status=StepStatus.RETRYING)
    stores.steps.begin("run-1", "d", None, {})
    assert queue.ask("run-1", "token:anna") == 2
    assert queue.ask("run-1", "token:ben") == 0
    assert states(engine) == {"a": "pending", "b": "pending"}
    assert {row.created_by for row in rows(engine, reasonings)} == {"token:anna"}


def test_an_explanation_is_kept_on_its_step(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """With who wrote it and what it took; then nothing is left to do."""
    finish(stores, "a")
    queue.ask("run-1", "test")
    wanted = taken(queue)
    assert (wanted.step, wanted.input, wanted.output, wanted.tries) == ("a", {"Thread": 1}, {"tasks": 2}, 1)
    usage = Usage(prompt_tokens=10, answer_tokens=5, cost_usd=0.25)
    assert queue.complete(
        wanted, "worker", Explanation(text="Since token=abcd1234 was there.", author="m:1", usage=usage)
    )
    [step], [row] = rows(engine, steps), rows(engine, reasonings)
    assert (step.reasoning, step.prompt_tokens, float(step.cost_usd)) == ("Since token=[redacted] was there.", 10, 0.25)
    assert (row.status, row.author, row.answer_tokens, row.attempts) == ("completed", "m:1", 5, 1)
    assert queue.ask("run-1", "test") == 0
    assert not is_any_due(queue)


def test_whoever_waits_is_told_that_an_explanation_is_wanted(
    stores: Stores, queue: Reasonings, database_url: str
) -> None:
    """And when it may be written; where nobody asks for any, nothing is said."""
    with listening(database_url) as bell:
        finish(stores, "a")
        assert queue.next_due() is None
        queue.ask("run-1", "test")
        queue.ask("run-1", "test")
        assert bell.wait(BELL, timedelta(seconds=10))
        assert not bell.wait(BELL, timedelta())
        wanted = taken(queue)
        due = queue.next_due()
        assert due and LEASE - timedelta(minutes=1) < due <= LEASE
        queue.fail(wanted, "worker", "rate_limited", "slow down", NOW)
        assert bell.wait(BELL, timedelta(seconds=10)), "it is due sooner than its lease ends"


def test_many_workers_take_each_step_once(stores: Stores, queue: Reasonings) -> None:
    """Those who come at the same time pass over what another has."""
    for number in range(20):
        finish(stores, f"step-{number}")
    queue.ask("run-1", "test")
    with ThreadPoolExecutor(8) as pool:
        got = [*pool.map(lambda number: queue.take(f"worker-{number}", LEASE), range(24))]
    names = [wanted.step for wanted in got if wanted]
    assert sorted(names) == sorted(f"step-{number}" for number in range(20))


def test_what_a_dead_worker_had_is_taken_again_after_its_lease(
    stores: Stores, queue: Reasonings, engine: sa.Engine
) -> None:
    """Not sooner; and the one who was thought dead does not write it a second time."""
    finish(stores, "a")
    queue.ask("run-1", "test")
    first = taken(queue, "dead")
    assert queue.take("next", LEASE) is None
    assert not is_any_due(queue)
    expire(engine)
    assert is_any_due(queue)
    second = taken(queue, "next")
    assert (second.id, second.attempts) == (first.id, 2)
    assert not queue.complete(first, "dead", Explanation(text="Late.", author="offline"))
    assert queue.complete(second, "next", TEXT)
    assert not queue.complete(second, "next", Explanation(text="Twice.", author="offline"))
    assert rows(engine, steps)[0].reasoning == "Because."


def test_a_run_that_goes_on_with_a_dead_one_need_not_wait(stores: Stores, queue: Reasonings) -> None:
    """It gives back what its predecessor had begun; what others have stays theirs."""
    finish(stores, "a")
    finish(stores, "b")
    queue.ask("run-1", "test")
    first, other = taken(queue, "dead"), taken(queue, "other")
    assert queue.give_back("dead") == 1
    assert taken(queue, "next").id == first.id
    assert queue.take("next", LEASE) is None
    assert queue.complete(other, "other", TEXT)


def test_what_kills_its_worker_each_time_is_given_up(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """After three tries, and the next one in the queue has its turn."""
    finish(stores, "a")
    queue.ask("run-1", "test")
    for _ in range(MOST_ATTEMPTS):
        taken(queue, lease=NOW)
    assert queue.take("worker", LEASE) is None
    [row] = rows(engine, reasonings)
    assert (row.status, row.reason, row.attempts) == ("failed", "crashed", MOST_ATTEMPTS)


def test_a_failure_is_tried_again_after_its_pause(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """Three times; then it has failed, until somebody asks again."""
    finish(stores, "a")
    queue.ask("run-1", "test")
    assert queue.fail(taken(queue), "worker", "rate_limited", "slow down", LEASE)
    assert queue.take("worker", LEASE) is None
    for _ in range(MOST_ATTEMPTS - 1):
        expire(engine)
        assert queue.fail(taken(queue), "worker", "rate_limited", "Bearer abcdefgh1234", NOW)
    [row] = rows(engine, reasonings)
    assert (row.status, row.reason, row.error) == ("failed", "rate_limited", "Bearer [redacted]")
    assert queue.ask("run-1", "test") == 1
    assert taken(queue).attempts == 1


def test_a_step_that_runs_again_loses_its_explanation(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """It was of another attempt, and may be asked for anew."""
    finish(stores, "a")
    queue.ask("run-1", "test")
    queue.complete(taken(queue), "worker", TEXT)
    finish(stores, "a")
    assert rows(engine, steps)[0].reasoning is None
    assert queue.ask("run-1", "test") == 1


@pytest.mark.parametrize(
    ("of_team", "of_source", "asked"),
    [(None, None, 0), (True, None, 1), (True, False, 0), (None, True, 1), (False, None, 0)],
)
def test_steps_enqueue_themselves_where_that_is_chosen(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine, of_team: Any, of_source: Any, asked: int
) -> None:
    """By the source, else by the team, else not."""
    choose(stores, of_team, of_source)
    stores.notes.open("run-1", "run-1", Trigger.WEBHOOK, {}, "0.1.0", team_name="acme")
    stores.notes.stage("run-1", Stage.AI_ANALYSIS, source_config_id=slack_config.id)
    finish(stores, "a")
    assert len(rows(engine, reasonings)) == asked
    assert {row.team_id for row in rows(engine, reasonings)} <= {slack_config.team_id}
    assert not is_any_due(stores.reasonings)
    expire(engine)
    assert is_any_due(stores.reasonings) is bool(asked)


def test_explanations_go_with_their_run(stores: Stores, queue: Reasonings, engine: sa.Engine) -> None:
    """Retention forgets them with the steps."""
    finish(stores, "a")
    finish(stores, "a", "run-2")
    queue.ask("run-1", "test")
    queue.ask("run-2", "test")
    stores.retention.forget_runs(["run-1"])
    assert [row.run_id for row in rows(engine, reasonings)] == ["run-2"]


def test_figures_count_by_state_and_team(stores: Stores, queue: Reasonings, slack_config: SourceConfig) -> None:
    """With rates of what has ended, and nothing to divide where nothing has."""
    assert queue.figures().success_rate is None
    stores.notes.open("run-1", "run-1", Trigger.WEBHOOK, {}, "0.1.0", team_name="acme")
    for step in "abcde":
        finish(stores, step)
    queue.ask("run-1", "test")
    for _ in range(2):
        queue.complete(taken(queue), "worker", TEXT)
    failing = taken(queue)
    queue.fail(failing.model_copy(update={"attempts": MOST_ATTEMPTS}), "worker", "schema", "no", NOW)
    taken(queue)
    figures = queue.figures(slack_config.team_id)
    assert (figures.pending, figures.processing, figures.completed, figures.failed) == (1, 1, 2, 1)
    assert figures.success_rate == pytest.approx(2 / 3)
    assert figures.average_ms is not None
    assert figures.p95_ms is not None
    assert figures.p95_ms >= 0
    assert queue.figures(slack_config.id).completed == 0


def is_any_due(queue: Reasonings) -> bool:
    """Say whether an explanation waits for somebody to write it."""
    due = queue.next_due()
    return due is not None and due <= timedelta()


def expire(engine: sa.Engine) -> None:
    """Let all leases and pauses be over."""
    with engine.begin() as connection:
        connection.execute(sa.update(reasonings).values(due_at=sa.func.now() - LEASE))


def choose(stores: Stores, of_team: bool | None, of_source: bool | None) -> None:
    """Set the preference of the team and of the source, as far as they have one."""
    with stores.engine.begin() as connection:
        for table, value in ((teams, of_team), (source_configs, of_source)):
            if value is not None:
                connection.execute(sa.update(table).values(preferences={"explain": value}))
