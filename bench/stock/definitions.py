"""The peer: the same ops and resources under stock Dagster, with sensors that poll."""

import os

import dagster as dg

from discubot_pipeline.defs import ops, resources
from discubot_pipeline.defs.hooks import close_failure
from discubot_pipeline.defs.sensors import LEASE, QUEUE_BOUND, request
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.wiring import Services

EXECUTORS = {"in_process": dg.in_process_executor, "default": None}


@dg.job(
    executor_def=EXECUTORS[os.environ["BENCH_EXECUTOR"]], hooks={close_failure}, tags={"discubot/class": "discussion"}
)
def discussion_job() -> None:
    """Wire the six stages, as the real job does."""
    thread = ops.build_thread(ops.load_config(ops.validate_discussion()))
    ops.finalize_discussion(thread, ops.create_tasks(thread, ops.analyze_thread(thread)))


@dg.sensor(job=discussion_job, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def slack_inbox(_: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]) -> dg.SensorResult:
    """Ask for a run for each thread that is due."""
    runs = services.stores.inboxes[SourceType.SLACK].lease(QUEUE_BOUND, LEASE)
    return dg.SensorResult(run_requests=[request(run) for run in runs])


defs = dg.Definitions(
    jobs=[discussion_job],
    sensors=[slack_inbox],
    resources={"services": resources.services, "job": resources.job, "io_manager": resources.step_outputs},
)
