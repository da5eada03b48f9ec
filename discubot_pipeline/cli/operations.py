"""`discubot operation`: work on many discussions at once, done by a job. The same as over the REST API."""

from datetime import datetime
from typing import Any, TextIO
from uuid import UUID

import click
from pydantic import ValidationError

from discubot_pipeline.admin.operations import ask, fetched
from discubot_pipeline.cli.options import as_json, of_team, operator, services, show, show_all, sure, the_team
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.operations import OperationKind, new_operation
from discubot_pipeline.domain.preferences import sentence_of

COLUMNS = ("id", "kind", "status", "run_id", "created_at", "created_by", "reason")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def operation() -> None:
    """Import, delete, export or count discussions in bulk; a job does it."""


def selection(command: Any) -> Any:
    """Let a command say which discussions are meant."""
    options = [
        click.option("--id", "ids", type=click.UUID, multiple=True, help="May be repeated."),
        click.option("--status", type=click.Choice([*map(str, DiscussionStatus)]), multiple=True, help="So too."),
        click.option("--source", type=click.Choice([*map(str, SourceType)]), help="Only of this kind of source."),
        click.option("--since", type=DAY, help="Begun from this day on (UTC)."),
        click.option("--until", type=DAY, help="Begun before this day (UTC)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@operation.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@of_team
@as_json
def import_lines(file: TextIO, team_name: str | None, as_json: bool) -> None:
    """Import discussions from FILE (or - for standard input): JSON lines, as an export writes them."""
    submit(OperationKind.IMPORT, {"lines": file.read()}, team_name, as_json)


@operation.command("delete")
@selection
@sure
@of_team
@as_json
def delete(team_name: str | None, as_json: bool, **wanted: Any) -> None:
    """Delete discussions with their messages and tasks; pages in Notion stay."""
    submit(OperationKind.DELETE, wanted, team_name, as_json)


@operation.command("export")
@selection
@of_team
@as_json
def export(team_name: str | None, as_json: bool, **wanted: Any) -> None:
    """Export discussions; `discubot operation fetch` prints them when that is done."""
    submit(OperationKind.EXPORT, wanted, team_name, as_json)


@operation.command("statistics")
@click.option("--since", type=DAY, help="First day (UTC).")
@click.option("--until", type=DAY, help="Last day (UTC).")
@of_team
@as_json
def statistics(since: datetime | None, until: datetime | None, team_name: str | None, as_json: bool) -> None:
    """Compute the figures of days anew; by default of those that may still change."""
    days = {"since": since and since.date(), "until": until and until.date()}
    submit(OperationKind.STATISTICS, days, team_name, as_json)


@operation.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@of_team
@as_json
def list_operations(limit: int, team_name: str | None, as_json: bool) -> None:
    """List operations, the newest first."""
    here = services()
    show_all(here.stores.operations.page(the_team(here, team_name).id, None, limit)[:limit], COLUMNS, as_json)


@operation.command("show")
@click.argument("id", type=click.UUID)
@of_team
@as_json
def show_operation(id: UUID, team_name: str | None, as_json: bool) -> None:
    """Show an operation: how it stands, what came of it, and which items could not be worked on."""
    here = services()
    show(here.stores.operations.get(id, the_team(here, team_name).id), as_json)


@operation.command("fetch")
@click.argument("id", type=click.UUID)
@of_team
def fetch(id: UUID, team_name: str | None) -> None:
    """Print what an export has written, one discussion a line."""
    here = services()
    for text in fetched(here.stores, here.stores.operations.get(id, the_team(here, team_name).id)):
        click.echo(text, nl=False)


def submit(kind: OperationKind, given: dict[str, Any], team_name: str | None, as_json: bool) -> None:
    """Ask for an operation in the name of the person at the keyboard."""
    here = services()
    params = {name: in_utc(value) for name, value in given.items() if value not in (None, ())}
    try:
        new = new_operation.validate_python({"kind": kind, "params": params})
    except ValidationError as error:
        raise Permanent("invalid", sentence_of(error.errors(), skip=2)) from error
    made = ask(here.stores, the_team(here, team_name).id, new, operator())
    show({"job_id": str(made.id), "status": made.status.value}, as_json)


def in_utc(value: Any) -> Any:
    """Read a day as its beginning in UTC."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
