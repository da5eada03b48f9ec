"""`discubot people`: who the people of a source are in Notion."""

from typing import TextIO

import click

from discubot_pipeline.admin import people as mapping
from discubot_pipeline.cli.options import (
    as_json,
    of_source,
    of_team,
    operator,
    services,
    show,
    show_all,
    the_source,
    the_team,
)
from discubot_pipeline.domain.changes import NewPerson, checked
from discubot_pipeline.domain.people import THRESHOLD


@click.group()
def people() -> None:
    """Say who the people of a source are in Notion, for the assignees of tasks."""


@people.command("list")
@of_team
@of_source
@as_json
def list_people(team_name: str | None, source_name: str | None, as_json: bool) -> None:
    """List the people that are known and who they are in Notion."""
    here = services()
    team = the_team(here, team_name)
    source_id = the_source(here, team, source_name).id if source_name else None
    columns = ("source_name", "source_user_id", "name", "email", "notion_user_id", "match", "confidence", "active")
    show_all(here.stores.people.of_team(team.id, source_id), columns, as_json)


@people.command("match")
@of_team
@of_source
@click.option("--threshold", type=click.FloatRange(0, 1), default=THRESHOLD, show_default=True)
@as_json
def match(team_name: str | None, source_name: str | None, threshold: float, as_json: bool) -> None:
    """Look for a source's people among Notion's, by e-mail address, then by name; what people said is left alone."""
    here = services()
    config = the_source(here, the_team(here, team_name), source_name).config
    users = here.outside.notion_users(here.stores.configs.outputs(config))
    show(mapping.match(here.stores, config, users, operator(), threshold), as_json)


@people.command("set")
@click.argument("user")
@of_team
@of_source
@click.option("--notion-user", help="Id of the Notion user; without it the person is nobody there.")
@click.option("--name", help="How the person is called, where the source has not said so yet.")
@click.option("--email", help="The person's e-mail address.")
@click.option("--active/--inactive", default=True, help="Inactive: never assigned.")
@as_json
def set_person(
    user: str,
    team_name: str | None,
    source_name: str | None,
    notion_user: str | None,
    name: str | None,
    email: str | None,
    active: bool,
    as_json: bool,
) -> None:
    """Say who USER, by the source's own user id, is in Notion."""
    here = services()
    config = the_source(here, the_team(here, team_name), source_name).config
    wanted = {"source_user_id": user, "notion_user_id": notion_user, "active": active, "name": name, "email": email}
    mapping.put(here.stores, config, checked(NewPerson, wanted), operator())
    found = here.stores.people.of_team(config.team_id, config.id)
    show(next(each for each in found if each.source_user_id == user.strip()), as_json)


@people.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@of_team
@of_source
@as_json
def import_people(file: TextIO, team_name: str | None, source_name: str | None, as_json: bool) -> None:
    """Take over a CSV file with source_user_id and notion_user_id, all of it or nothing."""
    here = services()
    config = the_source(here, the_team(here, team_name), source_name).config
    show({"imported": mapping.import_csv(here.stores, config, file.read(), operator())}, as_json)


@people.command("export")
@of_team
@of_source
@as_json
def export_people(team_name: str | None, source_name: str | None, as_json: bool) -> None:
    """Print the people as a CSV file that can be imported again."""
    here = services()
    team = the_team(here, team_name)
    found = here.stores.people.of_team(team.id, the_source(here, team, source_name).id)
    if as_json:
        show_all(found, (), as_json=True)
    else:
        click.echo(mapping.export_csv(found), nl=False)
