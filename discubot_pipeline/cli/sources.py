"""`discubot source`: what discussions come from."""

from typing import Any

import click

from discubot_pipeline.admin import sources
from discubot_pipeline.admin.views import SourceView, source_view
from discubot_pipeline.cli.options import (
    as_json,
    asked,
    at_version,
    of_team,
    operator,
    patch,
    preferences,
    secret_options,
    services,
    show,
    show_all,
    sure,
    the_source,
    the_team,
    unset,
)
from discubot_pipeline.domain.changes import Held, NewSource, SourceChange, checked
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.records import SourceRecord
from discubot_pipeline.wiring import Services

HELD = click.Choice(["release", "drop"])


@click.group()
def source() -> None:
    """Connect what discussions come from."""


@source.command("add")
@click.argument("kind", type=click.Choice([each.value for each in SourceType]))
@of_team
@click.option("--name", help="By default the kind's name.")
@click.option("--workspace", help="Slack, Notion: the workspace's id; events of others are ignored.")
@click.option(
    "--trigger", help="The word that calls the bot where a tool knows no mentions of bots; @discubot without."
)
@click.option("--update", is_flag=True, help="Change the source of that name, if there is one.")
@preferences
@secret_options(from_environment=True)
@as_json
def add_source(
    kind: str,
    team_name: str | None,
    name: str | None,
    workspace: str | None,
    trigger: str | None,
    update: bool,
    settings: tuple[str, ...],
    as_json: bool,
    **secrets: str | None,
) -> None:
    """Connect a source; prints the address to give to it."""
    here = services()
    team = the_team(here, team_name)
    given = {"name": name, "workspace": workspace}
    wanted = {
        "source": kind,
        "credentials": asked(SourceType(kind), secrets, new=True),
        "preferences": ({"trigger": trigger} if trigger else {}) | patch(settings),
        **{field: value for field, value in given.items() if value is not None},
    }
    make = sources.put if update else sources.add
    show(view(here, make(here.stores, team, checked(NewSource, wanted), operator())), as_json)


@source.command("list")
@of_team
@as_json
def list_sources(team_name: str | None, as_json: bool) -> None:
    """List the sources with their webhook addresses."""
    here = services()
    teams = [the_team(here, team_name)] if team_name else here.stores.configs.teams()
    found = [view(here, record) for team in teams for record in here.stores.changes.sources(team.id)]
    show_all(found, ("team", "name", "source", "active", "held", "webhook"), as_json)


@source.command("show")
@click.argument("name", required=False)
@of_team
@as_json
def show_source(name: str | None, team_name: str | None, as_json: bool) -> None:
    """Show a source with its preferences and what they come to."""
    here = services()
    show(view(here, the_source(here, the_team(here, team_name), name)), as_json)


@source.command("set")
@click.argument("name", required=False)
@of_team
@click.option("--rename", help="A new name.")
@click.option("--workspace", help="Slack, Notion: the workspace's id.")
@preferences
@unset
@secret_options(from_environment=False)
@at_version
@as_json
def set_source(
    name: str | None,
    team_name: str | None,
    rename: str | None,
    workspace: str | None,
    settings: tuple[str, ...],
    unsettings: tuple[str, ...],
    version: int | None,
    as_json: bool,
    **secrets: str | None,
) -> None:
    """Change a source; what is not named stays."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    wanted: dict[str, Any] = {
        "preferences": patch(settings, unsettings),
        "credentials": asked(found.config.source, secrets, new=False),
    }
    wanted |= {field: value for field, value in (("name", rename), ("workspace", workspace)) if value is not None}
    change = checked(SourceChange, wanted)
    made = sources.change(here.stores, found, change, version or found.version, operator())
    show(view(here, made), as_json)


@source.command("pause")
@click.argument("name", required=False)
@of_team
@as_json
def pause(name: str | None, team_name: str | None, as_json: bool) -> None:
    """Hold what arrives from now on: it is verified and kept, and not worked on."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    show(view(here, sources.pause(here.stores, found, found.version, operator())), as_json)


@source.command("resume")
@click.argument("name", required=False)
@of_team
@click.option("--held", type=HELD, help="What becomes of the deliveries that were held.")
@as_json
def resume(name: str | None, team_name: str | None, held: Held | None, as_json: bool) -> None:
    """Work on what arrives again; what was held is released or dropped."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    show(view(here, sources.resume(here.stores, found, held, found.version, operator())), as_json)


@source.command("held")
@click.argument("name", required=False)
@of_team
@click.option("--do", "what", type=HELD, help="Release or drop them; without it they are listed.")
@click.option("--id", "ids", type=int, multiple=True, help="Only this delivery; may be given several times.")
@as_json
def held(name: str | None, team_name: str | None, what: Held | None, ids: tuple[int, ...], as_json: bool) -> None:
    """List the deliveries that are held, or release or drop them."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    if what is None:
        show_all(here.stores.held.of(found.config), ("id", "thread_id", "reason"), as_json)
    else:
        count = sources.settle(here.stores, found.config, what, operator(), list(ids) or None)
        show({"released" if what == "release" else "dropped": count}, as_json)


@source.command("rotate")
@click.argument("name", required=False)
@of_team
@as_json
def rotate(name: str | None, team_name: str | None, as_json: bool) -> None:
    """Give a source a new webhook address; the old one is unknown at once."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    show(view(here, sources.rotate(here.stores, found, found.version, operator())), as_json)


@source.command("token")
@click.argument("name", required=False)
@of_team
@click.option("--forget", is_flag=True, help="Give the token up, so that the next one that Notion sends is taken.")
def verification_token(name: str | None, team_name: str | None, forget: bool) -> None:
    """Show the verification token that Notion sent, once, to be entered in Notion."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    if forget:
        sources.forget_token(here.stores, found, operator())
    else:
        click.echo(sources.reveal_token(here.stores, found, operator()).get_secret_value())


@source.command("remove")
@click.argument("name")
@of_team
@sure
def remove_source(name: str, team_name: str | None) -> None:
    """Remove a source with its outputs, deliveries and people; discussions and tasks stay."""
    here = services()
    found = the_source(here, the_team(here, team_name), name)
    here.stores.changes.remove_source(found.id, found.config.team_id, found.version)
    click.echo(f"Removed source {name}.")


def view(here: Services, record: SourceRecord) -> SourceView:
    """Show a source as this installation knows it."""
    return source_view(record, here.settings.receiver_url, here.stores.held.count(record.config))
