"""`discubot job`: jobs, what they said, and how to steer them. The same facts and actions as the REST API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import click

from discubot_pipeline.admin.steer import Helm, Retry
from discubot_pipeline.cli.options import as_json, label, of_team, operator, services, show, show_all, the_team, words
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.facts import JobDetails, JobQuery, JobStatus, Level, LogLine
from discubot_pipeline.domain.job import Scope, Stage, Trigger
from discubot_pipeline.domain.news import Kind, News, Place, Wanted
from discubot_pipeline.wiring import Services

PAGE = 200
COLUMNS = ("job_id", "status", "stage", "team", "source", "trigger", "created_at", "reason")
HIDDEN = ("job_id", "root_job_id", "discussion_id", "steps")
DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
why = click.option("--reason", help="Why, for whoever looks at it later.")


def one_of(kind: Any) -> click.Choice[str]:
    """Take one of an enum's values."""
    return click.Choice([each.value for each in kind])


at_least = click.option(
    "--level", type=one_of(Level), default=Level.INFO.value, show_default=True, help="The least that matters."
)


@click.group()
def job() -> None:
    """Look at jobs, cancel them, or go on with what failed."""


@job.command("list")
@of_team
@click.option("--status", type=one_of(JobStatus))
@click.option("--source", type=one_of(SourceType))
@click.option("--stage", type=one_of(Stage))
@click.option("--trigger", type=one_of(Trigger))
@click.option("--scope", type=one_of(Scope))
@click.option("--name", "job_name", help="Name of the job in Dagster, as in discussion_job.")
@click.option("--since", type=DATES, help="Made after this time (UTC).")
@click.option("--until", type=DATES, help="Made before this time (UTC).")
@click.option("--limit", type=click.IntRange(1, PAGE), default=20, show_default=True)
@as_json
def list_jobs(
    team_name: str | None, since: datetime | None, until: datetime | None, limit: int, as_json: bool, **wanted: str
) -> None:
    """List jobs, the newest first; of all teams unless one is named."""
    here = services()
    team_id = the_team(here, team_name).id if team_name else None
    when = {"since": since and since.replace(tzinfo=UTC), "until": until and until.replace(tzinfo=UTC)}
    query = JobQuery.model_validate(wanted | when | {"team_id": team_id})
    jobs, place = here.jobs.search(query, limit)
    while place and len(jobs) < limit:
        more, place = here.jobs.search(query, limit - len(jobs), place)
        jobs = [*jobs, *more]
    show_all(jobs, COLUMNS, as_json)


@job.command("show")
@click.argument("id", type=click.UUID)
@click.option("--steps", "with_steps", is_flag=True, help="Also show what each step was given, and what came of it.")
@as_json
def show_job(id: UUID, with_steps: bool, as_json: bool) -> None:
    """Show a job: how it stands, its attempts, what it made, and why it failed."""
    here = services()
    details = here.jobs.details(str(id))
    steps = here.stores.steps.of_run(str(id)) if with_steps else []
    if as_json:
        told = details.model_dump(mode="json")
        show(told | ({"steps": [step.model_dump(mode="json") for step in steps]} if with_steps else {}), as_json)
        return
    tell(details)
    for step in steps:
        click.echo()
        show(step, as_json)


@job.command("explain")
@click.argument("id", type=click.UUID)
@as_json
def explain(id: UUID, as_json: bool) -> None:
    """Ask why each step of a job did what it did; the answers come on its steps, with `job show ID --steps`."""
    here = services()
    if here.stores.executions.get(str(id)) is None:
        here.jobs.facts(str(id))
    asked = here.stores.reasonings.ask(str(id), operator())
    stand = here.stores.reasonings.of_run(str(id))
    if as_json:
        show({"asked": asked, "explanations": [each.model_dump(mode="json") for each in stand]}, as_json)
        return
    click.echo(f"Asked for {asked} explanations.")
    show_all(stand, ("step", "status", "attempts", "author", "reason"), as_json)


@job.command("explanations")
@of_team
@as_json
def explanations(team_name: str | None, as_json: bool) -> None:
    """Show how explanations fare, and how long they take; of all teams unless one is named."""
    here = services()
    show(here.stores.reasonings.figures(the_team(here, team_name).id if team_name else None), as_json)


@job.command("logs")
@click.argument("id", type=click.UUID)
@at_least
@click.option("--limit", type=click.IntRange(min=1), help="Only so many lines.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until the job has ended.")
@as_json
def show_logs(id: UUID, level: str, limit: int | None, follow: bool, as_json: bool) -> None:
    """Print a job's log so far, the oldest line first; with --json one object a line."""
    here = services()
    lines = followed(here, id, Level(level)) if follow else logged(here, id, Level(level))
    for line in islice(lines, limit):
        click.echo(json.dumps(line.model_dump(mode="json")) if as_json else written(line))


@job.command("watch")
@click.argument("id", type=click.UUID)
@at_least
@as_json
@click.pass_context
def watch(context: click.Context, id: UUID, level: str, as_json: bool) -> None:
    """Follow a job from its beginning to its end: log, stages, progress. Exits 0 if it is completed, else 1."""
    last = None
    for last in news_of(services(), id, Level(level)):
        click.echo(json.dumps({"event": last.kind, **json.loads(last.data)}) if as_json else announced(last))
    context.exit(0 if last and last.kind is Kind.COMPLETED else 1)


@job.command("cancel")
@click.argument("id", type=click.UUID)
@why
@as_json
def cancel(id: UUID, reason: str | None, as_json: bool) -> None:
    """Cancel a job that waits or works; what it has made stays recorded."""
    show({"job_id": helm(services()).cancel(str(id), reason=reason)}, as_json)


@job.command("retry")
@click.argument("id", type=click.UUID)
@click.option("--fresh", is_flag=True, help="Read and analyse the thread again, whatever is kept.")
@why
@as_json
def retry(id: UUID, fresh: bool, reason: str | None, as_json: bool) -> None:
    """Go on with what failed, is partial or was cancelled, in a new job; ID is of a job or a discussion."""
    here = services()
    discussion = id if here.stores.discussions.get(id) else here.jobs.facts(str(id)).discussion_id
    if discussion is None:
        raise Permanent("not_retriable", f"job {id} is about no discussion: run it again in Dagster's UI")
    show({"job_id": helm(here).retry(discussion, Retry(fresh=fresh, reason=reason))}, as_json)


def logged(here: Services, id: UUID, level: Level) -> Iterator[LogLine]:
    """Read a job's log so far."""
    after, has_more = 0, True
    while has_more:
        page = here.jobs.log(str(id), level, PAGE, after)
        yield from page.lines
        has_more = page.has_more and page.last > after
        after = page.last


def followed(here: Services, id: UUID, level: Level) -> Iterator[LogLine]:
    """Read a job's log until the job has ended."""
    for news in news_of(here, id, level):
        if news.kind is Kind.LOG:
            yield LogLine.model_validate_json(news.data)


def news_of(here: Services, id: UUID, level: Level) -> Iterator[News]:
    """Listen to a job from its beginning to its end."""
    here.jobs.facts(str(id))
    return iter(here.feed.listen(Wanted(job_id=str(id), level=level), Place(0)))


def helm(here: Services) -> Helm:
    """Steer in the name of the person at the keyboard."""
    return Helm(here.stores, here.jobs, here.dagster, operator())


def tell(details: JobDetails) -> None:
    """Print a job for a person."""
    facts = details.model_dump(
        mode="json", exclude={"attempts", "tasks", "links", "error", "result", "progress", "tags"}
    )
    show({name: value for name, value in facts.items() if value is not None}, as_json=False)
    if details.error:
        click.echo(f"{label('error'):<15} {details.error.message}")
        click.echo("".join(f"    {line}" for line in details.error.stack or []), nl=False)
    for attempt in details.attempts:
        by = f" by {attempt.retried_by}" if attempt.retried_by else ""
        error = f": {attempt.error.message}" if attempt.error else ""
        click.echo(f"{f'Attempt {attempt.number}':<15} {attempt.status} {words(attempt.created_at)}{by}{error}")
    for task in details.tasks:
        click.echo(f"{'Task':<15} {task.title} ({task.state}) {task.url or ''}".rstrip())
    click.echo(f"{label('dagster'):<15} {details.links.dagster}")


def written(line: LogLine) -> str:
    """Write a line of a log."""
    about = " ".join(f"{name}={words(value)}" for name, value in line.context.items() if name not in ("event", "step"))
    return f"{line.created_at:%H:%M:%S} {line.level:<7} {line.stage or '–':<15} {line.message} {about}".rstrip()


def announced(news: News) -> str:
    """Write a piece of news."""
    if news.kind is Kind.LOG:
        return written(LogLine.model_validate_json(news.data))
    told = {
        name: value for name, value in json.loads(news.data).items() if name not in HIDDEN and value not in (None, {})
    }
    return f"{'':8} {news.kind.upper():7} " + " ".join(f"{name}={words(value)}" for name, value in told.items())
