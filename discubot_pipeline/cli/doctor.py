"""`discubot doctor`: looks at all that must be right before a mention can become a task, and says what to fix."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.cli.options import as_json
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.check import Check, State, failed, passed, skipped
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.errors import PipelineError, Transient
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.engine import is_up
from discubot_pipeline.store.migrate import revisions
from discubot_pipeline.store.records import Team
from discubot_pipeline.wiring import Services, build

MARKS = {State.PASSED: "✓", State.FAILED: "✗", State.SKIPPED: "–"}


class Line(NamedTuple):
    """One line of the report."""

    topic: str
    check: Check


@click.command()
@click.option("--team", "team_name", help="Only this team's sources and outputs.")
@as_json
def doctor(team_name: str | None, as_json: bool) -> None:
    """Check settings, database, Dagster, each credential and each Notion database; exits 1 when something is wrong."""
    lines: list[Line] = []
    for line in examine(team_name):
        lines.append(line)
        if not as_json:
            tell(line)
    if as_json:
        click.echo(json.dumps([{"topic": line.topic, **line.check.model_dump(mode="json")} for line in lines]))
    sys.exit(any(line.check.state is State.FAILED for line in lines))


def tell(line: Line) -> None:
    """Print one line, and what to do."""
    click.echo(f"{MARKS[line.check.state]} {line.topic}: {line.check.name}: {line.check.message}")
    if line.check.advice and line.check.state is not State.PASSED:
        click.echo(f"    → {line.check.advice}")


def examine(team_name: str | None) -> Iterator[Line]:
    """Look at one thing after the other; what depends on a fault is left out."""
    try:
        settings = System(Settings()).settings
        here = build(settings, pool_size=1)
    except (PipelineError, LookupError, ValueError) as error:
        yield Line("installation", failed("settings", message_of(error)))
        return
    click.get_current_context().call_on_close(here.engine.dispose)
    yield Line("installation", passed("settings", f"state in {settings.home}"))
    yield Line("installation", secret_key(settings))
    if not is_up(here.engine):
        yield Line("installation", failed("database", "does not answer", "discubot up starts the embedded one"))
        return
    yield Line("installation", passed("database", "answers"))
    yield Line("installation", state := migrations(here))
    yield from (Line("installation", check) for check in dagster(here))
    if state.state is State.PASSED:
        yield from of_teams(here, team_name)


def message_of(error: Exception) -> str:
    """Say what is wrong with settings, without their values."""
    return error.message if isinstance(error, PipelineError) else str(error)


def secret_key(settings: Settings) -> Check:
    """Look where the key of the stored credentials comes from."""
    if settings.secret_key is not None:
        return passed("secret key", "from DISCUBOT_SECRET_KEY")
    return passed("secret key", f"kept in {settings.home / 'secret.key'}: keep a copy of it")


def migrations(here: Services) -> Check:
    """Compare the database with the code."""
    current, head = revisions(here.engine)
    if current == head:
        return passed("migrations", f"at {head}")
    return failed("migrations", f"at {current or 'nothing'}, the code needs {head}", "discubot migrate")


def dagster(here: Services) -> Iterator[Check]:
    """Ask Dagster's web server for our code and the heartbeat of its daemons."""
    try:
        with DagsterWeb(here.settings.web_url) as web:
            loaded, silent = web.is_loaded(), web.silent_daemons()
    except Transient:
        yield skipped("dagster", f"not running at {here.settings.web_url}", "discubot up")
        return
    except PipelineError as error:
        yield failed("dagster", error.message)
        return
    yield (
        passed("dagster", f"our code is loaded at {here.settings.web_url}")
        if loaded
        else failed("dagster", "our code is not loaded", f"see {here.settings.web_url}/locations")
    )
    yield (
        failed("daemon", f"no heartbeat of: {', '.join(silent)}", "discubot up")
        if silent
        else passed("daemon", "its heart beats")
    )


def of_teams(here: Services, team_name: str | None) -> Iterator[Line]:
    """Look at the sources and outputs of one team, or of all."""
    try:
        teams = [here.stores.configs.team(team_name)] if team_name else here.stores.configs.teams()
    except PipelineError as error:
        yield Line("installation", failed("team", error.message))
        return
    if not teams:
        yield Line("installation", skipped("teams", "there are none yet", "discubot team add NAME"))
    for team in teams:
        yield from of_team(here, team)


def of_team(here: Services, team: Team) -> Iterator[Line]:
    """Look at one team's sources; credentials that cannot be opened are a fault of all of them."""
    try:
        configs = here.stores.configs.sources(team_id=team.id)
        outputs = {config.id: here.stores.configs.outputs(config) for config in configs}
    except PipelineError as error:
        yield Line(team.name, failed("sources", error.message))
        return
    if not configs:
        yield Line(team.name, skipped("sources", "there are none yet", f"discubot source add --team {team.name}"))
    for config in configs:
        topic = f"{team.name}/{config.name}"
        yield from (Line(topic, check) for check in of_source(here, config, outputs[config.id]))
        for output in outputs[config.id]:
            yield from (Line(f"{topic} → {output.name}", check) for check in of_output(here, output))


def of_source(here: Services, config: SourceConfig, outputs: Iterable[Output]) -> Iterator[Check]:
    """Look at a source: is it at work, do its credentials work, do its tasks have a place to go."""
    if not config.works:
        count = here.stores.held.count(config)
        why = "waits for a person (auto_sync is off)" if config.active else "paused"
        yield skipped("state", f"{why}, {count} deliveries held", "discubot source resume, or source held --do release")
    yield from here.outside.check(config)
    active = [output for output in outputs if output.active]
    if not active:
        yield failed("outputs", "no active output", "discubot output add")
    elif not any(output.is_default for output in active):
        yield failed("outputs", "none takes tasks without a domain", "discubot output set NAME --default")
    else:
        yield passed("outputs", ", ".join(f"{o.name}{' (default)' if o.is_default else ''}" for o in active))


def of_output(here: Services, output: Output) -> Iterator[Check]:
    """Look at an output, unless nothing goes there."""
    if not output.active:
        yield skipped("state", "inactive")
        return
    with here.outside.inspect(output) as notion:
        yield from notion.checks()
