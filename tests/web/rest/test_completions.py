"""Completion hooks through the REST API: made, shown, tried out, followed and removed, by admins of the team only."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import RunOutcome, Trigger
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import hooks
from tests.defs.target import Target, listening_target
from tests.web.rest.conftest import Caller, Enter

NEW = {"name": "desk", "url": "https://hooks.example/x"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Let hooks reach this machine."""
    return settings.model_copy(update={"hooks_to_loopback": True})


@pytest.fixture
def target() -> Iterator[Target]:
    """Give a target."""
    with listening_target() as target:
        yield target


def test_a_hook_is_made_and_its_secret_shown_once(admin: Caller, stores: Stores) -> None:
    """The row holds it sealed, and no other answer shows it."""
    made = admin("POST", "/hooks", 201, NEW)
    secret = made.pop("signing_secret")
    assert secret.startswith("whsec_")
    assert made["events"] == ["job.completed", "job.partial", "job.failed"]
    assert (made["kind"], made["active"], made["created_by"]) == ("webhook", True, "token:anna")
    assert admin("GET", f"/hooks/{made['id']}") == made
    assert admin("GET", "/hooks") == [made]
    with stores.engine.connect() as connection:
        row = connection.execute(sa.select(hooks)).one()
    assert secret not in str(row)
    admin("POST", "/hooks", 409, NEW)


def test_what_it_is_told_opens_after_the_key_has_changed(admin: Caller, stores: Stores) -> None:
    """Its secret is sealed anew with all others."""
    secret = admin("POST", "/hooks", 201, NEW)["signing_secret"]
    stores.changes.reseal()
    [hook] = stores.hooks.of_team(stores.configs.team("acme").id)
    assert hook.credentials.signing_secret and hook.credentials.signing_secret.get_secret_value() == secret


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://hooks.example/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": None},
        {"channel": "C0GENERAL"},
        {"url": None, "channel": "#general"},
        {"url": None, "channel": "C0GENERAL"},
        {"events": []},
        {"events": ["job.started"]},
        {"secret": "mine"},
        {"name": ""},
    ],
)
def test_what_cannot_be_is_refused(admin: Caller, wrong: dict[str, Any]) -> None:
    """With a sentence that says what."""
    assert admin("POST", "/hooks", 422, NEW | wrong)["detail"]
    assert admin("GET", "/hooks") == []


def test_slack_is_spoken_to_through_a_source(admin: Caller, slack_config: SourceConfig) -> None:
    """The team's only one is taken; there is no secret to show."""
    made = admin("POST", "/hooks", 201, {"name": "chat", "channel": "C0GENERAL"})
    assert (made["kind"], made["sender_id"], made["signing_secret"]) == ("slack", str(slack_config.id), None)


def test_hooks_are_for_admins_of_the_team(admin: Caller, member: Caller, enter: Enter) -> None:
    """A member may not look, and another team sees nothing there."""
    id = admin("POST", "/hooks", 201, NEW)["id"]
    stranger = enter("globex", "zoe")
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/test"), ("GET", "/deliveries"), ("DELETE", "")):
        body = {"has_text": True} if method == "PATCH" else None
        member(method, f"/hooks/{id}{path}", 403, body)
        stranger(method, f"/hooks/{id}{path}", 404, body)
    assert stranger("GET", "/hooks") == []
    other = admin("POST", "/hooks", 422, NEW | {"name": "other", "url": None, "channel": "C0GENERAL"})
    assert "there are: none" in other["detail"]


def test_a_test_is_sent_at_once(admin: Caller, target: Target) -> None:
    """Signed as everything is; what the target answers is said."""
    made = admin("POST", "/hooks", 201, NEW | {"url": target.url})
    admin("POST", f"/hooks/{made['id']}/test", 204)
    [told] = target.bodies(made["signing_secret"])
    assert (told["type"], told["data"]["name"]) == ("hook.test", "desk")
    target.answers = [(404, {}), (500, {})]
    assert admin("POST", f"/hooks/{made['id']}/test", 422)["reason"] == "refused"
    assert admin("POST", f"/hooks/{made['id']}/test", 503)["reason"] == "hook_down"


def test_a_hook_is_changed(admin: Caller, stores: Stores, slack_config: SourceConfig) -> None:
    """What is not named stays, its secret too; null takes the source away."""
    made = admin("POST", "/hooks", 201, NEW)
    secret, path = made.pop("signing_secret"), f"/hooks/{made['id']}"
    wanted = {"name": "till", "url": "https://hooks.example/y", "events": ["job.failed"], "has_text": True}
    of_source = {"source_id": str(slack_config.id)}
    assert admin("PATCH", path, 200, wanted | of_source) == made | wanted | of_source
    assert admin("PATCH", path, 200, {"name": None}) == made | wanted | of_source
    assert admin("PATCH", path, 200, {"source_id": None}) == made | wanted
    [hook] = stores.hooks.of_team(slack_config.team_id)
    assert hook.credentials.signing_secret and hook.credentials.signing_secret.get_secret_value() == secret
    with stores.engine.connect() as connection:
        assert connection.execute(sa.select(hooks.c.updated_by)).scalar() == "token:anna"


def test_a_channel_may_be_another(admin: Caller, slack_config: SourceConfig) -> None:
    """As long as it is one of Slack's."""
    path = f"/hooks/{admin('POST', '/hooks', 201, {'name': 'chat', 'channel': 'C0GENERAL'})['id']}"
    assert admin("PATCH", path, 200, {"channel": "C0ALARM"})["channel"] == "C0ALARM"
    admin("PATCH", path, 422, {"channel": "#alarm"})
    assert "add another hook" in admin("PATCH", path, 422, {"url": NEW["url"]})["detail"]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (422, {"url": "https://10.0.0.1/"}),
        (422, {"channel": "C0GENERAL"}),
        (422, {"events": []}),
        (422, {"kind": "slack"}),
        (404, {"source_id": "0b6e3f52-0000-4000-8000-000000000000"}),
        (409, {"name": "other"}),
    ],
)
def test_a_change_is_made_whole_or_not_at_all(admin: Caller, status: int, wrong: dict[str, Any]) -> None:
    """With a sentence that says what is wrong with it."""
    admin("POST", "/hooks", 201, NEW | {"name": "other"})
    made = admin("POST", "/hooks", 201, NEW)
    del made["signing_secret"]
    assert admin("PATCH", f"/hooks/{made['id']}", status, {"has_text": True, "active": False} | wrong)["detail"]
    assert admin("GET", f"/hooks/{made['id']}") == made


def test_a_hook_is_switched_off_and_on_again(admin: Caller, stores: Stores) -> None:
    """What waits for it is given up, what ends meanwhile is not told; so after it was gone."""
    id = admin("POST", "/hooks", 201, NEW)["id"]
    end(stores, "run-0")
    off = admin("PATCH", f"/hooks/{id}", 200, {"active": False})
    assert (off["active"], off["reason"]) == (False, "paused")
    end(stores, "run-1")
    assert stores.outbox.next_due() is None
    stores.outbox.disable(off["id"], "gone")
    on = admin("PATCH", f"/hooks/{id}", 200, {"active": True})
    assert (on["active"], on["reason"]) == (True, None)
    end(stores, "run-2")
    told = admin("GET", f"/hooks/{id}/deliveries")["deliveries"]
    assert [(each["run_id"], each["status"], each["reason"]) for each in told] == [
        ("run-2", "pending", None),
        ("run-0", "failed", "paused"),
    ]


def end(stores: Stores, run_id: str) -> None:
    """Let a job of the team end."""
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "1", team_name="acme")
    stores.notes.close(run_id, RunOutcome.COMPLETED)


def test_deliveries_are_followed(admin: Caller, stores: Stores) -> None:
    """The newest first, in pages, with what went wrong."""
    id = admin("POST", "/hooks", 201, NEW)["id"]
    for number in range(3):
        end(stores, f"run-{number}")
    taken = stores.outbox.lease(timedelta(minutes=1))
    assert taken and stores.outbox.failed(taken, "refused", "the hook answered 404")
    page = admin("GET", f"/hooks/{id}/deliveries?limit=2")
    rest = admin("GET", f"/hooks/{id}/deliveries?limit=2&after={page['next']}")
    told = page["deliveries"] + rest["deliveries"]
    assert [each["run_id"] for each in told] == ["run-2", "run-1", "run-0"]
    assert (rest["next"], told[2]["status"], told[2]["error"]) == (None, "failed", "the hook answered 404")
    [failed] = admin("GET", f"/hooks/{id}/deliveries?status=failed")["deliveries"]
    assert failed["run_id"] == "run-0"
    admin("DELETE", f"/hooks/{id}", 204)
    admin("GET", f"/hooks/{id}/deliveries", 404)
