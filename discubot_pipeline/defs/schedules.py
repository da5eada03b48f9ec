"""When things happen by the clock."""

import dagster as dg

from discubot_pipeline.defs.jobs import retention_job

retention = dg.ScheduleDefinition(
    name="retention",
    job=retention_job,
    cron_schedule="17 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes old jobs and payloads every night.",
)
