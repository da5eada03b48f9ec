"""Teams, sources, outputs and people from the command line, over a real database and the sandbox's Notion."""

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from discubot_pipeline.settings import Settings
from discubot_pipeline.store.people import People
from discubot_pipeline.store.stores import Stores, open_stores
from discubot_pipeline.store.vault import Vault, key_file
from discubot_pipeline.web.app import create_app
from discubot_pipeline.wiring import build
from tests.adapters.notion_space import Workspace, workspace
from tests.cli.commands import Shell
from tests.conftest import Sandbox
from tests.store.samples import ANNA, SLACK, arrival

SECRETS = ("--signing-secret", "s3cret", "--bot-token", "xoxb-1")


@pytest.fixture
def space(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Give a Notion database in the sandbox, which the commands talk to."""
    monkeypatch.setenv("DISCUBOT_NOTION_URL", f"{sandbox.url}/notion")
    monkeypatch.setenv("DISCUBOT_SLACK_URL", f"{sandbox.url}/slack/api")
    with workspace(sandbox) as space:
        yield space


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Set up a team with a Slack source."""
    shell("team", "add", "acme")
    shell("source", "add", "slack", "--workspace", "T1", *SECRETS)
    return shell


@pytest.fixture
def keyed(ready: Shell, stores: Stores, tmp_path: Path) -> Stores:
    """Open the stores with the key that the commands have made."""
    return open_stores(stores.engine, Vault(key_file(tmp_path)))


class TestTeams:
    """`discubot team`."""

    def test_preferences_are_set_and_taken_back(self, shell: Shell) -> None:
        """Values are read as what they mean; the row says who did it."""
        shell("team", "add", "acme", "--set", "max_tasks=3")
        changed = shell.json("team", "set", "acme", "--set", "auto_sync=no", "--time-zone", "Asia/Tokyo")
        assert changed["preferences"] == {"max_tasks": 3, "auto_sync": False, "time_zone": "Asia/Tokyo"}
        assert changed["updated_by"] == f"cli:{getpass.getuser()}"
        assert shell.json("team", "set", "--unset", "max_tasks")["effective"]["max_tasks"] == 10

    def test_a_team_is_renamed_and_removed(self, shell: Shell) -> None:
        """Removing asks first."""
        shell("team", "add", "acme")
        shell("team", "set", "--rename", "umbrella")
        assert shell("team", "remove", "umbrella", input="n\n", ok=False).exit_code == 1
        assert [team["name"] for team in shell.json("team", "list")] == ["umbrella"]
        shell("team", "remove", "umbrella", "--yes")
        assert shell.json("team", "list") == []

    def test_several_teams_must_be_named(self, shell: Shell) -> None:
        """And the message names them."""
        assert "there are: none" in shell.refused("team", "show")
        shell("team", "add", "a")
        shell("team", "add", "b")
        assert shell.refused("team", "show") == "name one team with --team; there are: a, b"

    @pytest.mark.parametrize(
        ("setting", "sentence"),
        [
            ("colour=red", "colour: Extra inputs are not permitted"),
            ("max_tasks", "'max_tasks' is no NAME=VALUE"),
            ("max_tasks=many", "max_tasks: Input should be a valid integer"),
            ("persona=pirate", "persona: Input should be"),
        ],
    )
    def test_a_wrong_preference_is_told(self, shell: Shell, setting: str, sentence: str) -> None:
        """The name and what may stand there."""
        shell("team", "add", "acme")
        assert sentence in shell.refused("team", "set", "--set", setting)


class TestSources:
    """`discubot source`."""

    def test_a_source_is_changed(self, ready: Shell, keyed: Stores) -> None:
        """What is not named stays; secrets are asked for with `-` and never shown."""
        words = ("source", "set", "slack", "--rename", "chat", "--set", "persona=concise", "--bot-token", "-")
        result = ready(*words, input="xoxb-2\n")
        config = keyed.configs.sources()[0]
        assert (config.name, config.workspace, config.preferences.persona) == ("chat", "T1", "concise")
        assert config.credentials.bot_token.get_secret_value() == "xoxb-2"  # type: ignore[attr-defined]
        for shown in (result.output, ready("source", "show").output, ready("source", "list", "--json").output):
            assert not any(secret in shown for secret in ("xoxb-1", "xoxb-2", "s3cret"))

    def test_an_old_version_is_refused(self, ready: Shell) -> None:
        """Whoever names the version they have seen overwrites nothing."""
        ready("source", "set", "--rename", "one", "--version", "1")
        assert "somebody has changed this source" in ready.refused("source", "set", "--rename", "two", "--version", "1")

    def test_the_environment_changes_no_source(self, ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        """A secret that is lying around is for new sources only."""
        before = ready.json("source", "show")["credentials"]
        monkeypatch.setenv("DISCUBOT_BOT_TOKEN", "xoxb-9")
        assert ready.json("source", "set", "--rename", "chat")["credentials"] == before

    def test_a_paused_source_is_resumed(self, ready: Shell, keyed: Stores) -> None:
        """What was held is released or dropped, as is said."""
        assert ready.json("source", "pause")["active"] is False
        config = keyed.configs.sources()[0]
        ids = [keyed.inboxes[SLACK].store(config, arrival(f"Ev{number}", f"C1:{number}.1")).id for number in range(3)]
        assert "say whether to release or to drop them" in ready.refused("source", "resume")
        assert ready.json("source", "held", "--do", "drop", "--id", str(ids[0])) == {"dropped": 1}
        assert [each["id"] for each in ready.json("source", "held")] == ids[1:]
        assert ready.json("source", "resume", "--held", "release")["active"] is True
        assert [each.id for each in keyed.inboxes[SLACK].due(10)] == ids[1:]

    def test_adding_again_can_update(self, ready: Shell) -> None:
        """With `--update` the source of that name is changed; without it the name is taken."""
        words = ("source", "add", "slack", "--workspace", "T2", *SECRETS)
        assert "has a source 'slack' already" in ready.refused(*words)
        assert ready.json(*words, "--update")["workspace"] == "T2"
        assert len(ready.json("source", "list")) == 1

    def test_rotating_and_removing(self, ready: Shell) -> None:
        """A new address; then no source."""
        before = ready.json("source", "show")["webhook"]
        assert ready.json("source", "rotate")["webhook"] != before
        ready("source", "remove", "slack", "--yes")
        assert "there are: none" in ready.refused("source", "show")


class TestOutputs:
    """`discubot output`."""

    def test_an_output_is_mapped(self, ready: Shell, space: Workspace) -> None:
        """Its schema is shown as it is mapped, and as a person overrules it."""
        add = ("output", "add", space.database["url"], "--token", space.token)
        assert ready.json(*add)["default"] is True
        assert space.token not in ready("output", "show").output
        ready("output", "set", "--field", "tags=never", "--value", "priority.urgent=Low", "--domain", "ui")
        found = {each["field"]: each for each in ready.json("output", "schema", "notion")}
        assert (found["priority"]["options"]["urgent"], found["tags"]["how"]) == ("Low", "never")
        table = ready("output", "schema").output
        assert "Due date" in table and "priority" in table
        assert ready.json("output", "set", "--any-domain", "--field", "tags=auto")["field_map"] == {}

    def test_the_default_is_handed_over(self, ready: Shell, space: Workspace) -> None:
        """Not dropped."""
        add = ("output", "add", space.database["database_id"], "--token", space.token)
        ready(*add, "--name", "one")
        ready(*add, "--name", "two", "--domain", "design")
        assert "make another one the default first" in ready.refused("output", "remove", "one", "--yes")
        ready("output", "set", "two", "--default")
        ready("output", "remove", "one", "--yes")
        assert [each["name"] for each in ready.json("output", "list")] == ["two"]

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            (("--field", "x"), "is no FIELD=PROPERTY"),
            (("--field", "x=y"), "there is no field 'x'"),
            (("--value", "priority=P1"), "is no FIELD.VALUE=OPTION"),
            (("--value", "priority.soon=P1"), "value_map.priority: there is no 'soon'"),
        ],
    )
    def test_a_wrong_map_is_told(self, ready: Shell, space: Workspace, option: tuple[str, str], sentence: str) -> None:
        """What is wrong, and what may stand there."""
        add = ("output", "add", space.database["database_id"], "--token", space.token)
        assert sentence in ready.refused(*add, *option)


class TestPeople:
    """`discubot people`."""

    def test_people_are_matched_said_and_moved(
        self, ready: Shell, keyed: Stores, space: Workspace, tmp_path: Path
    ) -> None:
        """By name from the sandbox's Notion, by hand, out to a file and in again."""
        ready("output", "add", space.database["database_id"], "--token", space.token)
        name = f"Anna {space.token}"
        user = space.sandbox.control("POST", "/notion/users", {"name": name})["id"]
        People(keyed.engine, keyed.configs.sources()[0]).put(ANNA.model_copy(update={"name": name, "email": None}))
        assert ready.json("people", "match") == {"matched": 1, "unmatched": []}
        [anna] = ready.json("people", "list")
        assert (anna["notion_user_id"], anna["match"]) == (user, "name")
        assert ready.json("people", "set", "U2", "--notion-user", "a" * 32, "--name", "Ben")["match"] == "manual"
        file = tmp_path / "people.csv"
        file.write_text(ready("people", "export").stdout)
        assert ready.json("people", "import", str(file)) == {"imported": 2}
        assert {each["match"] for each in ready.json("people", "list", "--source", "slack")} == {"imported"}
        file.write_text("source_user_id,notion_user_id\nU3,nobody\n")
        assert "line 2: notion_user_id" in ready.refused("people", "import", str(file))


def test_both_ways_say_the_same(ready: Shell, database_url: str, tmp_path: Path, keyed: Stores) -> None:
    """A mistake is told in the same words by the command line and by the REST API."""
    here = build(Settings(home=tmp_path, database_url=database_url))
    token = ready.json("team", "token", "anna", "--role", "admin")["token"]
    source = ready.json("source", "show")["id"]
    client = TestClient(create_app(here), headers={"authorization": f"Bearer {token}"})

    def api(method: str, path: str, body: dict[str, Any]) -> str:
        return str(client.request(method, f"/api{path}", json=body).json()["detail"])

    secrets = {"signing_secret": "s", "bot_token": "b"}
    change, output = f"/sources/{source}", {"source_id": source, "token": "t", "database": "a" * 32}
    set_source, add_output = ("source", "set", "--version", "9"), ("output", "add", "a" * 32, "--token", "t")
    for words, method, path, body in (
        (("source", "add", "slack", *SECRETS), "POST", "/sources", {"source": "slack", "credentials": secrets}),
        (("source", "add", "slack", "--name", "", *SECRETS), "POST", "/sources", {"source": "slack", "name": ""}),
        ((*set_source, "--rename", "x"), "PATCH", change, {"version": 9, "name": "x"}),
        ((*set_source, "--set", "a=1"), "PATCH", change, {"version": 9, "preferences": {"a": 1}}),
        ((*set_source, "--set", "max_tasks=0"), "PATCH", change, {"version": 9, "preferences": {"max_tasks": 0}}),
        (("team", "set", "--set", "time_zone=X"), "PATCH", "/team", {"version": 1, "preferences": {"time_zone": "X"}}),
        ((*add_output, "--field", "x=y"), "POST", "/outputs", output | {"field_map": {"x": "y"}}),
        ((*add_output, "--domain", ""), "POST", "/outputs", output | {"domains": [""]}),
        (("people", "set", "U1", "--notion-user", "x"), "POST", "/people", {
            "source_id": source, "source_user_id": "U1", "notion_user_id": "x",
        }),
    ):  # fmt: skip
        assert ready.refused(*words) == api(method, path, body), words
    here.engine.dispose()
