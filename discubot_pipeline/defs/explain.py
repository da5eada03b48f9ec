"""The explanation job with its op, and the sensor that starts it when an explanation waits: one run for many steps."""

import dagster as dg

from discubot_pipeline.defs.jobs import CLASS
from discubot_pipeline.defs.perform import job_of
from discubot_pipeline.defs.ticks import RUNNING, comes_due, is_due, is_test
from discubot_pipeline.domain.job import RunOutcome, Scope
from discubot_pipeline.stages.explain import explain_all
from discubot_pipeline.store.reasonings import BELL
from discubot_pipeline.tracking.jobs import UNFINISHED
from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.tracking.origin import SCOPE
from discubot_pipeline.wiring import Services


@dg.op(required_resource_keys={"services", "job"}, out=dg.Out(dg.Nothing))
def explain_steps(context: dg.OpExecutionContext) -> None:
    """Write the explanations that wait, one by one, and keep each on its step."""
    services: Services = context.resources.services
    logger: JobLogger = context.resources.job
    with logger.stage("explain", "Explaining steps"):
        done = explain_all(job_of(context), services.stores, services.outside, logger)
    figures = services.stores.reasonings.figures()
    left = figures.model_dump(include={"pending", "processing", "completed", "failed"})
    context.add_output_metadata({"explained": 0, "postponed": 0} | done | left)
    logger.summary(f"{done['explained']} steps explained, {done['postponed']} put off.")
    services.stores.notes.close(context.run_id, RunOutcome.COMPLETED)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={CLASS: "audit", SCOPE: Scope.SYSTEM.value},
    description="Explains why steps did what they did: by the team's language model, else off their records.",
)
def explanation_job() -> None:
    """Wire the one op."""
    explain_steps()


@dg.sensor(
    job=explanation_job,
    minimum_interval_seconds=5,
    default_status=RUNNING,
    description="Starts a run when explanations wait and no run is writing any.",
)
def waiting_explanations(
    context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run; what comes while it works is its own to write, or the next one's."""
    queue = services.stores.reasonings
    if is_test(context):
        return dg.SkipReason(f"A test starts nothing. Due: {'yes' if is_due(queue) else 'nothing'}.")
    if not comes_due(queue, BELL, services.settings.listen_url):
        return dg.SkipReason("No explanation waits.")
    at_work = dg.RunsFilter(job_name=explanation_job.name, statuses=UNFINISHED)
    if context.instance.get_runs_count(at_work):
        return dg.SkipReason("A run is writing explanations.")
    return dg.RunRequest()
