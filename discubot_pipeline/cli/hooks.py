"""`discubot hook`: who is told when a job has ended. The same words and checks as the REST API."""

from typing import Any

import click

from discubot_pipeline.adapters.reach import reach_of
from discubot_pipeline.admin import hooks
from discubot_pipeline.cli.options import (
    as_json,
    of_team,
    operator,
    services,
    show,
    show_all,
    sure,
    the_source,
    the_team,
)
from discubot_pipeline.domain.changes import checked
from discubot_pipeline.domain.hook import BY_DEFAULT, HookEvent
from discubot_pipeline.stages.deliver import try_out

EVENTS = [event.removeprefix("job.") for event in HookEvent]
DEFAULTS = [event.removeprefix("job.") for event in BY_DEFAULT]


@click.group()
def hook() -> None:
    """Tell a webhook, or a channel of Slack, when jobs have ended."""


@hook.command("add")
@click.argument("name")
@of_team
@click.option("--url", help="Address of a webhook (https://…).")
@click.option("--channel", help="Id of a channel of Slack (C…).")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), default=DEFAULTS, show_default=True)
@click.option("--source", "source_name", help="Only jobs of this source.")
@click.option("--via", help="Name of the Slack source to speak through, where the team has several.")
@click.option("--text", "has_text", is_flag=True, help="Also tell title and summary, which are words of the thread.")
@as_json
def add_hook(
    name: str,
    team_name: str | None,
    url: str | None,
    channel: str | None,
    events: tuple[str, ...],
    source_name: str | None,
    via: str | None,
    has_text: bool,
    as_json: bool,
) -> None:
    """Add a hook; a webhook's secret is shown this once."""
    here = services()
    team = the_team(here, team_name)
    wanted: dict[str, Any] = {"name": name, "url": url, "channel": channel, "has_text": has_text}
    wanted |= {"events": [f"job.{event}" for event in events]}
    wanted |= {"source_id": the_source(here, team, source_name).id} if source_name else {}
    wanted |= {"sender_id": the_source(here, team, via).id} if via else {}
    new = checked(hooks.NewHook, wanted)
    show(hooks.add(here.stores, team.id, new, reach_of(here.settings).check, operator()), as_json)


@hook.command("list")
@of_team
@as_json
def list_hooks(team_name: str | None, as_json: bool) -> None:
    """List a team's hooks."""
    here = services()
    found = [hooks.view(each) for each in here.stores.hooks.of_team(the_team(here, team_name).id)]
    show_all(found, ("name", "kind", "url", "channel", "events", "active", "reason"), as_json)


@hook.command("set")
@click.argument("name")
@of_team
@click.option("--rename", help="A new name.")
@click.option("--url", help="Another address of a webhook; it keeps its secret.")
@click.option("--channel", help="Id of another channel of Slack (C…).")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="Instead of those so far.")
@click.option("--source", "source_name", help="Only jobs of this source.")
@click.option("--all-sources", is_flag=True, help="Jobs of all sources.")
@click.option("--text/--no-text", "has_text", default=None, help="Also tell title and summary.")
@as_json
def set_hook(
    name: str,
    team_name: str | None,
    rename: str | None,
    events: tuple[str, ...],
    source_name: str | None,
    all_sources: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Change a hook; what is not named stays."""
    here = services()
    wanted |= {"name": rename, "events": [f"job.{event}" for event in events] or None}
    wanted |= {"source_id": the_source(here, the_team(here, team_name), source_name).id} if source_name else {}
    named = {field: value for field, value in wanted.items() if value is not None}
    change(name, team_name, named | ({"source_id": None} if all_sources else {}), as_json)


@hook.command("pause")
@click.argument("name")
@of_team
@as_json
def pause(name: str, team_name: str | None, as_json: bool) -> None:
    """Tell a hook nothing any more; what waits for it is given up."""
    change(name, team_name, {"active": False}, as_json)


@hook.command("resume")
@click.argument("name")
@of_team
@as_json
def resume(name: str, team_name: str | None, as_json: bool) -> None:
    """Tell a hook again what ends from now on, also one that was gone."""
    change(name, team_name, {"active": True}, as_json)


def change(name: str, team_name: str | None, wanted: dict[str, Any], as_json: bool) -> None:
    """Change a hook and show it."""
    here = services()
    found = hooks.find(here.stores, the_team(here, team_name), name)
    new = checked(hooks.HookChange, wanted)
    show(hooks.change(here.stores, found, new, reach_of(here.settings).check, operator()), as_json)


@hook.command("deliveries")
@click.argument("name")
@of_team
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@as_json
def list_deliveries(name: str, team_name: str | None, limit: int, as_json: bool) -> None:
    """List what a hook was told, the newest first, and what went wrong."""
    here = services()
    found = here.stores.outbox.page(hooks.find(here.stores, the_team(here, team_name), name).id, limit)
    show_all(found[:limit], ("created_at", "event", "run_id", "status", "tries", "reason", "error"), as_json)


@hook.command("test")
@click.argument("name")
@of_team
def test_hook(name: str, team_name: str | None) -> None:
    """Send a hook a test now."""
    here = services()
    try_out(hooks.find(here.stores, the_team(here, team_name), name), here.stores, here.outside)
    click.echo(f"Hook {name} took the test.")


@hook.command("remove")
@click.argument("name")
@of_team
@sure
def remove_hook(name: str, team_name: str | None) -> None:
    """Remove a hook, with what it was still to be told."""
    here = services()
    found = hooks.find(here.stores, the_team(here, team_name), name)
    here.stores.hooks.remove(found.id, found.team_id)
    click.echo(f"Removed hook {name}.")
