"""`discubot inbox`: what arrived, and running it once more. The same facts and refusals as the REST API."""

from datetime import UTC, datetime

import click

from discubot_pipeline.cli.options import as_json, of_team, operator, services, show, show_all, the_team
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.store.paging import Period

COLUMNS = ("id", "source", "status", "reason", "thread", "received_at", "replayed_by")
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def inbox() -> None:
    """See what arrived, and run it once more."""


@inbox.command("list")
@of_team
@click.option(
    "--status", "statuses", type=click.Choice([*map(str, DeliveryStatus)]), multiple=True, help="May be repeated."
)
@click.option("--source", type=click.Choice([*map(str, SourceType)]), help="Only of this kind of source.")
@click.option("--since", type=MOMENT, help="Only from then on (UTC).")
@click.option("--until", type=MOMENT, help="Only before then (UTC).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@as_json
def list_deliveries(
    team_name: str | None,
    statuses: tuple[str, ...],
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what arrived, the newest first."""
    here = services()
    team = the_team(here, team_name)
    period = Period(since=since and since.replace(tzinfo=UTC), until=until and until.replace(tzinfo=UTC))
    wanted, kind = [DeliveryStatus(status) for status in statuses], SourceType(source) if source else None
    found = here.stores.deliveries.page(team.id, period, None, limit, wanted, kind)
    show_all(found[:limit], COLUMNS, as_json)


@inbox.command("replay")
@click.argument("id", type=int)
@of_team
@as_json
def replay(id: int, team_name: str | None, as_json: bool) -> None:
    """Run a delivery once more; tasks that are there already are not made again."""
    here = services()
    show(here.stores.deliveries.replay(id, the_team(here, team_name).id, operator()), as_json)
