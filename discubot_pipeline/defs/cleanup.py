"""The clean-up op: old inbox payloads, and old runs with their events, step records and notes."""

from datetime import timedelta

import dagster as dg
from pydantic import Field

from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.tracking.storages.retention import old_runs, remove_runs, remove_snapshots
from discubot_pipeline.wiring import Services

BATCH = 500


class CleanupConfig(dg.Config):
    """How old is too old, in days; by default what the settings say."""

    keep_jobs_days: float | None = Field(default=None, ge=0, description="Age of finished jobs.")
    keep_done_payloads_days: float | None = Field(default=None, ge=0, description="Age of payloads of done deliveries.")
    keep_dead_payloads_days: float | None = Field(
        default=None, ge=0, description="Age of payloads of failed deliveries."
    )
    dry_run: bool = Field(default=False, description="Only count.")


@dg.op(required_resource_keys={"services", "job"}, out=dg.Out(dg.Nothing))
def remove_old(context: dg.OpExecutionContext, config: CleanupConfig) -> None:
    """Remove what is older than its retention, in batches, and say how much that was. Running jobs stay."""
    services: Services = context.resources.services
    job: JobLogger = context.resources.job
    settings, retention = services.settings, services.stores.retention
    done = age(config.keep_done_payloads_days, settings.keep_done_payloads)
    dead = age(config.keep_dead_payloads_days, settings.keep_dead_payloads)
    keep = age(config.keep_jobs_days, settings.keep_jobs)
    with job.stage("payloads"):
        payloads = retention.purge_payloads(done, dead, config.dry_run)
        job.add_outcome(payloads=payloads)
    with job.stage("jobs"):
        recordings = retention.forget_recordings(keep, config.dry_run)
        if recordings:
            job.add_outcome(jobs=recordings)
        jobs = recordings + remove_jobs(context, services, keep, config.dry_run)
    with job.stage("analyses"):
        analyses = retention.purge_analyses(keep, config.dry_run)
        job.add_outcome(analyses=analyses)
    with job.stage("operations"):
        operations = services.stores.operations.purge(keep, config.dry_run)
        job.add_outcome(operations=operations)
    counts = {"payloads": payloads, "jobs": jobs, "kept analyses": analyses, "operations": operations}
    context.add_output_metadata({**counts, "dry run": config.dry_run})
    job.summary(f"{'Would remove' if config.dry_run else 'Removed'} {jobs} jobs and {payloads} payloads.")


def age(days: float | None, default: timedelta) -> timedelta:
    """Give an age in days, or the default."""
    return default if days is None else timedelta(days=days)


def remove_jobs(context: dg.OpExecutionContext, services: Services, keep: timedelta, dry_run: bool) -> int:
    """Delete chains of runs whose youngest ended longer ago than `keep`, with all that we keep of them.

    Gives how many runs.
    """
    before, removed, newest = services.outside.clock.now() - keep, 0, 0
    for run_ids in old_runs(context.instance, before, BATCH):
        removed += len(run_ids)
        context.resources.job.add_outcome(jobs=len(run_ids))
        if not dry_run:
            services.stores.retention.forget_runs(run_ids)
            newest = max(newest, remove_runs(context.instance, run_ids))
    remove_snapshots(context.instance, newest, BATCH)
    return removed
