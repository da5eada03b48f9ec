"""`discubot team | source | output`: set up who we work for, where discussions come from and where tasks go."""

import json
from typing import Any

import click
from pydantic import SecretStr, ValidationError

from discubot_pipeline.adapters.intake import post
from discubot_pipeline.adapters.notion import database_id_of
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.config import (
    CREDENTIALS,
    Credentials,
    NotionCredentials,
    NotionSourceCredentials,
    SourceConfig,
)
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
@click.option("--workspace", help="Slack, Notion: the workspace's id; events of others are ignored.")
@click.option("--signing-secret", envvar="DISCUBOT_SIGNING_SECRET", help="Asked for; Notion brings its own.")
@click.option("--bot-token", envvar="DISCUBOT_BOT_TOKEN", help="Slack: xoxb-…; asked for when it is not given.")
@click.option("--app-token", envvar="DISCUBOT_APP_TOKEN", help="Slack: xapp-…, for Socket Mode.")
@click.option("--token", envvar="DISCUBOT_NOTION_TOKEN", help="Notion: ntn_…; asked for when it is not given.")
@click.option("--trigger", help="Notion: the word that calls the bot; by default “discubot”, with or without @.")
@as_json
def add_source(
    kind: str,
    team_name: str,
    name: str | None,
    workspace: str | None,
    trigger: str | None,
    as_json: bool,
    **secrets: str | None,
) -> None:
    """Connect a source; prints the address to give to it."""
    here, source_type = services(), SourceType(kind)
    configs, credentials = here.stores.configs, credentials_of(source_type, secrets)
    preferences = {"trigger": trigger} if trigger else {}
    made = configs.add_source(
        configs.team(team_name),
        source_type,
        name or kind,
        credentials,
        OPERATOR,
        workspace=workspace,
        preferences=preferences,
    )
    show({"source": made.name, "webhook": address(here, made)}, as_json)


def credentials_of(kind: SourceType, given: dict[str, str | None]) -> Credentials:
    """Read the secrets that a kind of source needs off the options, and ask for those that are missing."""
    model = CREDENTIALS[kind]
    secrets: dict[str, SecretStr] = {}
    for name, field in model.model_fields.items():
        text = given.get(name)
        if text is None and field.is_required():
            text = click.prompt(name.replace("_", " ").capitalize(), hide_input=True)
        if text is not None:
            secrets[name] = SecretStr(text)
    try:
        return model.model_validate(secrets)
    except ValidationError as error:
        raise Permanent("credentials", str(error)) from error


@source.command("list")
def list_sources() -> None:
    """List the sources with their webhook addresses."""
    here = services()
    for each in here.stores.configs.sources():
        click.echo(f"{each.team_name}/{each.name}  {address(here, each)}")


@source.command("show")
@click.argument("name")
@click.option("--team", "team_name", required=True)
@as_json
def show_source(name: str, team_name: str, as_json: bool) -> None:
    """Show a source, without its secrets."""
    here = services()
    found = named(here.stores.configs.sources(team_id=here.stores.configs.team(team_name).id), name)
    facts = {
        "source": found.name,
        "kind": found.source.value,
        "webhook": address(here, found),
        "workspace": found.workspace or "any",
        "active": found.active,
    }
    if isinstance(found.credentials, NotionSourceCredentials):
        facts |= {"trigger": found.preferences.trigger or "discubot", "token": standing(found.credentials)}
    show(facts, as_json)


def standing(own: NotionSourceCredentials) -> str:
    """Say how far the handshake of a Notion source has come."""
    if own.signing_secret is None:
        return "waiting for Notion's verification token"
    return "received, not shown yet: discubot source token" if own.is_unseen else "set"


@source.command("token")
@click.argument("name")
@click.option("--team", "team_name", required=True)
@click.option("--forget", is_flag=True, help="Give the token up, so that the next one that Notion sends is taken.")
def verification_token(name: str, team_name: str, forget: bool) -> None:
    """Show the verification token that Notion sent, once, to be entered in Notion."""
    here = services()
    configs = here.stores.configs
    found = named(configs.sources(SourceType.NOTION, configs.team(team_name).id), name)
    own = found.credentials
    if not isinstance(own, NotionSourceCredentials):
        raise Permanent("unknown_source", f"source {name!r} has no verification token")
    if not forget and (own.signing_secret is None or not own.is_unseen):
        said = f"{standing(own)}: `--forget` lets Notion send it again" if own.signing_secret else standing(own)
        raise Permanent("not_yet", f"there is no token to show ({said}); the address is {address(here, found)}")
    if not configs.replace_credentials(found, own.forget() if forget else own.reveal(), OPERATOR):
        raise Permanent("conflict", "the source has just been changed: try again")
    if own.signing_secret and not forget:
        click.echo(own.signing_secret.get_secret_value())


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
