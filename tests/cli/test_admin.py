"""The administration commands, as a person types them, over a real database."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionSourceCredentials, SlackCredentials
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.vault import Vault, key_file
from tests.cli.commands import Shell


def test_a_team_is_set_up_in_three_commands(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """Team, source and output: the address has the hook, the first output is the default, secrets are sealed."""
    shell("team", "add", "acme", "--time-zone", "Europe/Amsterdam")
    words = ["source", "add", "slack", "--team", "acme", "--workspace", "T1"]
    made = shell.json(*words, "--signing-secret", "s3cret", "--bot-token", "xoxb-1")
    database = "https://www.notion.so/acme/Tasks-0123456789abcdef0123456789abcdef?v=1"
    output = shell.json("output", "add", database, "--team", "acme", "--source", "slack", "--token", "ntn_1")
    config = stores_with_key(stores, tmp_path).configs.sources()[0]
    assert made["webhook"].endswith(f"/hooks/slack/{config.hook}")
    assert (config.team_name, config.workspace, config.preferences.time_zone) == ("acme", "T1", "Europe/Amsterdam")
    assert output["default"] is True
    assert "s3cret" not in shell("source", "list").output


def stores_with_key(stores: Stores, home: Path) -> Stores:
    """Open the stores with the key that the commands made."""
    from discubot_pipeline.store.stores import open_stores

    return open_stores(stores.engine, Vault(key_file(home)))


def test_secrets_are_asked_for(shell: Shell) -> None:
    """What is not given on the command line is prompted for and not shown."""
    shell("team", "add", "acme")
    result = shell("source", "add", "slack", "--team", "acme", input="s3cret\nxoxb-1\n")
    assert "Signing secret" in result.output and "s3cret" not in result.output and "xoxb-1" not in result.output


def test_a_second_output_is_not_the_default(shell: Shell) -> None:
    """Only the first output without a domain becomes the default."""
    shell("team", "add", "acme")
    shell("source", "add", "generic", "--team", "acme", "--signing-secret", "whsec_c2VjcmV0")
    add = ["output", "add", "0123456789abcdef0123456789abcdef", "--team", "acme", "--source", "generic", "--token", "n"]
    shell(*add)
    assert shell.json(*add, "--name", "design", "--domain", "design")["default"] is False


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["team", "add", "Acme Ltd"], "lower-case letters"),
        (["team", "add", "taken"], "there is a team 'taken' already"),
        (["team", "add", "x", "--time-zone", "Mars/Olympus"], "time zone"),
        (
            ["source", "add", "slack", "--team", "nobody", "--signing-secret", "s", "--bot-token", "t"],
            "no team 'nobody'",
        ),
        (
            ["output", "add", "not-a-database", "--team", "taken", "--source", "slack", "--token", "t"],
            "name one source",
        ),
    ],
)
def test_mistakes_get_one_sentence(shell: Shell, words: list[str], sentence: str) -> None:
    """A wrong value is answered with what is wrong and no traceback."""
    shell("team", "add", "taken")
    output = shell(*words, ok=False).output
    assert sentence in output and "Traceback" not in output


def test_a_token_is_shown_once(shell: Shell, stores: Stores) -> None:
    """A token's text is printed and only its hash is kept."""
    shell("team", "add", "acme")
    token = shell.json("team", "token", "ci", "--team", "acme", "--role", "admin")["token"]
    bearer = stores.tokens.bearer(token)
    assert bearer is not None and (bearer.name, bearer.role) == ("ci", "admin")


def test_env_prints_what_a_shell_needs(shell: Shell, tmp_path: Path) -> None:
    """`discubot env` names the database for us and for Dagster, and DAGSTER_HOME."""
    lines = dict(line.removeprefix("export ").split("=", 1) for line in shell("env").output.splitlines())
    assert lines["DAGSTER_HOME"] == str(tmp_path)
    assert "search_path" in lines["DISCUBOT_DAGSTER_URL"]
    assert "psycopg2" in lines["DISCUBOT_DAGSTER_URL"]


def test_a_wrong_address_of_a_database_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is none of PostgreSQL's says how one looks."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", "mysql://x/y")
    assert "must look like postgresql://" in shell("team", "list", ok=False).output


def test_a_notion_source_shows_the_token_that_notion_sent_once(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """Its token and keyword are options; the verification token is waited for, shown once, and can be given up."""
    shell("team", "add", "acme")
    words = ["source", "add", "notion", "--team", "acme", "--token", "ntn_1", "--trigger", "@todo"]
    made = shell.json(*words)
    keyed = stores_with_key(stores, tmp_path)
    [config] = keyed.configs.sources()
    own = config.credentials
    assert isinstance(own, NotionSourceCredentials)
    assert made["webhook"].endswith(f"/hooks/notion/{config.hook}")
    assert (own.token.get_secret_value(), own.signing_secret, config.preferences.trigger) == ("ntn_1", None, "@todo")
    of_it = ["notion", "--team", "acme"]
    assert "waiting for Notion's verification token" in shell("source", "show", *of_it).output
    assert "waiting" in shell("source", "token", *of_it, ok=False).output
    keyed.changes.change_source(config, config.version, "system", own.adopt(SecretStr("secret_abc")))
    shown = shell("source", "show", *of_it).output
    assert "not shown yet" in shown and "secret_abc" not in shown and "ntn_1" not in shown
    assert shell("source", "token", *of_it).output == "secret_abc\n"
    assert "secret_abc" not in shell("source", "token", *of_it, ok=False).output
    assert shell.json("source", "show", *of_it)["handshake"] == "set"
    shell("source", "token", *of_it, "--forget")
    assert "waiting" in shell("source", "show", *of_it).output


def test_a_token_of_an_app_is_optional(shell: Shell, stores: Stores, tmp_path: Path) -> None:
    """Slack's app-level token is taken where it is given, and not asked for."""
    shell("team", "add", "acme")
    words = ["source", "add", "slack", "--team", "acme", "--signing-secret", "s", "--bot-token", "xoxb-1"]
    shell(*words, "--name", "without")
    shell(*words, "--name", "with", "--app-token", "xapp-1")
    found = {each.name: each.credentials for each in stores_with_key(stores, tmp_path).configs.sources()}
    tokens = {name: own.app_token for name, own in found.items() if isinstance(own, SlackCredentials)}
    assert tokens == {"without": None, "with": SecretStr("xapp-1")}
