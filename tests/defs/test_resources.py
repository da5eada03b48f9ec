"""Op outputs go through the steps table and come back as they were, in this run and in one that goes on with it."""

import dagster as dg
import pytest
from dagster import DagsterType
from pydantic import BaseModel

from discubot_pipeline.defs.resources import StepOutputs, save_sums, step_outputs
from discubot_pipeline.domain.meters import Meter, Sum, tally
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.meters import Meters
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.wiring import Services
from tests.defs import values

RUN = "a-run"


@pytest.fixture
def outputs(services: Services, instance: dg.DagsterInstance) -> StepOutputs:
    """Build the IO manager as Dagster does."""
    context = dg.build_init_resource_context(resources={"services": services}, instance=instance)
    built = step_outputs(context)
    assert isinstance(built, StepOutputs)
    return built


def written(step: str = "an_op", run_id: str = RUN) -> dg.OutputContext:
    """Give the context in which an op's output is stored."""
    return dg.build_output_context(step_key=step, run_id=run_id, name="result")


def wanted(kind: type[BaseModel], upstream: dg.OutputContext | None) -> dg.InputContext:
    """Give the context in which the next op asks for it."""
    expected = DagsterType(lambda _, __: True, kind.__name__, typing_type=kind)
    return dg.build_input_context(upstream_output=upstream, dagster_type=expected)


@pytest.mark.parametrize("value", values.ALL, ids=values.name_of)
def test_each_value_comes_back_as_it_was(outputs: StepOutputs, value: BaseModel) -> None:
    """Tuples, enums, dates, UUIDs and emoji survive JSON."""
    outputs.handle_output(written(), value)
    read = outputs.load_input(wanted(type(value), written()))
    assert read == value
    assert type(read) is type(value)
    assert read.model_dump() == value.model_dump()


def test_runs_and_steps_do_not_mix(outputs: StepOutputs) -> None:
    """Each output is known by run and step."""
    outputs.handle_output(written("one"), values.OUTCOME)
    outputs.handle_output(written("two"), values.PARSED)
    outputs.handle_output(written("one", "other-run"), values.OUTCOME.model_copy(update={"reply": "other"}))
    assert outputs.load_input(wanted(type(values.OUTCOME), written("one"))) == values.OUTCOME


def test_the_last_attempt_counts(outputs: StepOutputs) -> None:
    """An op that ran again has the output of its last time."""
    outputs.handle_output(written(), values.OUTCOME)
    later = values.OUTCOME.model_copy(update={"reply": "later"})
    outputs.handle_output(written(), later)
    assert outputs.load_input(wanted(type(later), written())) == later


def test_an_output_that_is_gone_says_what_to_do(outputs: StepOutputs) -> None:
    """After its retention nobody can go on from it, but all steps can be run again."""
    with pytest.raises(dg.Failure) as failure:
        outputs.load_input(wanted(type(values.PARSED), written("load_config")))
    assert "output of load_config in run a-run is gone" in str(failure.value.description)
    assert "re-execute all steps" in str(failure.value.description)


def test_an_input_comes_from_an_op_only(outputs: StepOutputs) -> None:
    """A value typed into the Launchpad is refused, not guessed at."""
    with pytest.raises(dg.DagsterInvariantViolationError):
        outputs.load_input(wanted(type(values.PARSED), None))


def test_what_was_measured_waits_for_the_database(stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    """A run does not fail because its sums cannot be written; the next of the process brings them."""
    tally.take()
    tally.add(Meter.TOKENS, 5, "prompt")
    away = connect("postgresql+psycopg://nobody@127.0.0.1:9/none", 1)
    save_sums(Meters(away))
    assert [record.getMessage() for record in caplog.records] == ["tracking_failed"]
    save_sums(stores.meters)
    assert stores.meters.read() == {Sum(Meter.TOKENS, ("prompt",)): 5}
