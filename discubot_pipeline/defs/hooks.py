"""Closes an ordinary failure at once, in the run's own process. Crashes and cancellations are the sensors'."""

import dagster as dg

from discubot_pipeline.domain.job import STAGE_OF
from discubot_pipeline.stages.close import close_failed
from discubot_pipeline.wiring import Services


@dg.failure_hook(required_resource_keys={"services"})
def close_failure(context: dg.HookContext) -> None:
    """End the discussion and its deliveries as failed, and say so in the thread."""
    services: Services = context.resources.services
    run = context.instance.get_run_by_id(context.run_id)
    root = (run.root_run_id if run else None) or context.run_id
    reason, message = why(context.op_exception)
    stage = STAGE_OF.get(context.op.name)
    close_failed(context.run_id, root, stage, reason, message, services.stores, services.outside)


def why(error: BaseException | None) -> tuple[str, str]:
    """Read reason and message off what an op raised; what has no reason is a fault of ours."""
    if isinstance(error, dg.Failure):
        reason = error.metadata.get("reason")
        return str(reason.value) if reason else "internal", error.description or str(error)
    return "internal", repr(error)
