"""Whatever becomes of the model, a thread is analysed; what the model took is counted, and paid for once."""

import json
import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from discubot_pipeline.domain.analysis import DetectedTask, Findings, Judgement, Unusable, Usage
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.job import Stage
from discubot_pipeline.domain.meters import Meter, Sum, tally
from discubot_pipeline.stages.analyze import STEP
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import StepStatus, analyses
from tests.stages.desk import RUN, SAID, Desk, Scripted
from tests.store.samples import ago, change, message, rows, thread_of

USAGE = Usage(prompt_tokens=1200, answer_tokens=300, cost_usd=0.0054)
TASKS = tuple(DetectedTask(title=f"Task {number}", confidence=number / 10) for number in range(1, 6))
FINDINGS = Findings(summary="A model's words", confidence=0.9, tasks=TASKS)
GOOD = Judgement(findings=FINDINGS, usage=USAGE)
LATER, MUCH_LATER = timedelta(minutes=3), timedelta(hours=2)
LAST = {"is_last_attempt": True}
DEGRADING: list[tuple[PipelineError, dict[str, bool]]] = [
    (Transient("model_down", "out of order"), LAST),
    (Transient("rate_limited", "busy", timedelta(seconds=5)), LAST),
    (Transient("rate_limited", "busy", MUCH_LATER), {}),
    (Permanent("model_auth", "key refused"), {}),
    (Permanent("model_quota", "used up"), {}),
    (Permanent("model_unknown", "no such model"), {}),
    (Permanent("model_refused_request", "too long"), {}),
    (Unusable("model_refusal", "refused", USAGE), {}),
    (Unusable("model_truncated", "cut off", USAGE), {}),
    (Unusable("model_garbage", "nonsense", USAGE), {}),
]


@pytest.fixture
def desk(stores: Stores, slack_config: SourceConfig, output: Output) -> Desk:
    """Let a run hold a discussion, with its thread read."""
    thread = thread_of(slack_config, [message(number, text) for number, text in enumerate(SAID)])
    made = Desk(stores, thread).having(delivery_ids=(1,))
    stores.discussions.open(made.thread.configured.parsed, RUN, ())
    stores.steps.begin(RUN, STEP, Stage.AI_ANALYSIS, {})
    return made


def uuid_of_nobody(desk: Desk) -> UUID:
    """Give the id of another team."""
    return desk.stores.configs.add_team("other", "test").id


def spent(row: object) -> tuple[int, int, float]:
    """Read what a row counts."""
    return (row.prompt_tokens, row.answer_tokens, float(row.cost_usd))  # type: ignore[attr-defined]


def test_a_models_answer_is_stored_with_its_cost(desk: Desk) -> None:
    """Findings, tokens and dollars are on the analysis, the discussion and the step, and in this process's sums."""
    tally.take()
    analysis = desk.run(Scripted(GOOD))
    assert (analysis.findings, analysis.analyst, analysis.degraded) == (FINDINGS, "scripted:model", False)
    assert (analysis.prompt_tokens, analysis.answer_tokens, analysis.cost_usd) == (1200, 300, 0.0054)
    assert (desk.discussion.ai_summary, desk.discussion.analyst) == ("A model's words", "scripted:model")
    assert spent(desk.discussion) == spent(desk.step) == (1200, 300, 0.0054)
    sums = tally.take()
    assert [sums[Sum(Meter.TOKENS, (kind,))] for kind in ("prompt", "answer")] == [1200, 300]
    assert sums[Sum(Meter.DOLLARS, ())] == 0.0054


def test_what_a_team_spends_in_a_day_is_summed(desk: Desk) -> None:
    """Over all steps of its runs; other teams' are not in it."""
    steps, parsed = desk.stores.steps, desk.thread.configured.parsed
    for number in range(3):
        run = f"{number}1111111-1111-4111-8111-111111111111"
        steps.begin(run, STEP, Stage.AI_ANALYSIS, {})
        steps.spend(run, STEP, USAGE)
        steps.end(run, STEP, StepStatus.COMPLETED, team_id=parsed.team_id if number else uuid_of_nobody(desk))
    [spent_today] = steps.spent(parsed.team_id, datetime.now(UTC) - timedelta(hours=1)).values()
    assert spent_today == Usage(prompt_tokens=2400, answer_tokens=600, cost_usd=0.0108)
    assert steps.spent(parsed.team_id, datetime.now(UTC) + timedelta(hours=1)) == {}


def test_an_unknown_price_is_no_price(desk: Desk) -> None:
    """Tokens are counted, the cost is not known and not guessed."""
    analysis = desk.run(Scripted(GOOD.model_copy(update={"usage": USAGE.model_copy(update={"cost_usd": None})})))
    assert analysis.cost_usd is None
    assert spent(desk.step) == (1200, 300, 0.0)


@pytest.mark.parametrize(("failure", "job"), DEGRADING, ids=lambda value: getattr(value, "reason", ""))
def test_a_model_that_fails_is_stood_in_for(
    desk: Desk, failure: PipelineError, job: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    """The built-in analyst does it, the result says why, and a useless answer is paid for all the same."""
    with caplog.at_level(logging.WARNING):
        analysis = desk.run(Scripted(failure), **job)
    assert (analysis.analyst, analysis.degraded, analysis.degraded_reason) == ("rules", True, failure.reason)
    assert [task.title for task in analysis.findings.tasks] == ["Fix the Pay button"]
    assert desk.discussion.analyst == "rules"
    expected = (1200, 300, 0.0054) if isinstance(failure, Unusable) else (0, 0, 0.0)
    assert spent(desk.discussion) == spent(desk.step) == expected
    [record] = caplog.records
    assert (record.message, record.reason) == ("analysis_degraded", failure.reason)  # type: ignore[attr-defined]
    assert not rows(desk.stores.engine, analyses)


@pytest.mark.parametrize("wait", [None, timedelta(seconds=15), LATER])
def test_a_pause_that_is_worth_it_is_waited_for(desk: Desk, wait: timedelta | None) -> None:
    """Short ones within the op, longer ones by coming back; nothing is stored meanwhile."""
    with pytest.raises(Transient):
        desk.run(Scripted(Transient("rate_limited", "busy", wait)))
    assert desk.discussion.analyst is None


def test_nobody_waits_twice(desk: Desk) -> None:
    """A run that comes after a wait, that cannot wait, or that goes on with another one does it without the model."""
    busy = Scripted(Transient("rate_limited", "busy", LATER))
    assert desk.having(resume_from="another-run").run(busy).degraded
    assert desk.having(delivery_ids=()).run(busy).degraded
    assert desk.run(busy, parent_run_id="another-run").degraded


def test_a_fault_of_ours_is_not_hidden(desk: Desk) -> None:
    """Only verdicts are stood in for."""
    with pytest.raises(ZeroDivisionError):
        desk.run(Scripted(ZeroDivisionError()))


def test_the_same_question_is_paid_for_once(desk: Desk) -> None:
    """A retry, and a run after it, take the answer that is kept; it costs nothing more."""
    model = Scripted(GOOD, fingerprint="model 1")
    first = desk.run(model)
    again = desk.run(model)
    assert (len(model.briefs), again.findings, again.cached, again.cost_usd) == (1, first.findings, True, 0.0)
    assert spent(desk.discussion) == (1200, 300, 0.0054)
    other_run = "22222222-2222-4222-8222-222222222222"
    desk.stores.discussions.release(desk.thread.configured.parsed.discussion_id, RUN)
    desk.stores.discussions.open(desk.thread.configured.parsed, other_run, ())
    assert desk.run(model, run_id=other_run, root_run_id=other_run).cached


def test_fresh_asks_again_and_keeps_the_new_answer(desk: Desk) -> None:
    """The old answer is passed over and replaced."""
    newer = GOOD.model_copy(update={"findings": FINDINGS.model_copy(update={"summary": "Newer"})})
    model = Scripted(GOOD, newer, fingerprint="model 1")
    desk.run(model)
    assert desk.having(fresh=True).run(model).findings.summary == "Newer"
    assert desk.run(model).findings.summary == "Newer"
    assert len(model.briefs) == 2


@pytest.mark.parametrize("what", ["thread", "prompts", "team", "limits"])
def test_another_question_is_asked(desk: Desk, what: str) -> None:
    """Other words, another model or prompt, another team, other settings: nothing kept fits."""
    desk.run(Scripted(GOOD, fingerprint="model 1"))
    model = Scripted(GOOD, fingerprint="model 2" if what == "prompts" else "model 1")
    if what == "thread":
        said = (*desk.thread.messages[:-1], message(1, "Please fix the Buy button."))
        object.__setattr__(desk, "thread", desk.thread.model_copy(update={"messages": said}))
    elif what == "limits":
        desk.prefer(max_tasks=2)
    elif what == "team":
        other = desk.stores.configs.add_team("other", "test")
        change(desk.stores.engine, analyses, team_id=other.id)
    desk.run(model)
    assert len(model.briefs) == 1


def test_old_answers_are_forgotten(desk: Desk) -> None:
    """Those older than the age go, younger ones stay."""
    engine, retention = desk.stores.engine, desk.stores.retention
    for number, hours in enumerate((721, 719)):
        desk.run(Scripted(GOOD, fingerprint=f"model {number}"))
        change(engine, analyses, analyses.c.created_at > ago(hours=1), created_at=ago(hours=hours))
    assert retention.purge_analyses(timedelta(days=30), dry_run=True) == 1
    assert retention.purge_analyses(timedelta(days=30)) == 1
    assert len(rows(engine, analyses)) == 1


def test_the_analysis_of_a_run_that_waited_is_taken_over(desk: Desk) -> None:
    """The earlier run has paid for it."""
    earlier = "33333333-3333-4333-8333-333333333333"
    analysis = desk.run(Scripted(GOOD))
    desk.stores.steps.begin(earlier, STEP, Stage.AI_ANALYSIS, {})
    desk.stores.steps.store_output(earlier, STEP, analysis.model_dump(mode="json"))
    model = Scripted(GOOD)
    taken = desk.having(resume_from=earlier).run(model)
    assert (taken.findings, taken.cost_usd, taken.cached, model.briefs) == (FINDINGS, 0.0, True, [])


def test_preferences_bound_what_comes_of_it(desk: Desk) -> None:
    """No more tasks than wanted, and none that is less sure."""
    desk.prefer(max_tasks=2, min_confidence=0.25)
    assert [task.title for task in desk.run(Scripted(GOOD)).findings.tasks] == ["Task 3", "Task 4"]


def test_a_brief_has_people_and_domains(desk: Desk) -> None:
    """Domains are those that were chosen, else those that outputs ask for."""
    config = desk.stores.configs.sources()[0]
    routed = config.preferences.domains
    [existing] = desk.stores.configs.outputs(config)
    desk.stores.configs.add_output(config, "design", "db-2", existing.credentials, "test", domains=("design", "web"))
    model = Scripted(GOOD)
    desk.run(model)
    desk.prefer(domains=["own"])
    desk.run(model)
    assert routed == ()
    assert [brief.domains for brief in model.briefs] == [("design", "web"), ("own",)]
    assert model.briefs[0].people == ("Anna",)


def test_with_ai_off_the_discussion_is_the_task(desk: Desk) -> None:
    """Nobody is asked, and nothing is degraded."""
    desk.prefer(ai_enabled=False)
    model = Scripted(GOOD)
    analysis = desk.run(model)
    assert (analysis.analyst, analysis.degraded, model.briefs) == ("none", False, [])
    assert [task.title for task in analysis.findings.tasks] == ["Header on phones"]


def test_no_words_of_the_thread_are_in_the_key(desk: Desk) -> None:
    """What is kept is found by a hash."""
    desk.run(Scripted(GOOD, fingerprint="model 1"))
    [row] = rows(desk.stores.engine, analyses)
    assert len(row.key) == 32 and SAID[0].encode() not in row.key
    assert json.loads(json.dumps(row.findings))["summary"] == "A model's words"
