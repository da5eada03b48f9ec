"""The inbox through the REST API: all sources in one list, and a delivery run once more."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials, SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role, source_configs
from tests.store.samples import arrival, change, rows
from tests.web.rest.conftest import Caller, Enter
from tests.web.rest.test_discussions import walk

SLACK, GENERIC = SourceType.SLACK, SourceType.GENERIC


@pytest.fixture
def inbox(stores: Stores) -> Inbox:
    """Give the inbox of Slack."""
    return stores.inboxes[SLACK]


@pytest.fixture
def done(inbox: Inbox, slack_config: SourceConfig) -> int:
    """Give the id of a delivery that was worked on to its end."""
    id = inbox.store(slack_config, arrival("Ev1")).id
    [run] = inbox.lease(10, timedelta(minutes=1))
    inbox.claim([id], "run-1", run.run_key)
    inbox.settle("run-1", DeliveryStatus.DONE)
    return id


class TestList:
    """What arrived."""

    def test_all_inboxes_are_one_list(self, member: Caller, stores: Stores, slack_config: SourceConfig) -> None:
        """The newest first, over page borders, filtered by source, status and time."""
        secret = GenericCredentials(signing_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        desk = stores.configs.add_source(stores.configs.team("acme"), GENERIC, "desk", secret, "test")
        ids = []
        for number in range(6):
            config = (slack_config, desk)[number % 2]
            ids.append(stores.inboxes[config.source].store(config, arrival(f"Ev{number}", f"t{number}")).id)
        assert [each["id"] for each in walk(member, "/inbox?limit=4", "deliveries")] == ids[::-1]
        assert [each["id"] for each in walk(member, "/inbox?limit=2&source=generic", "deliveries")] == ids[5::-2]
        assert walk(member, "/inbox?status=done&status=dead", "deliveries") == []
        assert len(walk(member, "/inbox?status=pending&since=2026-01-01T00:00:00Z", "deliveries")) == 6
        assert walk(member, "/inbox?until=2026-01-01T00:00:00Z", "deliveries") == []

    def test_another_teams_deliveries_are_not_there(self, enter: Enter, done: int) -> None:
        """Neither listed nor run again."""
        stranger = enter("other", "eve", Role.ADMIN)
        assert stranger("GET", "/inbox")["deliveries"] == []
        stranger("GET", f"/inbox/{done}", 404)
        stranger("POST", f"/inbox/{done}/replay", 404)


class TestReplay:
    """A delivery is run once more."""

    @pytest.mark.parametrize("status", ["done", "ignored", "failed", "dead"])
    def test_whatever_has_ended_is_run_again(
        self, member: Caller, inbox: Inbox, engine: sa.Engine, done: int, status: str
    ) -> None:
        """As a new generation with a run key of its own, by the person who asked."""
        change(engine, inbox.table, status=status, reason="internal", expiries=3)
        answer = member("POST", f"/inbox/{done}/replay", 202)
        assert (answer["status"], answer["trigger"], answer["generation"]) == ("pending", "manual", 1)
        assert (answer["replayed_by"], answer["reason"], answer["finished_at"]) == ("token:ben", None, None)
        [run] = inbox.lease(10, timedelta(minutes=1))
        assert (run.run_key, run.delivery_ids, run.trigger) == (f"{done}:1", (done,), "manual")
        assert [each.id for each in inbox.claim([done], "run-2", run.run_key)] == [done]
        assert member("GET", f"/inbox/{done}")["replayed_by"] == "token:ben"

    def test_twice_at_once_is_once(self, member: Caller, done: int) -> None:
        """The second finds it waiting."""
        member("POST", f"/inbox/{done}/replay", 202)
        assert member("POST", f"/inbox/{done}/replay", 409)["reason"] == "waiting"

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"status": "pending"}, "waiting"),
            ({"status": "requested"}, "waiting"),
            ({"status": "running"}, "at_work"),
            ({"status": "held"}, "on_hold"),
            ({"payload": sa.null()}, "payload_purged"),
        ],
        ids=["pending", "requested", "running", "held", "purged"],
    )
    def test_what_cannot_be_run_again_says_why(
        self, member: Caller, inbox: Inbox, engine: sa.Engine, done: int, values: dict[str, Any], reason: str
    ) -> None:
        """And stays as it is."""
        change(engine, inbox.table, **values)
        before = rows(engine, inbox.table)
        assert member("POST", f"/inbox/{done}/replay", 409)["reason"] == reason
        assert rows(engine, inbox.table) == before

    def test_a_paused_source_comes_first(self, member: Caller, engine: sa.Engine, done: int) -> None:
        """Nothing of a paused source is worked on."""
        change(engine, source_configs, active=False)
        assert member("POST", f"/inbox/{done}/replay", 409)["reason"] == "paused"

    @pytest.mark.parametrize("id", [0, -1, 2**63, 10**30])
    def test_an_id_that_no_row_has(self, member: Caller, id: int) -> None:
        """Numbers of any size are not found."""
        member("POST", f"/inbox/{id}/replay", 404)
        assert rows_of_all(member) == 0


def rows_of_all(caller: Caller) -> int:
    """Count what is listed."""
    return len(caller("GET", "/inbox")["deliveries"])
