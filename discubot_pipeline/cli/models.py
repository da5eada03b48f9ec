"""`discubot team model`: choose who reads a team's threads, the built-in rules or a language model with its key."""

import click

from discubot_pipeline.admin import sources, teams
from discubot_pipeline.cli.options import as_json, operator, services, show, the_source
from discubot_pipeline.domain.changes import SourceChange, TeamChange
from discubot_pipeline.domain.preferences import AnalystKind, Preferences, merge


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
    chosen = choice(AnalystKind(provider), model, url)
    here = services()
    team = here.stores.configs.team(name)
    record = the_source(here, team, source_name) if source_name else None
    preferences = {field: getattr(chosen, field) for field in ("analyst", "model", "model_url")}
    wanted = {"preferences": preferences, "model_key": key_for(chosen, api_key)}
    if record:
        sources.change(here.stores, record, SourceChange.model_validate(wanted), record.version, operator())
    else:
        teams.change(here.stores, team, TeamChange.model_validate(wanted), team.version, operator())
    facts = {"team": team.name, "source": source_name or "all", "analyst": chosen.analyst.value}
    show(facts | ({"model": chosen.model} if chosen.model else {}), as_json)


def choice(kind: AnalystKind, model: str | None, url: str | None) -> Preferences:
    """Read a choice; one that lacks something is refused before a key is asked for."""
    return Preferences() if kind is AnalystKind.RULES else merge({"analyst": kind, "model": model, "model_url": url})


def key_for(chosen: Preferences, api_key: str | None) -> str | None:
    """Take the key that was given, or ask for it."""
    if chosen.analyst is AnalystKind.RULES:
        return None
    is_local = chosen.analyst is AnalystKind.COMPATIBLE
    if api_key is None:
        hint = "API key (empty for none)" if is_local else "API key"
        api_key = click.prompt(hint, hide_input=True, default="" if is_local else None, show_default=False)
    return api_key or None
