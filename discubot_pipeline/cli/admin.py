"""`discubot team | source | output`: set up who we work for, where discussions come from and where tasks go."""

import json
import secrets
from typing import Any

import click
from click.core import ParameterSource
from pydantic import SecretStr, ValidationError

from discubot_pipeline.adapters.intake import post
from discubot_pipeline.adapters.notion import database_id_of
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.config import CREDENTIALS, NotionCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.engine import is_up
from discubot_pipeline.store.tables import Role
from discubot_pipeline.wiring import Services, build

OPERATOR = "cli"
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def services() -> Services:
    """Build the services for one command: of the embedded database when no other is named."""
    system = System(Settings())
    here = build(system.settings, pool_size=1)
    click.get_current_context().call_on_close(here.engine.dispose)
    if not is_up(here.engine):
        raise StartupError(
            "The database does not answer: start `discubot up` first"
            if system.postgres
            else "The database does not answer: check DISCUBOT_DATABASE_URL and that the server is running"
        )
    return here


def show(facts: dict[str, Any], as_json: bool) -> None:
    """Print facts for a person or for a program."""
    if as_json:
        click.echo(json.dumps(facts, default=str))
    else:
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):<14} {value}")


@click.group()
def team() -> None:
    """Set up teams: each has its own sources, outputs, discussions and tokens."""


@team.command("add")
@click.argument("name")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="For dates such as “tomorrow” when the author's is unknown.",
)
@as_json
def add_team(name: str, time_zone: str, as_json: bool) -> None:
    """Make a team."""
    made = services().stores.configs.add_team(name, OPERATOR, time_zone=time_zone)
    show({"team": made.name, "id": made.id}, as_json)


@team.command("list")
def list_teams() -> None:
    """List the teams."""
    for each in services().stores.configs.teams():
        click.echo(each.name)


@team.command("token")
@click.argument("name")
@click.option("--team", "team_name", required=True)
@click.option("--role", type=click.Choice([each.value for each in Role]), default=Role.MEMBER.value, show_default=True)
@as_json
def token(name: str, team_name: str, role: str, as_json: bool) -> None:
    """Make a token for the API; it is shown once."""
    stores = services().stores
    text = stores.tokens.make(stores.configs.team(team_name).id, name, Role(role), OPERATOR)
    show({"token": text, "name": name, "role": role}, as_json)


@click.group()
def source() -> None:
    """Connect what discussions come from."""


@source.command("add")
@click.argument("kind", type=click.Choice([each.value for each in SourceType]))
@click.option("--team", "team_name", required=True)
@click.option("--name", help="By default the kind's name.")
@click.option("--workspace", help="Slack: the workspace's id (T…); events of others are ignored.")
@click.option("--signing-secret", envvar="DISCUBOT_SIGNING_SECRET", help="Slack, generic.")
@click.option("--bot-token", envvar="DISCUBOT_BOT_TOKEN", help="Slack: xoxb-….")
@click.option("--token", envvar="DISCUBOT_FIGMA_TOKEN", help="Figma: a personal token of the bot's account, figd_….")
@click.option(
    "--passcode", envvar="DISCUBOT_PASSCODE", help="Figma: as the webhook has it; made and shown if not given."
)
@click.option("--signing-key", envvar="DISCUBOT_SIGNING_KEY", help="Mailgun: the HTTP webhook signing key.")
@click.option("--bot-name", help="Figma, Mailgun: what people write to call the bot, by default @discubot.")
@as_json
def add_source(
    kind: str,
    team_name: str,
    name: str | None,
    workspace: str | None,
    bot_name: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Connect a source; prints the address to give to it. Secrets that are not given are asked for."""
    here, source_type = services(), SourceType(kind)
    configs = here.stores.configs
    team = configs.team(team_name)
    given = {field: value for field, value in given.items() if value and is_meant(field, source_type)}
    needed = secrets_of(source_type, bool(configs.sources(SourceType.FIGMA, team.id)))
    made_up = {"passcode": secrets.token_urlsafe(24)} if "passcode" in needed and "passcode" not in given else {}
    known = given | made_up
    found = {field: known.get(field) or click.prompt(label, hide_input=True) for field, label in needed.items()}
    try:
        credentials = CREDENTIALS[source_type].model_validate(known | found)
    except ValidationError as error:
        raise Permanent("credentials", wrong_fields(error)) from None
    preferences = {"trigger": bot_name} if bot_name else {}
    made = configs.add_source(
        team, source_type, name or kind, credentials, OPERATOR, workspace=workspace, preferences=preferences
    )
    show({"source": made.name, "webhook": address(here, made)} | made_up, as_json)


def secrets_of(kind: SourceType, has_figma: bool) -> dict[str, str]:
    """List the secrets that a source needs, with what to ask; mails use the token of the team's Figma source."""
    match kind:
        case SourceType.SLACK:
            return {"signing_secret": "Signing secret", "bot_token": "Bot token"}
        case SourceType.GENERIC:
            return {"signing_secret": "Signing secret"}
        case SourceType.FIGMA:
            return {"token": "Figma token", "passcode": "Passcode"}
        case SourceType.MAILGUN:
            return {"signing_key": "Signing key"} | ({} if has_figma else {"token": "Figma token"})


def is_meant(field: str, kind: SourceType) -> bool:
    """Leave out what the environment holds for other kinds of sources."""
    origin = click.get_current_context().get_parameter_source(field)
    return field in CREDENTIALS[kind].model_fields or origin is not ParameterSource.ENVIRONMENT


def wrong_fields(error: ValidationError) -> str:
    """Name the options that a kind of source does not know, or that are wrong; never what they hold."""
    names = ", ".join(f"--{'-'.join(str(fault['loc'][0]).split('_'))}" for fault in error.errors(include_input=False))
    return f"this kind of source cannot use {names}"


@source.command("list")
def list_sources() -> None:
    """List the sources with their webhook addresses."""
    here = services()
    for each in here.stores.configs.sources():
        click.echo(f"{each.team_name}/{each.name}  {address(here, each)}")


@click.group()
def output() -> None:
    """Connect the Notion databases that tasks go to."""


@output.command("add")
@click.argument("database")
@click.option("--team", "team_name", required=True)
@click.option("--source", "source_name", required=True, help="Name of the source whose tasks go there.")
@click.option("--name", default="notion", show_default=True)
@click.option("--token", envvar="DISCUBOT_NOTION_TOKEN", prompt=True, hide_input=True)
@click.option("--data-source", help="Id of the data source, where the database has several.")
@click.option("--domain", "domains", multiple=True, help="Only tasks of this domain; may be given several times.")
@as_json
def add_output(
    database: str,
    team_name: str,
    source_name: str,
    name: str,
    token: str,
    data_source: str | None,
    domains: tuple[str, ...],
    as_json: bool,
) -> None:
    """Connect a Notion database, named by its address or id. The first output without --domain is the default."""
    configs = services().stores.configs
    config = named(configs.sources(team_id=configs.team(team_name).id), source_name)
    is_default = not domains and not any(each.is_default for each in configs.outputs(config))
    made = configs.add_output(
        config,
        name,
        database_id_of(database),
        NotionCredentials(token=SecretStr(token)),
        OPERATOR,
        data_source_id=data_source,
        domains=domains,
        is_default=is_default,
    )
    show({"output": made.name, "database": made.database_id, "default": made.is_default}, as_json)


def address(here: Services, config: SourceConfig) -> str:
    """Write the webhook address of a source."""
    return f"{here.settings.receiver_url}/hooks/{config.source}/{config.hook}"


def named(configs: list[SourceConfig], name: str | None) -> SourceConfig:
    """Pick a source by name, or the only one."""
    found = [config for config in configs if name in (None, config.name)]
    if len(found) != 1:
        known = ", ".join(config.name for config in configs) or "none"
        raise Permanent("unknown_source", f"name one source; there are: {known}")
    return found[0]


def send(body: bytes, name: str | None) -> dict[str, Any]:
    """Post a discussion to the generic intake, signed as any other tool would sign it."""
    here = services()
    config = named(here.stores.configs.sources(SourceType.GENERIC), name)
    return post(config, here.settings.receiver_url, body, here.outside.clock.now())
