"""Gathers `defs/` for Dagster; nothing else happens here."""

import dagster as dg

from discubot_pipeline.defs import deliver, explain, jobs, operations, resources, schedules, sensors

defs = dg.Definitions(
    jobs=[
        jobs.discussion_job,
        jobs.status_job,
        jobs.backfill_job,
        jobs.retention_job,
        operations.operation_job,
        operations.statistics_job,
        explain.explanation_job,
        jobs.hooks_job,
    ],
    sensors=[
        *sensors.inboxes,
        operations.operations_inbox,
        sensors.failed_runs,
        sensors.cancelled_runs,
        sensors.unfinished_work,
        explain.waiting_explanations,
        deliver.ends_to_tell,
    ],
    schedules=[schedules.retention, operations.statistics_hourly],
    resources={"services": resources.services, "job": resources.job, "io_manager": resources.step_outputs},
)
