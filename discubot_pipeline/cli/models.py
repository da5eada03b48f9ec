"""`discubot team model`: choose who reads a team's threads, the built-in rules or a language model with its key."""

import click
from pydantic import SecretStr, ValidationError

from discubot_pipeline.cli.admin import OPERATOR, as_json, named, services, show
from discubot_pipeline.domain.config import AnalystKind, ModelCredentials, Preferences
from discubot_pipeline.domain.errors import Permanent


@click.command("model")
@click.argument("name", metavar="TEAM")
@click.option("--provider", required=True, type=click.Choice([each.value for each in AnalystKind]))
@click.option("--model", help="The model's name, as its provider spells it.")
@click.option("--url", help="Address of the API; needed for compatible, such as http://127.0.0.1:11434/v1.")
@click.option("--source", "source_name", help="Only for this source of the team.")
@click.option("--api-key", envvar="DISCUBOT_MODEL_KEY", help="Asked for when it is not given; empty for none.")
@as_json
def choose_model(
    name: str,
    provider: str,
    model: str | None,
    url: str | None,
    source_name: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Choose who reads a team's threads. The key is sealed, and sent to the address that it was given for only."""
    kind = AnalystKind(provider)
    chosen = checked(kind, model, url)
    configs = services().stores.configs
    owner = configs.team(name)
    target = named(configs.sources(team_id=owner.id), source_name) if source_name else owner
    configs.set_model(
        target,
        OPERATOR,
        key_for(chosen, api_key),
        analyst=kind,
        model=chosen.model,
        model_url=chosen.model_url,
    )
    facts = {"team": owner.name, "source": source_name or "all", "analyst": kind.value}
    show(facts | ({"model": chosen.model} if chosen.model else {}), as_json)


def checked(kind: AnalystKind, model: str | None, url: str | None) -> Preferences:
    """Read a choice; one that lacks something is refused before a key is asked for."""
    if kind is AnalystKind.RULES:
        return Preferences()
    try:
        return Preferences(analyst=kind, model=model, model_url=url)
    except ValidationError as error:
        raise Permanent("preferences", error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def key_for(chosen: Preferences, api_key: str | None) -> ModelCredentials | None:
    """Take the key that was given, or ask for it."""
    if chosen.analyst is AnalystKind.RULES:
        return None
    is_local = chosen.analyst is AnalystKind.COMPATIBLE
    if api_key is None:
        hint = "API key (empty for none)" if is_local else "API key"
        api_key = click.prompt(hint, hide_input=True, default="" if is_local else None, show_default=False)
    if not api_key:
        return None
    return ModelCredentials(analyst=chosen.analyst, url=chosen.model_url, api_key=SecretStr(api_key))
