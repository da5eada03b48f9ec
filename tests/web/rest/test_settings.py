"""Teams and sources through the REST API."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from discubot_pipeline.store.stores import Stores
from tests.store.samples import arrival
from tests.web.rest.conftest import Caller, Enter

SLACK = {"source": "slack", "workspace": "T1", "credentials": {"signing_secret": "s3cret", "bot_token": "xoxb-1"}}


@pytest.fixture
def source(admin: Caller) -> Any:
    """Give a Slack source as the API shows it."""
    return admin("POST", "/sources", 201, SLACK)


class TestTeam:
    """The token's own team."""

    def test_preferences_are_laid_over_each_other(self, admin: Caller) -> None:
        """What is named changes, null goes back to the default, the rest stays; the answer says who did it."""
        first = admin("PATCH", "/team", body={"version": 1, "preferences": {"max_tasks": 3, "time_zone": "Asia/Tokyo"}})
        second = admin("PATCH", "/team", body={"version": 2, "preferences": {"time_zone": None}})
        assert first["preferences"] == {"max_tasks": 3, "time_zone": "Asia/Tokyo"}
        assert second["preferences"] == {"max_tasks": 3}
        assert (second["effective"]["time_zone"], second["updated_by"], second["version"]) == ("UTC", "anna", 3)

    def test_a_team_does_not_break_its_sources(self, admin: Caller, source: Any) -> None:
        """A template that a source's persona needs cannot be taken away."""
        admin("PATCH", "/team", body={"version": 1, "preferences": {"reply_template": "Done: {tasks}"}})
        path = f"/sources/{source['id']}"
        admin("PATCH", path, body={"version": 1, "preferences": {"persona": "custom"}})
        refused = admin("PATCH", "/team", 422, {"version": 2, "preferences": {"reply_template": None}})
        assert refused["detail"] == "source 'slack': the persona custom needs a reply_template"

    def test_a_model_is_chosen_with_its_key(self, admin: Caller, source: Any) -> None:
        """The key goes in and never out; it is the sources' too, and not when provider or address are changed alone."""
        chosen = {"analyst": "anthropic", "model": "claude-sonnet-5"}
        team = admin("PATCH", "/team", body={"version": 1, "preferences": chosen, "model_key": "sk-1"})
        path = f"/sources/{source['id']}"
        assert team["model_key"]["set"] and admin("GET", path)["model_key"]["set"] and "sk-1" not in str(team)
        moved = {"version": 2, "preferences": {"model_url": "https://elsewhere.example"}}
        assert admin("PATCH", "/team", body=moved)["model_key"]["set"]
        assert admin("GET", path)["model_key"] == {"set": False, "fingerprint": None}
        assert admin("PATCH", "/team", body={"version": 3, "model_key": None})["model_key"]["set"] is False

    def test_the_rules_take_no_key(self, admin: Caller) -> None:
        """A key that belongs to no provider is refused."""
        refused = admin("PATCH", "/team", 422, {"version": 1, "model_key": "sk-1"})
        assert refused["detail"] == "model_key: the analyst that is chosen takes none"


class TestSources:
    """Sources of a team."""

    def test_a_source_is_made_read_changed_and_removed(self, admin: Caller, source: Any) -> None:
        """Each step is seen by the next."""
        path = f"/sources/{source['id']}"
        assert admin("GET", path) == source == admin("GET", "/sources")[0]
        changed = admin("PATCH", path, body={"name": "chat", "workspace": "T2", "version": 1})
        assert (changed["name"], changed["workspace"], changed["version"]) == ("chat", "T2", 2)
        admin("DELETE", path, 204, params={"version": 2})
        assert admin("GET", "/sources") == []

    def test_no_answer_has_a_secret(self, client: TestClient, admin: Caller, source: Any) -> None:
        """Of credentials only that they are set, and a fingerprint."""
        assert source["credentials"]["bot_token"] == {"set": True, "fingerprint": "4cf3463f"}
        path = f"/sources/{source['id']}"
        changed = admin("PATCH", path, body={"version": 1, "credentials": {"bot_token": "xoxb-2"}})
        wrong = admin("POST", "/sources", 422, SLACK | {"name": "x", "credentials": {"bot_tokn": "xoxb-3"}})
        for told in (source, changed, wrong, admin("GET", "/sources"), client.get("/api/openapi.json").text):
            assert not any(secret in str(told) for secret in ("s3cret", "xoxb-1", "xoxb-2", "xoxb-3"))

    def test_a_new_secret_leaves_the_others(self, admin: Caller, source: Any, stores: Stores) -> None:
        """Only the named credential is replaced."""
        body = {"version": 1, "credentials": {"bot_token": "xoxb-2"}}
        changed = admin("PATCH", f"/sources/{source['id']}", body=body)
        assert changed["credentials"]["signing_secret"] == source["credentials"]["signing_secret"]
        [config] = stores.configs.sources()
        assert config.credentials.bot_token.get_secret_value() == "xoxb-2"  # type: ignore[attr-defined]

    def test_a_lost_update_is_refused(self, admin: Caller, source: Any) -> None:
        """Of two changes of the same version the second is told to look again, whichever way it says its version."""
        path = f"/sources/{source['id']}"
        admin("PATCH", path, body={"name": "one"}, headers={"if-match": '"1"'})
        assert admin("PATCH", path, 409, {"name": "two"}, headers={"if-match": 'W/"1"'})["reason"] == "conflict"
        assert admin("PATCH", path, 409, {"name": "two", "version": 1})["reason"] == "conflict"
        assert admin("DELETE", path, 409, params={"version": 1})["reason"] == "conflict"
        assert admin("GET", path)["name"] == "one"

    @pytest.mark.parametrize("headers", [{}, {"if-match": "*"}, {"if-match": '"x"'}])
    def test_a_change_names_its_version(self, admin: Caller, source: Any, headers: dict[str, str]) -> None:
        """Without a version a change could overwrite somebody else's."""
        path = f"/sources/{source['id']}"
        assert admin("PATCH", path, 428, {"name": "x"}, headers=headers)["reason"] == "version_required"

    def test_upsert_makes_and_then_changes(self, admin: Caller) -> None:
        """The same request twice is one source; what it does not name stays."""
        first = admin("POST", "/sources?upsert=true", 201, SLACK | {"preferences": {"max_tasks": 3}})
        again = admin("POST", "/sources?upsert=true", 201, SLACK | {"preferences": {"time_zone": "Asia/Tokyo"}})
        assert again["id"] == first["id"]
        assert again["preferences"] == {"max_tasks": 3, "time_zone": "Asia/Tokyo"}
        assert admin("POST", "/sources", 409, SLACK)["reason"] == "exists"

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (SLACK | {"source": "fax"}, "source: Input should be"),
            (SLACK | {"colour": "red"}, "colour: Extra inputs are not permitted"),
            (SLACK | {"credentials": {}}, "signing_secret: Field required; bot_token: Field required"),
            (SLACK | {"preferences": {"max_tasks": 0}}, "max_tasks: Input should be greater than or equal to 1"),
            (SLACK | {"preferences": {"reply_template": "{x}", "persona": "custom"}}, "there is no placeholder {x}"),
            (SLACK | {"name": ""}, "name: String should have at least 1 character"),
        ],
    )
    def test_what_is_wrong_is_said(self, admin: Caller, body: Any, sentence: str) -> None:
        """The field and what is wrong with it, in one sentence."""
        assert sentence in admin("POST", "/sources", 422, body)["detail"]

    def test_what_is_held_is_released_or_dropped(self, admin: Caller, source: Any, stores: Stores) -> None:
        """A paused source keeps what arrives; resuming asks what becomes of it."""
        path = f"/sources/{source['id']}"
        assert admin("POST", f"{path}/pause")["active"] is False
        [config] = stores.configs.sources()
        inbox = stores.inboxes[config.source]
        ids = [inbox.store(config, arrival(f"Ev{number}", f"C1:{number}.1")).id for number in range(3)]
        assert [each["reason"] for each in admin("GET", f"{path}/held")] == ["paused"] * 3
        assert admin("POST", f"{path}/held", body={"held": "drop", "ids": [ids[0]]}) == {"held": "drop", "count": 1}
        assert "2 deliveries are held" in admin("POST", f"{path}/resume", 422, {})["detail"]
        assert admin("POST", f"{path}/resume", body={"held": "release"})["held"] == 0
        assert [delivery.id for delivery in inbox.due(10)] == ids[1:]

    def test_a_new_address_replaces_the_old(self, client: TestClient, admin: Caller, source: Any) -> None:
        """After a rotation the old hook is unknown."""
        rotated = admin("POST", f"/sources/{source['id']}/rotate")
        hooks = [told["webhook"].rsplit("/", 1)[1] for told in (source, rotated)]
        statuses = [client.post(f"/hooks/slack/{hook}", content=b"{}").status_code for hook in hooks]
        assert statuses == [404, 401]


class TestAccess:
    """Who may do what."""

    def test_members_read_and_admins_write(self, admin: Caller, member: Caller, source: Any) -> None:
        """A member sees everything and changes nothing."""
        path = f"/sources/{source['id']}"
        assert member("GET", path) == source
        new_output = {"source_id": source["id"], "database": "x", "token": "t"}
        for method, where, body in (
            ("PATCH", "/team", {"version": 1}),
            ("POST", "/sources", SLACK),
            ("PATCH", path, {"version": 1, "name": "x"}),
            ("DELETE", f"{path}?version=1", None),
            ("POST", f"{path}/pause", None),
            ("POST", f"{path}/resume", {}),
            ("POST", f"{path}/rotate", None),
            ("POST", f"{path}/held", {"held": "drop"}),
            ("POST", "/outputs", new_output),
            ("POST", "/people", {"source_id": source["id"], "source_user_id": "U1"}),
            ("POST", "/people/match", {"source_id": source["id"]}),
        ):
            assert member(method, where, 403, body)["reason"] == "forbidden", where

    def test_other_teams_see_nothing(self, enter: Enter, source: Any) -> None:
        """To an admin of another team the source is not there."""
        stranger, path = enter("other"), f"/sources/{source['id']}"
        assert stranger("GET", "/sources") == []
        for method, where, body in (
            ("GET", path, None),
            ("PATCH", path, {"version": 1, "name": "x"}),
            ("DELETE", f"{path}?version=1", None),
            ("POST", f"{path}/pause", None),
            ("POST", f"{path}/resume", {}),
            ("POST", f"{path}/rotate", None),
            ("GET", f"{path}/held", None),
            ("POST", f"{path}/held", {"held": "drop"}),
            ("POST", "/outputs", {"source_id": source["id"], "database": "x", "token": "t"}),
            ("POST", "/people", {"source_id": source["id"], "source_user_id": "U1"}),
            ("POST", "/people/match", {"source_id": source["id"]}),
            ("GET", f"/people/export?source_id={source['id']}", None),
        ):
            assert stranger(method, where, 404, body)["reason"] == "not_found", where

    def test_without_a_token(self, client: TestClient) -> None:
        """Nobody sees anything."""
        for path in ("/team", "/sources", "/outputs", "/people"):
            answer = client.get(f"/api{path}")
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")

    def test_everything_is_described(self, client: TestClient) -> None:
        """Each operation of the API has a sentence in its description."""
        paths = client.get("/api/openapi.json").json()["paths"]
        told = {(path, method): each for path, methods in paths.items() for method, each in methods.items()}
        assert len([1 for path, _ in told if path.startswith(("/api/sources", "/api/outputs", "/api/people"))]) > 15
        for where, operation in told.items():
            if where[0].startswith("/api/"):
                assert operation.get("description", "").endswith("."), where
