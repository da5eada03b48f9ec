"""What ops and sensors are handed: the services of this process, the job logger, and the place of op outputs."""

import logging
from collections.abc import Iterator

import dagster as dg
from pydantic import BaseModel

from discubot_pipeline.domain.job import Stage
from discubot_pipeline.domain.meters import tally
from discubot_pipeline.store.meters import Meters
from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.tracking.origin import open_note
from discubot_pipeline.wiring import Services, shared

logger = logging.getLogger(__name__)
STAGES: dict[str, tuple[str, ...]] = {
    "discussion_job": tuple(Stage),
    "status_job": (Stage.NOTIFICATION,),
    "retention_job": ("payloads", "jobs", "analyses", "operations"),
    "backfill_job": ("import",),
    "statistics_job": ("statistics",),
}
"""The stages of each job that has them planned, in their order."""


@dg.resource(description="Stores and adapters of this process.")
def services(_: dg.InitResourceContext) -> Services:
    """Hand out the services of this process; run workers and the code server each build theirs once."""
    return shared()


@dg.resource(required_resource_keys={"services"}, description="Stage, progress, outcome and log of the run.")
def job(context: dg.InitResourceContext) -> Iterator[JobLogger]:
    """Open the run's note, hand out its logger, and write what is not written yet when the run is over."""
    run = context.run
    if run is None or context.instance is None:
        raise dg.DagsterInvariantViolationError("the resource `job` belongs to a run: a sensor has none")
    stores = context.resources.services.stores
    open_note(run, stores.notes)
    told = JobLogger(run, context.instance, stores.notes, STAGES.get(run.job_name, ()))
    try:
        yield told
    finally:
        told.save_outcome()
        save_sums(stores.meters)


def save_sums(meters: Meters) -> None:
    """Add what this process has measured to the sums of all; when that fails it waits for the process's next run."""
    taken = tally.take()
    try:
        meters.add(taken)
    except Exception as error:
        tally.put(taken)
        logger.warning("tracking_failed", extra={"call": "meters", "error": type(error).__name__})


class StepOutputs(dg.IOManager):
    """Keeps each op's output in its step record, so that any machine can go on from it."""

    def __init__(self, services: Services) -> None:
        self._steps = services.stores.steps

    def handle_output(self, context: dg.OutputContext, obj: BaseModel) -> None:
        """Store an op's output."""
        self._steps.store_output(context.run_id, context.step_key, obj.model_dump(mode="json"))

    def load_input(self, context: dg.InputContext) -> BaseModel:
        """Read an earlier op's output, of this run or of the one it re-executes."""
        upstream = context.upstream_output
        if upstream is None:
            raise dg.DagsterInvariantViolationError("an op of this job takes its input from another op only")
        kept = self._steps.output(upstream.run_id, upstream.step_key)
        if kept is None:
            raise dg.Failure(
                f"The output of {upstream.step_key} in run {upstream.run_id} is gone (its retention is over): "
                "re-execute all steps."
            )
        kind: type[BaseModel] = context.dagster_type.typing_type
        return kind.model_validate(kept)


@dg.io_manager(required_resource_keys={"services"}, description="Op outputs, in the steps table.")
def step_outputs(context: dg.InitResourceContext) -> StepOutputs:
    """Build the IO manager."""
    return StepOutputs(context.resources.services)
