"""The generic intake: any tool that signs Standard Webhooks sends a thread and asks what became of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from discubot_pipeline.domain.config import GenericCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.tables import Role
from tests.flow.runs import eventually
from tests.flow.team import Team
from tests.flow.town import Town

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"
SAID = {
    "thread": {"id": "forum-42", "url": "https://forum.example/42", "title": "Search is slow"},
    "messages": [
        {"id": "1", "author": "Anna", "text": "Search takes ten seconds.", "sent_at": "2026-03-02T09:00:00Z"},
        {"id": "2", "author": "Ben", "text": "I will add an index.", "sent_at": "2026-03-02T09:05:00Z"},
    ],
    "instruction": "task: add an index for the search",
}


@pytest.fixture(scope="module")
def team(town: Town) -> Team:
    """Found a team that has a generic source too."""
    return town.team("forum")


@pytest.fixture(scope="module")
def intake(town: Town, team: Team) -> SourceConfig:
    """Connect the generic source, with the team's database as its output."""
    credentials = GenericCredentials(signing_secret=SecretStr(SECRET))
    config = town.here.stores.configs.add_source(team.row, SourceType.GENERIC, "forum", credentials, "test")
    team.output(config)
    return config


def post(town: Town, config: SourceConfig, id: str, secret: str = SECRET) -> Any:
    """Send the thread, signed with a secret."""
    body, now = json.dumps(SAID), datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, now, body),
    }
    return town.receiver.call("POST", f"/hooks/generic/{config.hook}", content=body.encode(), headers=headers)


def test_a_signed_thread_becomes_a_page_and_the_api_tells_of_it(town: Town, team: Team, intake: SourceConfig) -> None:
    """The sender follows its delivery by id, with a token of the team, until it is done."""
    receipt = post(town, intake, "msg_1").json()
    assert receipt["status"] == "accepted"
    token = town.here.stores.tokens.make(team.row.id, "reader", Role.MEMBER, "test")
    path, bearer = f"/api/inbox/{receipt['delivery_id']}", {"authorization": f"Bearer {token}"}

    def done() -> dict[str, Any] | None:
        row: dict[str, Any] = town.receiver.call("GET", path, headers=bearer).json()
        return row if row["status"] == "done" else None

    row = eventually(done, "the delivery to be done")
    assert (row["source"], row["thread"], row["job"]["outcome"]) == ("generic", "forum-42", "completed")
    assert town.finished(row["job"]["id"]).status == "SUCCESS"
    assert team.titles == ["Add an index for the search"]
    assert town.receiver.call("GET", path).status_code == 401


def test_another_teams_token_does_not_see_a_delivery(town: Town, intake: SourceConfig) -> None:
    """A repeat is answered with the first row's id, which is nobody else's to read."""
    receipt = post(town, intake, "msg_1").json()
    assert receipt["status"] == "duplicate"
    other = town.here.stores.configs.add_team("strangers", "test")
    token = town.here.stores.tokens.make(other.id, "reader", Role.ADMIN, "test")
    path = f"/api/inbox/{receipt['delivery_id']}"
    assert town.receiver.call("GET", path, headers={"authorization": f"Bearer {token}"}).status_code == 404


def test_a_forged_thread_is_refused(town: Town, intake: SourceConfig) -> None:
    """The wrong secret gets 401 and no row, whatever id it claims."""
    assert post(town, intake, "msg_2", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").status_code == 401
    assert len(town.here.stores.inboxes[SourceType.GENERIC].due(10)) == 0
