"""`discubot output`: the Notion databases that tasks go to."""

from typing import Any

import click

from discubot_pipeline.admin import outputs
from discubot_pipeline.admin.views import output_view
from discubot_pipeline.cli.options import (
    as_json,
    at_version,
    of_source,
    of_team,
    operator,
    services,
    show,
    show_all,
    sure,
    the_source,
    the_team,
)
from discubot_pipeline.domain.changes import NewOutput, OutputChange, checked
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.records import OutputRecord
from discubot_pipeline.wiring import Services

NEVER = "never"
data_source = click.option("--data-source", help="Id of the data source, where the database has several.")
fields = click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD=PROPERTY",
    help="Which property (name or id) a field goes to; never: none; auto: as found by name.",
)
values = click.option(
    "--value",
    "values",
    multiple=True,
    metavar="FIELD.VALUE=OPTION",
    help="Which option a value is, as priority.high=P1.",
)


@click.group()
def output() -> None:
    """Connect the Notion databases that tasks go to."""


@output.command("add")
@click.argument("database")
@of_team
@click.option("--source", "source_name", help="Name of the source whose tasks go there, where there are several.")
@click.option("--name", default="notion", show_default=True)
@click.option("--token", envvar="DISCUBOT_NOTION_TOKEN", prompt=True, prompt_required=True, hide_input=True)
@data_source
@click.option("--domain", "domains", multiple=True, help="Only tasks of this domain; may be given several times.")
@click.option("--default/--no-default", default=None, help="Also take every task that no other output takes.")
@click.option("--update", is_flag=True, help="Change the output of that name, if there is one.")
@fields
@values
@as_json
def add_output(
    database: str,
    team_name: str | None,
    source_name: str | None,
    name: str,
    token: str,
    data_source: str | None,
    domains: tuple[str, ...],
    default: bool | None,
    update: bool,
    fields: tuple[str, ...],
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Connect a Notion database, named by its address or id. The first output without --domain is the default."""
    here = services()
    config = the_source(here, the_team(here, team_name), source_name).config
    wanted: dict[str, Any] = {"name": name, "database": database, "token": token} | maps(fields, values)
    wanted |= {"data_source": data_source} if data_source else {}
    wanted |= {"domains": domains} if domains else {}
    wanted |= {"default": default} if default is not None else {}
    make = outputs.put if update else outputs.add
    show(output_view(make(here.stores, config, checked(NewOutput, wanted), operator())), as_json)


@output.command("list")
@of_team
@as_json
def list_outputs(team_name: str | None, as_json: bool) -> None:
    """List the outputs of a team."""
    here = services()
    teams = [the_team(here, team_name)] if team_name else here.stores.configs.teams()
    found = [output_view(record) for team in teams for record in here.stores.changes.outputs(team.id)]
    show_all(found, ("source", "name", "database", "domains", "default", "active"), as_json)


@output.command("show")
@click.argument("name", required=False)
@of_team
@of_source
@as_json
def show_output(name: str | None, team_name: str | None, source_name: str | None, as_json: bool) -> None:
    """Show an output."""
    show(output_view(the_output(services(), team_name, source_name, name)), as_json)


@output.command("set")
@click.argument("name", required=False)
@of_team
@of_source
@click.option("--rename", "new_name", help="A new name.")
@click.option("--database", help="Another database, by its address or id.")
@data_source
@click.option("--token", help="A new token; - asks for it.")
@click.option("--domain", "domains", multiple=True, help="Only tasks of these domains, in place of those before.")
@click.option("--any-domain", is_flag=True, help="No domains of its own any more.")
@click.option("--default/--no-default", default=None, help="Also take every task that no other output takes.")
@click.option("--active/--inactive", default=None, help="Inactive: no task goes there.")
@fields
@values
@at_version
@as_json
def set_output(
    name: str | None,
    team_name: str | None,
    source_name: str | None,
    token: str | None,
    domains: tuple[str, ...],
    any_domain: bool,
    fields: tuple[str, ...],
    values: tuple[str, ...],
    version: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Change an output; what is not named stays."""
    here = services()
    found = the_output(here, team_name, source_name, name)
    wanted: dict[str, Any] = {word: value for word, value in given.items() if value is not None}
    wanted |= {"name": wanted.pop("new_name")} if "new_name" in wanted else {}
    wanted |= {"token": spelt(token)} if token else {}
    wanted |= {"domains": domains} if domains or any_domain else {}
    change = checked(OutputChange, wanted | maps(fields, values))
    show(output_view(outputs.change(here.stores, found, change, version or found.version, operator())), as_json)


@output.command("schema")
@click.argument("name", required=False)
@of_team
@of_source
@as_json
def schema(name: str | None, team_name: str | None, source_name: str | None, as_json: bool) -> None:
    """Show which property each field of a task goes to, how that was chosen, and which option each value becomes."""
    here = services()
    with here.outside.inspect(the_output(here, team_name, source_name, name).output) as notion:
        show_all(notion.mapping(), ("field", "property", "type", "how", "options"), as_json)


@output.command("remove")
@click.argument("name")
@of_team
@of_source
@sure
def remove_output(name: str, team_name: str | None, source_name: str | None) -> None:
    """Remove an output; its pages and tasks stay."""
    here = services()
    found = the_output(here, team_name, source_name, name)
    outputs.remove(here.stores, found, found.version)
    click.echo(f"Removed output {name}.")


def the_output(here: Services, team_name: str | None, source_name: str | None, name: str | None) -> OutputRecord:
    """Give a team's output of a name, or its only one."""
    records = here.stores.changes.outputs(the_team(here, team_name).id)
    found = [
        record for record in records if name in (None, record.output.name) and source_name in (None, record.source_name)
    ]
    if len(found) != 1:
        known = ", ".join(f"{record.source_name}/{record.output.name}" for record in records) or "none"
        raise Permanent("unknown_output", f"name one output (and its --source); there are: {known}")
    return found[0]


def spelt(token: str) -> str:
    """Take a token, or ask for it."""
    if token != "-":  # noqa: S105 (no password, but the word for asking)
        return token
    asked: str = click.prompt("Token", hide_input=True, err=True)
    return asked


def maps(fields: tuple[str, ...], values: tuple[str, ...]) -> dict[str, Any]:
    """Read the options that say where a task's fields and values go."""
    field_map: dict[str, str | None] = {}
    value_map: dict[str, dict[str, str]] = {}
    for text in fields:
        field, _, name = text.partition("=")
        if not name:
            raise Permanent("invalid", f"{text!r} is no FIELD=PROPERTY")
        field_map[field] = None if name == NEVER else name
    for text in values:
        place, _, option = text.partition("=")
        field, _, value = place.partition(".")
        if not (field and value and option):
            raise Permanent("invalid", f"{text!r} is no FIELD.VALUE=OPTION")
        value_map.setdefault(field, {})[value] = option
    return {name: each for name, each in (("field_map", field_map), ("value_map", value_map)) if each}
