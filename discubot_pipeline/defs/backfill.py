"""The import op: hands a backfill to its stage, and shows how far it is in the run's events."""

import time
from datetime import timedelta

import dagster as dg
from pydantic import Field

from discubot_pipeline.defs.perform import end_step, fail, job_of
from discubot_pipeline.domain.backfill import Backfill, Tally, Trouble
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.stages.backfill import STEP, backfill
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.tracking.origin import open_note
from discubot_pipeline.wiring import Services


class BackfillConfig(dg.Config):
    """Which threads to import, and how fast to ask for them."""

    team: str = Field(description="Name of the team.")
    source: str = Field(description="Name of its source.")
    places: list[str] = Field(
        default=[], description="Ids of channels, or addresses of Figma files; of an export also names, by default all."
    )
    since: str | None = Field(default=None, description="First day (2026-03-01) or moment; by default the beginning.")
    until: str | None = Field(default=None, description="Last day, which is included, or moment; by default now.")
    every: bool = Field(default=False, description="Also threads that do not mention the bot.")
    export: str | None = Field(default=None, description="Path of a Slack export (ZIP) to read instead of Slack.")
    site: str | None = Field(default=None, description="With an export: https://acme.slack.com, for links.")
    page_size: int = Field(default=200, ge=1, le=999, description="Messages a call to Slack.")
    per_minute: float = Field(default=40, gt=0, description="Calls a minute to Slack.")


@dg.op(name=STEP, required_resource_keys={"services", "job"}, out=dg.Out(dg.Nothing))
def import_threads(context: dg.OpExecutionContext, config: BackfillConfig) -> None:
    """Write a delivery for each thread that is wanted; what cannot be read is listed at the end."""
    services: Services = context.resources.services
    logger: JobLogger = context.resources.job
    job, given = job_of(context), config.model_dump()
    services.stores.steps.begin(job.run_id, STEP, None, given)
    try:
        team = services.stores.configs.team(config.team)
        context.instance.add_run_tags(job.run_id, {"discubot/team": team.name, "discubot/team_id": str(team.id)})
        open_note(context.instance.get_run_by_id(job.run_id) or context.run, services.stores.notes)
        with logger.stage("import"):
            tally = backfill(
                Backfill(**given),
                job,
                services.stores,
                services.outside,
                lambda wait: rest(logger, wait),
                lambda tally, trouble: report(logger, tally, trouble),
            )
    except PipelineError as verdict:
        end_step(context, services, StepStatus.FAILED, verdict.reason, verdict.message)
        fail(verdict)
    services.stores.steps.end(job.run_id, STEP, StepStatus.COMPLETED)
    services.stores.notes.close(job.run_id, RunOutcome.COMPLETED)
    logger.summary(tally.words)
    context.add_output_metadata(describe(tally))


def rest(logger: JobLogger, wait: timedelta) -> None:
    """Wait as the source asks for, and say so."""
    logger.info(f"Going on in {wait.total_seconds():.0f} s.")
    time.sleep(wait.total_seconds())


def report(logger: JobLogger, tally: Tally, trouble: Trouble | None) -> None:
    """Say how far the import is, and what kept a thread from being read."""
    if trouble:
        logger.warning(f"{trouble.item}: {trouble.reason}: {trouble.message}")
    logger.set_progress(0, tally.words)


def describe(tally: Tally) -> dict[str, dg.MetadataValue | int]:
    """Show what came of an import: counts to plot, and a table of errors."""
    counts = {"threads": tally.seen, "new": tally.stored, "known": tally.known}
    counts |= {"without a mention": tally.passed, "errors": tally.troubled}
    if not tally.troubles:
        return {**counts}
    columns = [dg.TableColumn(name) for name in Trouble.model_fields]
    records = [dg.TableRecord(trouble.model_dump()) for trouble in tally.troubles]
    return {**counts, "what went wrong": dg.MetadataValue.table(records, dg.TableSchema(columns))}
