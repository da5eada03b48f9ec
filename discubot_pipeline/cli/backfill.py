"""`discubot backfill`: imports threads of the past, by a run of `backfill_job` that is watched to its end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from discubot_pipeline.adapters.dagster import DagsterWeb, RunState
from discubot_pipeline.cli.options import as_json, of_source, of_team, services, show, the_team
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.domain.backfill import Span, Standing, Tally
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.stages.backfill import STEP
from discubot_pipeline.wiring import Services

F = TypeVar("F", bound=Callable[..., Any])
JOB = "backfill_job"
POLL_SECONDS = 0.5
TELL_EVERY = timedelta(seconds=2)

begins = click.option("--from", "since", required=True, help="First day (2026-03-01) or moment.")
from_the_beginning = click.option("--from", "since", help="First day or moment; by default the beginning.")
ends = click.option("--to", "until", help="Last day, which is included, or moment; by default now.")
every = click.option("--all", "every", is_flag=True, help="Also threads that do not mention the bot.")
wait = click.option("--wait", is_flag=True, help="Wait until the imported threads have been worked on.")


@click.group()
def backfill() -> None:
    """Import threads of the past. Nothing is said in them, and none is imported twice."""


@backfill.command("slack")
@of_team
@of_source
@click.option("--channel", "places", multiple=True, required=True, help="Id of a channel (C…); several times for more.")
@begins
@ends
@every
@click.option("--page-size", type=click.IntRange(1, 999), help="Messages a call. [default: 200]")
@click.option("--per-minute", type=click.FloatRange(0, min_open=True), help="Calls a minute. [default: 40]")
@wait
@as_json
def slack(team_name: str | None, source_name: str | None, wait: bool, as_json: bool, **wanted: Any) -> None:
    """Import the threads of channels between two days, by their first message."""
    run(services(), SourceType.SLACK, team_name, source_name, wanted, wait=wait, as_json=as_json)


@backfill.command("slack-export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_team
@of_source
@click.option("--channel", "places", multiple=True, help="Name or id of a channel; by default all.")
@from_the_beginning
@ends
@click.option("--site", help="Address of the workspace, https://acme.slack.com, for links to the threads.")
@wait
@as_json
def slack_export(
    file: Path, team_name: str | None, source_name: str | None, wait: bool, as_json: bool, **wanted: Any
) -> None:
    """Import the threads of a Slack export (ZIP). Slack is not asked for anything."""
    wanted |= {"export": str(file.resolve()), "every": True}
    run(services(), SourceType.SLACK, team_name, source_name, wanted, wait=wait, as_json=as_json)


@backfill.command("figma")
@of_team
@of_source
@click.option(
    "--file", "places", multiple=True, required=True, help="Address or key of a file; several times for more."
)
@from_the_beginning
@ends
@every
@wait
@as_json
def figma(team_name: str | None, source_name: str | None, wait: bool, as_json: bool, **wanted: Any) -> None:
    """Import the threads of comments of files, resolved ones too, by their first comment."""
    run(services(), SourceType.FIGMA, team_name, source_name, wanted, wait=wait, as_json=as_json)


@backfill.command("resume")
@click.argument("run_id")
@wait
@as_json
def resume(run_id: str, wait: bool, as_json: bool) -> None:
    """Go on with an import that was interrupted, or watch one that runs."""
    here = services()
    with dagster(here) as web:
        known = web.run(run_id)
        if known is None:
            raise Permanent("unknown_run", f"there is no run {run_id}")
        again = web.reexecute(run_id, from_failure=False) if known.is_finished else run_id
        watch(here, web, again, wait=wait, as_json=as_json)


def run(
    here: Services,
    kind: SourceType,
    team_name: str | None,
    source_name: str | None,
    wanted: dict[str, Any],
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Launch an import as Dagster's Launchpad would, and watch it."""
    team = the_team(here, team_name)
    known = [
        config for config in here.stores.configs.sources(kind, team_id=team.id) if source_name in (None, config.name)
    ]
    if len(known) != 1:
        names = ", ".join(config.name for config in here.stores.configs.sources(kind, team_id=team.id)) or "none"
        raise Permanent(
            "unknown_source", f"name one {kind} source of team {team.name} with --source; there are: {names}"
        )
    Span.of(wanted["since"], wanted["until"], known[0].preferences.time_zone, here.outside.clock.now())
    config = {name: value for name, value in wanted.items() if value not in (None, ())}
    config |= {"team": team.name, "source": known[0].name, "places": list(wanted["places"])}
    with dagster(here) as web:
        launched = web.launch(JOB, {"ops": {STEP: {"config": config}}}, {"discubot/trigger": "manual"})
        watch(here, web, launched, wait=wait, as_json=as_json)


@contextmanager
def dagster(here: Services) -> Iterator[DagsterWeb]:
    """Connect to Dagster's web server, and say what to do where there is none."""
    try:
        with DagsterWeb(here.settings.web_url) as web:
            yield web
    except Transient as error:
        if error.reason == "unreachable":
            raise StartupError("Dagster's web server does not answer: start `discubot up` first") from error
        raise


def watch(here: Services, web: DagsterWeb, run_id: str, *, wait: bool, as_json: bool) -> None:
    """Show how an import goes until it has ended, and what came of it; exit with 1 where it has not come to its end."""
    click.echo(
        f"Import {run_id} runs: {here.settings.web_url}/runs/{run_id}. Ctrl-C ends this, not the import.", err=True
    )
    ended = follow(here, web, run_id)
    tally = tally_of(here, ended.id)
    is_complete = ended.status == "SUCCESS"
    standing = settled(here, ended) if wait and is_complete else here.stores.imports.standing(root_of(ended))
    if as_json:
        facts = {"run_id": ended.id, "status": ended.status, "deliveries": standing.model_dump()}
        show(facts | tally.model_dump(mode="json", exclude={"position", "is_complete"}), as_json)
    else:
        tell(tally, standing)
    if not is_complete:
        why = here.stores.steps.error(ended.id, STEP) or ended.status.lower()
        click.echo(f"Not finished: {why}. `discubot backfill resume {ended.id}` goes on.", err=True)
        sys.exit(1)


def follow(here: Services, web: DagsterWeb, run_id: str) -> RunState:
    """Wait for the end of an import, over the runs that Dagster starts when its process dies; gives the last one."""
    told, next_at = "", 0.0
    while True:
        state = web.run(run_id)
        if state is None:
            raise Permanent("unknown_run", f"run {run_id} has been deleted")
        words = tally_of(here, run_id).words
        if words != told and time.monotonic() >= next_at:
            told, next_at = words, time.monotonic() + TELL_EVERY.total_seconds()
            click.echo(words, err=True)
        if state.retried_by:
            run_id = state.retried_by
        elif state.is_finished and not state.will_be_retried:
            return state
        time.sleep(POLL_SECONDS)


def settled(here: Services, ended: RunState) -> Standing:
    """Wait until what was imported has been worked on; what is held waits for a person."""
    told = 0
    while (standing := here.stores.imports.standing(root_of(ended))).waiting:
        if standing.waiting != told:
            told = standing.waiting
            click.echo(f"{standing.waiting} threads wait or are at work", err=True)
        time.sleep(POLL_SECONDS)
    return standing


def tally_of(here: Services, run_id: str) -> Tally:
    """Read how far a run has come."""
    return Tally.model_validate(here.stores.steps.output(run_id, STEP) or {})


def root_of(state: RunState) -> str:
    """Name the first run of a chain."""
    return state.root_id or state.id


def tell(tally: Tally, standing: Standing) -> None:
    """Say what came of an import."""
    for trouble in tally.troubles:
        click.echo(f"✗ {trouble.item}: {trouble.message} ({trouble.reason})")
    click.echo(tally.words)
    counts = {name: count for name, count in standing.model_dump().items() if count}
    click.echo("Deliveries: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "none"))
