"""Choosing a model, as a person types it: the key is asked for, sealed, shown nowhere, and sent nowhere else."""

from pathlib import Path

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.preferences import AnalystKind
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import teams
from discubot_pipeline.store.vault import Vault, key_file
from tests.cli.commands import Shell
from tests.store.samples import rows

KEY = "sk-ant-very-secret"
ANTHROPIC = ["--provider", "anthropic", "--model", "claude-sonnet-5"]


@pytest.fixture(autouse=True)
def acme(shell: Shell) -> None:
    """Set up a team with two sources."""
    shell("team", "add", "acme", "--time-zone", "Europe/Amsterdam")
    for name in ("desk", "shop"):
        words = ["source", "add", "generic", "--team", "acme", "--name", name]
        shell(*words, "--signing-secret", "whsec_c2VjcmV0")


def sources(stores: Stores, home: Path) -> dict[str, SourceConfig]:
    """Read the sources back by name."""
    return {config.name: config for config in open_stores(stores.engine, Vault(key_file(home))).configs.sources()}


def key_of(config: SourceConfig) -> str | None:
    """Reveal the key that a model would be sent."""
    return config.model_key.get_secret_value() if config.model_key else None


def test_a_key_is_asked_for_and_sealed(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """All sources of the team read with the model; the key is in no output and not readable in the row."""
    result = shell("team", "model", "acme", *ANTHROPIC, input=f"{KEY}\n")
    assert "API key" in result.output and KEY not in result.output
    for config in sources(stores, tmp_path).values():
        chosen = config.preferences
        assert (chosen.analyst, chosen.model, key_of(config)) == (AnalystKind.ANTHROPIC, "claude-sonnet-5", KEY)
        assert chosen.time_zone == "Europe/Amsterdam"
        assert KEY not in f"{config!r} {config} {config.model_dump_json()}"
    [row] = rows(stores.engine, teams)
    assert KEY.encode() not in row.model_credentials and KEY not in str(row.preferences)
    assert row.version == 2


def test_a_source_may_have_its_own_model(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """It overrules the team's; a local server needs no key, and does not get the team's."""
    shell("team", "model", "acme", *ANTHROPIC, "--api-key", KEY)
    local = ["--provider", "compatible", "--model", "llama3.3", "--url", "http://127.0.0.1:11434/v1/"]
    shell("team", "model", "acme", *local, "--source", "shop", input="\n")
    found = sources(stores, tmp_path)
    assert (found["desk"].preferences.analyst, key_of(found["desk"])) == (AnalystKind.ANTHROPIC, KEY)
    assert (found["shop"].preferences.model_url, key_of(found["shop"])) == ("http://127.0.0.1:11434/v1", None)


def test_a_key_is_sent_only_where_it_was_given_for(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """Whoever changes provider or address alone does not get the key along."""
    shell("team", "model", "acme", *ANTHROPIC, "--api-key", KEY)
    config = sources(stores, tmp_path)["desk"]
    for change in ({"analyst": AnalystKind.OPENAI}, {"model_url": "https://evil.example"}):
        moved = config.model_copy(update={"preferences": config.preferences.model_copy(update=change)})
        assert key_of(moved) is None
    assert key_of(config) == KEY


def test_back_to_the_rules(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """Nothing of the model is left, and nothing is asked for."""
    shell("team", "model", "acme", *ANTHROPIC, "--api-key", KEY)
    assert shell.json("team", "model", "acme", "--provider", "rules")["analyst"] == "rules"
    config = sources(stores, tmp_path)["desk"]
    chosen = config.preferences
    assert (chosen.analyst, chosen.model, config.model_credentials) == (AnalystKind.RULES, None, None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["acme", "--provider", "anthropic"], "needs the name of a model"),
        (["acme", "--provider", "compatible", "--model", "x"], "needs model_url"),
        (["acme", *ANTHROPIC, "--url", "ftp://x"], "is no address of an API"),
        (["acme", *ANTHROPIC, "--url", "http://me:pw@x/v1"], "is no address of an API"),
        (["nobody", *ANTHROPIC, "--api-key", "k"], "no team 'nobody'"),
        (["acme", *ANTHROPIC, "--api-key", "k", "--source", "x"], "name one source"),
        (["acme", "--provider", "watson"], "watson"),
    ],
)
def test_mistakes_get_one_sentence(shell: Shell, words: list[str], sentence: str) -> None:
    """A choice that lacks something is refused, before a key is asked for."""
    output = shell("team", "model", *words, ok=False).output
    assert sentence in output and "Traceback" not in output and "API key" not in output
