"""What the administration commands share: their options, and how they show what they have to say."""

import json
import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

import click
from pydantic import BaseModel, SecretStr

from discubot_pipeline.admin.sources import find
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.changes import Secrets
from discubot_pipeline.domain.config import CREDENTIALS
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import Preferences
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.engine import is_up
from discubot_pipeline.store.records import SourceRecord, Team
from discubot_pipeline.wiring import Services, build

F = TypeVar("F", bound=Callable[..., Any])
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
of_team = click.option("--team", "team_name", help="Name of the team, where there are several.")
of_source = click.option("--source", "source_name", help="Name of the source, where the team has several.")
at_version = click.option("--version", type=int, help="Only if it still has this version.")
sure = click.confirmation_option("--yes", help="Do not ask.", prompt="This cannot be undone. Go on?")
preferences = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help=f"One of: {', '.join(Preferences.model_fields)}."
)
unset = click.option("--unset", "unsettings", multiple=True, metavar="NAME", help="Go back to what holds without it.")


WHOSE = {
    "app_token": "Slack's xapp-…, for Socket Mode. ",
    "bot_token": "Slack's xoxb-…. ",
    "token": "Notion's ntn_…. ",
}


class EnvironmentSecret(click.Option):
    """A secret that the environment may hold for a kind of source: DISCUBOT_BOT_TOKEN, DISCUBOT_NOTION_TOKEN."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Look the secret up, where the kind of source has it."""
        kind = SourceType(ctx.params["kind"])
        self.envvar = f"DISCUBOT_{kind.upper()}_TOKEN" if self.name == "token" else f"DISCUBOT_{self.name}".upper()
        return super().resolve_envvar_value(ctx) if self.name in CREDENTIALS[kind].secrets() else None


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


def operator() -> str:
    """Name the person at the keyboard, for the columns that say who did it."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"


def the_team(here: Services, name: str | None) -> Team:
    """Give the team of a name, or the only one."""
    if name is not None:
        return here.stores.configs.team(name)
    teams = here.stores.configs.teams()
    if len(teams) != 1:
        known = ", ".join(team.name for team in teams) or "none (`discubot team add`)"
        raise Permanent("unknown_team", f"name one team with --team; there are: {known}")
    return teams[0]


def the_source(here: Services, team: Team, name: str | None) -> SourceRecord:
    """Give a team's source of a name, or its only one."""
    records = here.stores.changes.sources(team.id)
    found = find(here.stores, team, name) if name else records[0] if len(records) == 1 else None
    if found is None:
        known = ", ".join(record.config.name for record in records) or "none"
        raise Permanent("unknown_source", f"name one source; there are: {known}")
    return found


def secret_options(from_environment: bool) -> Callable[[F], F]:
    """Give a command one option for each secret that any source has; `-` asks for it."""
    names = sorted({name for kind in CREDENTIALS.values() for name in kind.secrets()}, reverse=True)
    kind, asks = (
        (EnvironmentSecret, "Asked for where it is needed and not given")
        if from_environment
        else (click.Option, "A new one; - asks for it")
    )

    def add(command: F) -> F:
        for name in names:
            text = f"{WHOSE.get(name, '')}{asks}."
            command = click.option(f"--{name.replace('_', '-')}", name, cls=kind, help=text)(command)
        return command

    return add


def asked(kind: SourceType, given: Mapping[str, str | None], new: bool) -> Secrets:
    """Take the secrets that are given; of a new source ask for those that it cannot do without."""
    model = CREDENTIALS[kind]
    strange = [name for name, value in given.items() if value is not None and name not in model.secrets()]
    if strange:
        raise Permanent("credentials", f"a source of the kind {kind} has no {label(strange[0]).lower()}")
    secrets: Secrets = {}
    for name in model.secrets():
        value = given.get(name)
        if value == "-" or (value is None and new and model.model_fields[name].is_required()):
            value = click.prompt(label(name), hide_input=True, err=True)
        if value is not None:
            secrets[name] = SecretStr(value)
    return secrets


def patch(settings: Sequence[str], unsettings: Sequence[str] = ()) -> dict[str, Any]:
    """Read `name=value` options; what is unset is null."""
    pairs = [setting.partition("=") for setting in settings]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise Permanent("invalid", f"{wrong[0]!r} is no NAME=VALUE")
    return {name: read(name, value) for name, _, value in pairs} | dict.fromkeys(unsettings)


def read(name: str, value: str) -> Any:
    """Read one value: several are separated by commas where a preference takes several."""
    field = Preferences.model_fields.get(name)
    several = field is not None and any(
        "tuple" in str(kind) for kind in (field.annotation, *get_args(field.annotation))
    )
    return [word.strip() for word in value.split(",") if word.strip()] if several else value


def show(facts: BaseModel | dict[str, Any], as_json: bool) -> None:
    """Print facts for a person or for a program."""
    plain = facts.model_dump(mode="json") if isinstance(facts, BaseModel) else facts
    if as_json:
        click.echo(json.dumps(plain, default=str))
        return
    for name, value in plain.items():
        click.echo(f"{label(name):<15} {words(value)}")


def show_all(facts: Sequence[BaseModel], columns: Sequence[str], as_json: bool) -> None:
    """Print a table for a person, or everything for a program."""
    plain = [each.model_dump(mode="json") for each in facts]
    if as_json:
        click.echo(json.dumps(plain))
        return
    rows = [[label(name) for name in columns], *([words(each[name]) for name in columns] for each in plain)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def label(name: str) -> str:
    """Write a name as a person would."""
    return name.replace("_", " ").capitalize()


def words(value: Any) -> str:
    """Write a value as a person would."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case {"set": is_set, "fingerprint": fingerprint}:
            return f"set ({fingerprint})" if fingerprint else "set" if is_set else "not set"
        case dict():
            return ", ".join(f"{name}={words(each)}" for name, each in value.items()) or "–"
        case list():
            return ", ".join(map(words, value)) or "–"
    return str(value)
