"""The administration commands, as a person types them, over a real database."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from discubot_pipeline.cli.main import main
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.vault import Vault, key_file

Run = Callable[..., Result]


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to call `discubot` on an empty database."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", database_url)
    monkeypatch.setenv("DISCUBOT_HOME", str(tmp_path))

    def call(*words: str, input: str | None = None, ok: bool = True) -> Result:
        result = CliRunner().invoke(main, words, input=input)
        assert (result.exit_code == 0) is ok, result.output
        return result

    return call


def facts(result: Result) -> dict[str, str]:
    """Read a command's JSON."""
    parsed: dict[str, str] = json.loads(result.output)
    return parsed


def test_a_team_is_set_up_in_three_commands(run: Run, stores: Stores, tmp_path: Path) -> None:
    """Team, source and output: the address has the hook, the first output is the default, secrets are sealed."""
    run("team", "add", "acme", "--time-zone", "Europe/Amsterdam")
    words = ["source", "add", "slack", "--team", "acme", "--workspace", "T1", "--json"]
    made = facts(run(*words, "--signing-secret", "s3cret", "--bot-token", "xoxb-1"))
    database = "https://www.notion.so/acme/Tasks-0123456789abcdef0123456789abcdef?v=1"
    output = facts(run("output", "add", database, "--team", "acme", "--source", "slack", "--token", "ntn_1", "--json"))
    config = stores_with_key(stores, tmp_path).configs.sources()[0]
    assert made["webhook"].endswith(f"/hooks/slack/{config.hook}")
    assert (config.team_name, config.workspace, config.preferences.time_zone) == ("acme", "T1", "Europe/Amsterdam")
    assert output["default"] is True
    assert "s3cret" not in run("source", "list").output


def stores_with_key(stores: Stores, home: Path) -> Stores:
    """Open the stores with the key that the commands made."""
    from discubot_pipeline.store.stores import open_stores

    return open_stores(stores.engine, Vault(key_file(home)))


def test_secrets_are_asked_for(run: Run) -> None:
    """What is not given on the command line is prompted for and not shown."""
    run("team", "add", "acme")
    result = run("source", "add", "slack", "--team", "acme", input="s3cret\nxoxb-1\n")
    assert "Signing secret" in result.output and "s3cret" not in result.output and "xoxb-1" not in result.output


def test_a_second_output_is_not_the_default(run: Run) -> None:
    """Only the first output without a domain becomes the default."""
    run("team", "add", "acme")
    run("source", "add", "generic", "--team", "acme", "--signing-secret", "whsec_c2VjcmV0")
    add = ["output", "add", "0123456789abcdef0123456789abcdef", "--team", "acme", "--source", "generic", "--token", "n"]
    run(*add)
    assert facts(run(*add, "--name", "design", "--domain", "design", "--json"))["default"] is False


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
def test_mistakes_get_one_sentence(run: Run, words: list[str], sentence: str) -> None:
    """A wrong value is answered with what is wrong and no traceback."""
    run("team", "add", "taken")
    output = run(*words, ok=False).output
    assert sentence in output and "Traceback" not in output


def test_a_token_is_shown_once(run: Run, stores: Stores) -> None:
    """A token's text is printed and only its hash is kept."""
    run("team", "add", "acme")
    token = facts(run("team", "token", "ci", "--team", "acme", "--role", "admin", "--json"))["token"]
    bearer = stores.tokens.bearer(token)
    assert bearer is not None and (bearer.name, bearer.role) == ("ci", "admin")


def test_env_prints_what_a_shell_needs(run: Run, tmp_path: Path) -> None:
    """`discubot env` names the database for us and for Dagster, and DAGSTER_HOME."""
    lines = dict(line.removeprefix("export ").split("=", 1) for line in run("env").output.splitlines())
    assert lines["DAGSTER_HOME"] == str(tmp_path)
    assert "search_path" in lines["DISCUBOT_DAGSTER_URL"]
    assert "psycopg2" in lines["DISCUBOT_DAGSTER_URL"]


def test_a_wrong_address_of_a_database_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is none of PostgreSQL's says how one looks."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", "mysql://x/y")
    assert "must look like postgresql://" in run("team", "list", ok=False).output
