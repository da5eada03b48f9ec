"""The explanation job: one run writes what waits, after a crash the next goes on, and each step is explained once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from discubot_pipeline.defs import ticks
from discubot_pipeline.defs.explain import explanation_job, waiting_explanations
from discubot_pipeline.defs.resources import job
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.store.tables import reasonings, source_configs
from discubot_pipeline.tracking.runs import ROOT
from tests.defs.paper import Paper
from tests.defs.test_sensors import someone_listens
from tests.defs.ticks import by_hand, tick
from tests.defs.workshop import Ended, Workshop, services_of_the_test
from tests.tracking.ledger import RETRIES
from tests.waiting import until

SIX = {
    "validate_discussion",
    "load_config",
    "build_thread",
    "analyze_thread",
    "create_tasks",
    "finalize_discussion",
}


class PaperWithoutModel(Paper):
    """A world on paper in which nobody chose a model."""

    def explainer(self, config: object) -> None:  # type: ignore[override]
        """Give none."""


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sensor look, and not wait for what is not there."""
    monkeypatch.setattr(ticks, "LONGEST_WAIT", timedelta())


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


@pytest.fixture
def done(workshop: Workshop) -> Ended:
    """Give a discussion's run whose explanations somebody has asked for."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    assert workshop.services.stores.reasonings.ask(ended.id, "test") == len(SIX)
    return ended


def explain(workshop: Workshop, **tags: str) -> tuple[Ended, dict[str, Any]]:
    """Run the explanation job; gives it with what it shows of itself."""
    result = explanation_job.execute_in_process(
        instance=workshop.instance,
        resources={"services": workshop.services, "job": job},
        tags=tags,
        raise_on_error=False,
    )
    shown = [event.step_output_data.metadata for event in result.all_events if event.is_successful_output]
    return workshop.ended(result.run_id), {name: entry.value for name, entry in shown[0].items()} if shown else {}


def texts(workshop: Workshop, run: Ended) -> dict[str, str]:
    """Give the explanations of a run's steps."""
    return {name: row.reasoning for name, row in workshop.records(run.id).items() if row.reasoning}


def expire(workshop: Workshop) -> None:
    """Let all leases and pauses be over."""
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.update(reasonings).values(due_at=sa.func.now()))


def test_one_run_explains_all_that_waits(workshop: Workshop, done: Ended) -> None:
    """It shows how many, counts what the model took on each step, and then nothing waits."""
    run, shown = explain(workshop)
    assert run.status == "SUCCESS"
    assert shown == {"explained": 6, "postponed": 0, "pending": 0, "processing": 0, "completed": 6, "failed": 0}
    assert texts(workshop, done) == {step: f"Paper knows why {step} did it." for step in SIX}
    assert {float(row.cost_usd) for row in workshop.records(done.id).values()} == {0.5}
    note = workshop.note(run.id)
    assert (note.outcome, note.counters, note.summary) == (
        "completed",
        {"explained": 6},
        "6 steps explained, 0 put off.",
    )
    assert isinstance(tick(workshop, waiting_explanations).skip_message, str)


def test_what_waits_starts_one_run(workshop: Workshop, done: Ended) -> None:
    """Not while another is at work, nor when somebody tries the sensor by hand."""
    assert not by_hand(workshop, waiting_explanations).run_requests
    assert len(tick(workshop, waiting_explanations).run_requests) == 1
    run = workshop.instance.create_run_for_job(explanation_job, status=dg.DagsterRunStatus.STARTED)
    assert not tick(workshop, waiting_explanations).run_requests
    workshop.instance.delete_run(run.run_id)
    assert len(tick(workshop, waiting_explanations).run_requests) == 1


def test_the_sensor_wakes_up_when_somebody_asks(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits on the bell, not on a clock."""
    ended = workshop.launch(delivery_ids=[workshop.deliver()])
    monkeypatch.setattr(ticks, "LONGEST_WAIT", timedelta(minutes=1))
    with ThreadPoolExecutor(1) as pool:
        ticking = pool.submit(tick, workshop, waiting_explanations)
        until(lambda: someone_listens(workshop))
        workshop.services.stores.reasonings.ask(ended.id, "test")
        assert len(ticking.result(timeout=20).run_requests) == 1


def test_a_run_that_dies_in_the_middle_leaves_the_rest_to_the_next(workshop: Workshop, done: Ended) -> None:
    """Its own step after the lease; what it had finished is not written, or paid for, again."""
    workshop.paper.troubles["explain"] = [None, None, MemoryError("killed")]
    died, _ = explain(workshop)
    assert died.status == "FAILURE"
    assert len(texts(workshop, done)) == 2
    _, shown = explain(workshop)
    assert shown["explained"] == 3
    assert shown["processing"] == 1
    assert not tick(workshop, waiting_explanations).run_requests
    expire(workshop)
    assert len(tick(workshop, waiting_explanations).run_requests) == 1
    explain(workshop)
    assert set(texts(workshop, done)) == SIX
    assert workshop.paper.calls.count("explain") == len(SIX) + 1
    assert {float(row.cost_usd) for row in workshop.records(done.id).values()} == {0.5}


def rebuilt() -> dg.JobDefinition:
    """Build the job for re-execution."""
    resources = {"services": services_of_the_test, "job": job}
    return dg.Definitions(jobs=[explanation_job], resources=resources).resolve_job_def("explanation_job")


def test_a_retry_of_a_dead_run_need_not_wait_for_the_lease(workshop: Workshop, done: Ended) -> None:
    """It takes over what its parent had begun."""
    workshop.paper.troubles["explain"] = [MemoryError("killed")]
    died, _ = explain(workshop)
    options = dg.ReexecutionOptions.from_failure(died.id, workshop.instance)
    family = {ROOT: died.id, "dagster/parent_run_id": died.id}
    with (
        workshop.at_hand(),
        dg.execute_job(
            dg.reconstructable(rebuilt), workshop.instance, tags=family, reexecution_options=options
        ) as result,
    ):
        assert result.success
    assert set(texts(workshop, done)) == SIX


def test_a_model_that_needs_time_gets_it(workshop: Workshop, done: Ended) -> None:
    """The step waits, the others are explained; the third time it is explained off its record."""
    for number in range(3):
        workshop.paper.troubles["explain"] = [Transient("rate_limited", "slow down")]
        _, shown = explain(workshop)
        assert shown["postponed"] == (1 if number < 2 else 0)
        expire(workshop)
    told = texts(workshop, done)
    assert set(told) == SIX
    assert sum("Paper knows" in text for text in told.values()) == len(SIX) - 1
    asked = {row.author for row in workshop.services.stores.reasonings.of_run(done.id)}
    assert asked == {"paper:1", "offline"}


def test_a_model_that_cannot_is_stood_in_for(workshop: Workshop, done: Ended) -> None:
    """At once, since no wait would help."""
    workshop.paper.troubles["explain"] = [Permanent("model_auth", "no key")] * len(SIX)
    _, shown = explain(workshop)
    assert shown["explained"] == len(SIX)
    assert not any("Paper knows" in text for text in texts(workshop, done).values())


class TestOffline:
    """Explanations without a model, off the records of a real run."""

    @pytest.fixture
    def paper(self) -> Paper:
        """Give a world in which nobody chose a model."""
        return PaperWithoutModel()

    def test_each_step_names_its_input_decision_and_evidence(self, workshop: Workshop, done: Ended) -> None:
        """In words of its own, off what its record holds."""
        explain(workshop)
        told = texts(workshop, done)
        page = next(iter(workshop.paper.pages.values())).url
        evidence = {
            "validate_discussion": ("delivery", "C1:1.1", "acme", "1.2"),
            "load_config": ("C1:1.1", str(workshop.config.id), "version 1"),
            "build_thread": ("C1:1.1", "1 message by Anna", "“The landing page looks tired”"),
            "analyze_thread": ("“The landing page”", "2 tasks", "“Fix the header”"),
            "create_tasks": ("2 tasks", "“Update the footer”", page),
            "finalize_discussion": ("2 pages", "completed", "“"),
        }
        for step, words in evidence.items():
            assert not [word for word in words if word not in told[step]], told[step]

    def test_no_two_steps_share_their_words(self, workshop: Workshop, done: Ended) -> None:
        """Without names and numbers, no sentence of one stands in another."""
        explain(workshop)
        sentences = [set(text.split(". ")) for text in texts(workshop, done).values()]
        assert len(set.union(*sentences)) == sum(map(len, sentences))

    def test_a_failure_is_explained_too(self, workshop: Workshop) -> None:
        """With its reason and its words."""
        workshop.paper.troubles["fetch"] = [Permanent("not_in_channel", "invite the app")]
        failed = workshop.launch(delivery_ids=[workshop.deliver()])
        workshop.services.stores.reasonings.ask(failed.id, "test")
        explain(workshop)
        told = texts(workshop, failed)["build_thread"]
        assert "C1:1.1" in told
        assert "It failed, for the reason not_in_channel: “invite the app”." in told

    def test_steps_explain_themselves_where_their_source_wants_it(self, workshop: Workshop) -> None:
        """Nobody has to ask."""
        with workshop.services.engine.begin() as connection:
            connection.execute(sa.update(source_configs).values(preferences={"explain": True}))
        ended = workshop.launch(delivery_ids=[workshop.deliver()])
        expire(workshop)
        explain(workshop)
        assert set(texts(workshop, ended)) == SIX
