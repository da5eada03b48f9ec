"""The API: who asks is known, and sees what is theirs."""

from typing import Any

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role
from tests.adapters.slack_workspace import payload
from tests.web.receiver import Receiver, problem

THREAD = "C0GENERAL:1763759000.000100"


@pytest.fixture
def id(receiver: Receiver, slack_config: SourceConfig) -> int:
    """Let a mention arrive; gives the id of its delivery."""
    return int(receiver.slack(slack_config, payload("app_mention")).json()["delivery_id"])


@pytest.fixture
def token(stores: Stores, slack_config: SourceConfig) -> dict[str, str]:
    """Give the header of a member of the team."""
    return bearer(stores.tokens.make(slack_config.team_id, "ci", Role.MEMBER, "test"))


def bearer(token: str) -> dict[str, str]:
    """Write the header of a token."""
    return {"authorization": f"Bearer {token}"}


def test_a_delivery_is_shown_to_its_team(
    receiver: Receiver, slack_config: SourceConfig, id: int, token: dict[str, str]
) -> None:
    """How it stands, without its payload, and without a job as long as there is none."""
    answer = receiver.http.get(f"/api/inbox/{id}", headers=token)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found.pop("received_at")
    assert found == {
        "id": id,
        "source": "slack",
        "status": "pending",
        "reason": None,
        "thread": THREAD,
        "discussion_id": str(discussion_id(slack_config.team_id, SourceType.SLACK, THREAD)),
        "job": None,
    }


def test_a_delivery_is_shown_with_its_job(receiver: Receiver, stores: Stores, id: int, token: dict[str, str]) -> None:
    """Which run works on it, in which stage, and how that ended."""
    stores.inboxes[SourceType.SLACK].claim([id], "run-1", None)
    stores.notes.open("run-1", "run-1", Trigger.WEBHOOK, {}, "0.1.0")
    stores.notes.stage("run-1", Stage.TASK_CREATION)

    def shown() -> Any:
        return receiver.http.get(f"/api/inbox/{id}", headers=token).json()["job"]

    assert shown() == {"id": "run-1", "stage": "task_creation", "outcome": None, "reason": None}
    stores.notes.close("run-1", RunOutcome.PARTIAL, reason="not_found")
    assert shown() == {"id": "run-1", "stage": "task_creation", "outcome": "partial", "reason": "not_found"}


@pytest.mark.parametrize(
    "headers",
    [{}, bearer("dbt_wrong"), {"authorization": "Bearer"}, {"authorization": "Basic YTpi"}, {"authorization": "dbt_x"}],
    ids=["none", "unknown", "empty", "basic", "bare"],
)
def test_without_a_token_nothing_is_shown(receiver: Receiver, id: int, headers: dict[str, str]) -> None:
    """401 with the way to a token, whether or not there is such a delivery."""
    for wanted in (id, id + 1):
        answer = receiver.http.get(f"/api/inbox/{wanted}", headers=headers)
        assert problem(answer) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "discubot team token" in answer.json()["detail"]


def test_another_teams_delivery_is_not_there(receiver: Receiver, stores: Stores, id: int) -> None:
    """A stranger cannot tell another team's delivery from none, whatever their role."""
    other = stores.configs.add_team("other", "test")
    theirs = bearer(stores.tokens.make(other.id, "boss", Role.ADMIN, "test"))
    answers = [receiver.http.get(f"/api/inbox/{wanted}", headers=theirs) for wanted in (id, id + 1)]
    assert [problem(answer) for answer in answers] == [(404, "not_found")] * 2
    assert answers[0].json()["detail"].replace(str(id), "") == answers[1].json()["detail"].replace(str(id + 1), "")


@pytest.mark.parametrize("wanted", [0, -1, 2**63 - 1, 2**63, 10**40])
def test_an_id_that_no_row_has(receiver: Receiver, token: dict[str, str], wanted: int) -> None:
    """Numbers of any size are looked for and not found."""
    assert problem(receiver.http.get(f"/api/inbox/{wanted}", headers=token)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/inbox/abc", (422, "invalid")),
        ("GET", "/api/nothing", (404, "not_found")),
        ("DELETE", "/api/inbox/1", (405, "not_allowed")),
        ("GET", "/hooks/slack", (405, "not_allowed")),
        ("GET", "/nothing", (404, "not_found")),
    ],
)
def test_a_wrong_request_is_a_problem_too(
    receiver: Receiver, token: dict[str, str], method: str, path: str, expected: tuple[int, str]
) -> None:
    """Whoever reads one kind of error can read them all."""
    assert problem(receiver.http.request(method, path, headers=token)) == expected


def test_the_api_describes_itself(receiver: Receiver) -> None:
    """The OpenAPI document lists the endpoints and how to prove who one is."""
    described = receiver.http.get("/api/openapi.json").json()
    assert {"/api/inbox/{id}", "/hooks/{source}/{hook}"} <= set(described["paths"])
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
