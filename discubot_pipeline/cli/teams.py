"""`discubot team`: who we work for."""

import click

from discubot_pipeline.admin.teams import change
from discubot_pipeline.admin.views import team_view
from discubot_pipeline.cli.options import (
    as_json,
    at_version,
    operator,
    patch,
    preferences,
    services,
    show,
    show_all,
    sure,
    the_team,
    unset,
)
from discubot_pipeline.domain.changes import TeamChange, checked, patched
from discubot_pipeline.store.tables import Role


@click.group()
def team() -> None:
    """Set up teams: each has its own sources, outputs, discussions and tokens."""


@team.command("add")
@click.argument("name")
@click.option("--time-zone", help="For dates such as “tomorrow” when the author's is unknown; UTC without.")
@preferences
@as_json
def add_team(name: str, time_zone: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Make a team."""
    wanted = ({"time_zone": time_zone} if time_zone else {}) | patch(settings)
    made = services().stores.configs.add_team(name, operator(), **patched({}, wanted))
    show(team_view(made), as_json)


@team.command("list")
@as_json
def list_teams(as_json: bool) -> None:
    """List the teams."""
    show_all([team_view(each) for each in services().stores.configs.teams()], ("name", "preferences"), as_json)


@team.command("show")
@click.argument("name", required=False)
@as_json
def show_team(name: str | None, as_json: bool) -> None:
    """Show a team with its preferences and what they come to."""
    show(team_view(the_team(services(), name)), as_json)


@team.command("set")
@click.argument("name", required=False)
@click.option("--rename", help="A new name.")
@click.option("--time-zone", help="For dates such as “tomorrow” when the author's is unknown.")
@preferences
@unset
@at_version
@as_json
def set_team(
    name: str | None,
    rename: str | None,
    time_zone: str | None,
    settings: tuple[str, ...],
    unsettings: tuple[str, ...],
    version: int | None,
    as_json: bool,
) -> None:
    """Change a team; what is not named stays."""
    here = services()
    found = the_team(here, name)
    wanted = ({"time_zone": time_zone} if time_zone else {}) | patch(settings, unsettings)
    asked = checked(TeamChange, {"preferences": wanted} | ({"name": rename} if rename else {}))
    show(team_view(change(here.stores, found, asked, version or found.version, operator())), as_json)


@team.command("remove")
@click.argument("name")
@sure
def remove_team(name: str) -> None:
    """Remove a team with its sources, outputs, discussions and tasks; pages in Notion stay."""
    here = services()
    found = here.stores.configs.team(name)
    here.stores.changes.remove_team(found.id, found.version)
    click.echo(f"Removed team {name}.")


@team.command("token")
@click.argument("name")
@click.option("--team", "team_name", help="Name of the team, where there are several.")
@click.option("--role", type=click.Choice([each.value for each in Role]), default=Role.MEMBER.value, show_default=True)
@as_json
def token(name: str, team_name: str | None, role: str, as_json: bool) -> None:
    """Make a token for the API; it is shown once. A member may read, an admin may change things."""
    here = services()
    text = here.stores.tokens.make(the_team(here, team_name).id, name, Role(role), operator())
    show({"token": text, "name": name, "role": role}, as_json)


@team.command("reseal")
def reseal() -> None:
    """Seal all stored credentials with the first key of DISCUBOT_SECRET_KEY: the older keys can go afterwards."""
    click.echo(f"Sealed {services().stores.changes.reseal()} credentials with the first key.")
