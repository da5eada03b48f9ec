"""`discubot doctor` over the sandbox: what is right, what is not and what to do, and never a secret."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.domain.config import NotionSourceCredentials
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.tables import SCHEMA
from discubot_pipeline.store.vault import Vault, key_file
from tests.adapters.notion_space import COLUMNS, Workspace, workspace
from tests.adapters.slack_workspace import SlackHarness
from tests.cli.commands import Shell
from tests.conftest import Sandbox

SCOPES = (
    "app_mentions:read channels:history groups:history im:history mpim:history chat:write reactions:write users:read"
)


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Let the commands talk to the sandbox, and find no Dagster."""
    monkeypatch.setenv("DISCUBOT_NOTION_URL", f"{sandbox.url}/notion")
    monkeypatch.setenv("DISCUBOT_SLACK_URL", f"{sandbox.url}/slack/api")
    monkeypatch.setenv("DISCUBOT_WEB_PORT", str(free_port()))
    return sandbox


@pytest.fixture
def slack(world: Sandbox) -> Iterator[SlackHarness]:
    """Give a Slack workspace."""
    harness = SlackHarness(world)
    yield harness
    harness.close()


@pytest.fixture
def space(world: Sandbox) -> Iterator[Workspace]:
    """Give a Notion database."""
    with workspace(world) as space:
        yield space


@pytest.fixture
def ready(shell: Shell, slack: SlackHarness, space: Workspace) -> Shell:
    """Set up a team with a source and an output that work."""
    shell("team", "add", "acme")
    secrets = ("--signing-secret", slack.secret, "--bot-token", slack.token)
    shell("source", "add", "slack", "--workspace", slack.team, *secrets)
    shell("output", "add", space.database["database_id"], "--token", space.token)
    return shell


def report(shell: Shell, ok: bool = True, *words: str) -> dict[tuple[str, str], Any]:
    """Let doctor look; gives its lines by topic and name."""
    return {(line["topic"], line["name"]): line for line in shell.json("doctor", *words, ok=ok)}


SOURCE, OUTPUT = "acme/slack", "acme/slack → notion"


def test_all_is_well(ready: Shell, slack: SlackHarness, space: Workspace) -> None:
    """Every line is as it should be, Dagster is left out with a word, and the command succeeds."""
    lines = report(ready)
    assert {state for line in lines.values() if (state := line["state"]) != "passed"} == {"skipped"}
    assert [name for (_, name), line in lines.items() if line["state"] == "skipped"] == ["dagster"]
    for line in (
        *(("installation", "migrations"), (SOURCE, "token"), (SOURCE, "scopes"), (SOURCE, "workspace")),
        *((SOURCE, "outputs"), (OUTPUT, "connection"), (OUTPUT, "database"), (OUTPUT, "key property")),
        *((OUTPUT, "mapping"), (OUTPUT, "people")),
    ):
        assert line in lines
    told = lines[OUTPUT, "mapping"]["message"]
    assert "priority → Priority (select, name)" in told and "type.question" in told.partition("without a place")[2]
    output = ready("doctor").output
    assert "✓ acme/slack: token: speaks for" in output and "– installation: dagster: not running" in output
    assert not any(secret in output for secret in (slack.token, slack.secret, space.token))


def test_scopes_that_lack(ready: Shell, slack: SlackHarness) -> None:
    """Are named one by one; the command fails."""
    slack.sandbox.control("PATCH", f"/slack/workspaces/{slack.team}", {"scopes": SCOPES.split()})
    line = report(ready, False)[SOURCE, "scopes"]
    assert (line["state"], line["message"]) == ("failed", "lacking: users:read.email")
    assert "install the app again" in line["advice"]


def test_a_token_that_is_refused(ready: Shell) -> None:
    """Says what to do, and what depends on it is left out."""
    ready("source", "set", "--bot-token", "xoxb-wrong", "--workspace", "T9")
    ready("output", "set", "--token", "ntn_wrong")
    lines = report(ready, False)
    assert "discubot source set --bot-token -" in lines[SOURCE, "token"]["advice"]
    assert "discubot output set --token -" in lines[OUTPUT, "connection"]["advice"]
    assert (SOURCE, "scopes") not in lines and (OUTPUT, "database") not in lines
    assert "wrong" not in ready("doctor", ok=False).output


def test_another_workspace(ready: Shell, slack: SlackHarness) -> None:
    """A token of one workspace and events of another do not go together."""
    ready("source", "set", "--workspace", "T9")
    assert slack.team in report(ready, False)[SOURCE, "workspace"]["message"]


def test_a_database_that_is_not_shared(ready: Shell, space: Workspace) -> None:
    """The advice says where to click."""
    space.sandbox.control("PUT", f"/notion/databases/{space.database['database_id']}/tokens", {"tokens": []})
    assert "add the connection" in report(ready, False)[OUTPUT, "database"]["advice"]


def test_several_data_sources(ready: Shell, world: Sandbox) -> None:
    """One must be chosen, and then it is well."""
    with workspace(world, data_sources=2) as space:
        ready("output", "set", "--database", space.database["database_id"], "--token", space.token)
        line = report(ready, False)[OUTPUT, "database"]
        assert all(id in line["message"] for id in space.database["data_source_ids"])
        ready("output", "set", "--data-source", space.database["data_source_ids"][1])
        report(ready)


def test_no_key_property(ready: Shell, world: Sandbox) -> None:
    """Without one it works all the same; one of another type is a fault."""
    for column, state in ((None, "skipped"), ("number", "failed")):
        columns = {name: each for name, each in COLUMNS.items() if name != "Discubot key"}
        columns |= {"Discubot key": column} if column else {}
        with workspace(world, properties=columns) as space:
            ready("output", "set", "--database", space.database["database_id"], "--token", space.token)
            line = report(ready, state == "skipped")[OUTPUT, "key property"]
            assert line["state"] == state and "add a text property" in line["advice"]


def test_a_mapping_that_cannot_be(ready: Shell) -> None:
    """Properties and options that a person has named must be there."""
    ready("output", "set", "--field", "assignee=Chef", "--value", "priority.high=Now")
    lines = report(ready, False)
    assert "there is no property 'Chef'" in lines[OUTPUT, "field assignee"]["message"]
    assert "use one of: High, Medium, Low" in lines[OUTPUT, "field priority"]["advice"]


def test_a_paused_source_and_no_default(ready: Shell, space: Workspace) -> None:
    """A pause is no fault, tasks without a place to go are."""
    ready("source", "pause")
    assert report(ready)[SOURCE, "state"]["message"] == "paused, 0 deliveries held"
    ready("output", "set", "--inactive")
    assert report(ready, False)[SOURCE, "outputs"]["message"] == "no active output"
    ready("output", "remove", "notion", "--yes")
    ready("output", "add", space.database["database_id"], "--token", space.token, "--domain", "design")
    assert "discubot output set NAME --default" in report(ready, False)[SOURCE, "outputs"]["advice"]


def test_only_one_team(ready: Shell) -> None:
    """Others are not looked at; an unknown one is told."""
    ready("team", "add", "other")
    assert not any(topic.startswith("acme") for topic, _ in report(ready, True, "--team", "other"))
    assert "no team 'nobody'" in report(ready, False, "--team", "nobody")["installation", "team"]["message"]


def test_a_generic_secret_of_no_form(ready: Shell) -> None:
    """A secret that signs nothing is told before the first delivery is refused."""
    ready("source", "add", "generic", "--signing-secret", "whsec_not base64!")
    line = report(ready, False)["acme/generic", "signing secret"]
    assert line["state"] == "failed" and "whsec_" in line["advice"]


def test_a_notion_source_says_how_far_its_handshake_is(
    ready: Shell, space: Workspace, stores: Stores, tmp_path: Path
) -> None:
    """Its token is asked for itself; the verification token must have come, and must have been entered in Notion."""
    ready("source", "add", "notion", "--token", space.token)
    ready("output", "add", space.database["database_id"], "--source", "notion", "--token", space.token)
    topic, keyed = "acme/notion", open_stores(stores.engine, Vault(key_file(tmp_path)))
    lines = report(ready, False)
    assert (lines[topic, "token"]["state"], lines[topic, "handshake"]["state"]) == ("passed", "failed")
    assert "make a subscription" in lines[topic, "handshake"]["advice"]
    [config] = keyed.configs.sources(SourceType.NOTION)
    assert isinstance(config.credentials, NotionSourceCredentials)
    adopted = config.credentials.adopt(SecretStr("secret_abc"))
    keyed.changes.change_source(config, config.version, "test", adopted)
    assert "discubot source token" in report(ready, False)[topic, "handshake"]["advice"]
    ready("source", "token", "notion")
    assert report(ready)[topic, "handshake"]["state"] == "passed"
    ready("source", "set", "notion", "--token", "ntn_wrong")
    assert "discubot source set --token -" in report(ready, False)[topic, "token"]["advice"]


def test_an_old_database(ready: Shell, engine: sa.Engine) -> None:
    """A database that is behind the code says how to bring it up to date, and no team is looked at."""
    with engine.begin() as connection:
        head = connection.execute(sa.text(f"SELECT version_num FROM {SCHEMA}.alembic_version")).scalar_one()
        connection.execute(sa.text(f"UPDATE {SCHEMA}.alembic_version SET version_num = 'older'"))
    try:
        lines = report(ready, False)
        assert lines["installation", "migrations"]["advice"] == "discubot migrate"
        assert (SOURCE, "token") not in lines
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE {SCHEMA}.alembic_version SET version_num = :head"), {"head": head})


def test_no_database(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a database there is one fault, and its remedy."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", f"postgresql://x:s3cret@127.0.0.1:{free_port()}/none")
    lines = report(shell, False)
    assert lines["installation", "database"]["state"] == "failed"
    assert "s3cret" not in shell("doctor", ok=False).output


def test_settings_that_are_none(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of no form is the first line and the last."""
    monkeypatch.setenv("DISCUBOT_SECRET_KEY", "not a key")
    [line] = report(shell, False).values()
    assert "Fernet" in line["message"]
