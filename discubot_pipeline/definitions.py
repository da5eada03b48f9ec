"""Gathers `defs/` for Dagster; nothing else happens here."""

import dagster as dg

from discubot_pipeline.defs import deliver, jobs, resources, schedules, sensors

defs = dg.Definitions(
    jobs=[jobs.discussion_job, jobs.status_job, jobs.backfill_job, jobs.retention_job, jobs.hooks_job],
    sensors=[
        *sensors.inboxes,
        sensors.failed_runs,
        sensors.cancelled_runs,
        sensors.unfinished_work,
        deliver.ends_to_tell,
    ],
    schedules=[schedules.retention],
    resources={"services": resources.services, "job": resources.job, "io_manager": resources.step_outputs},
)
