"""Operations through the REST API: asked for at once, done by a job, seen by their team alone."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from discubot_pipeline.domain.job import Job
from discubot_pipeline.domain.operations import Operation
from discubot_pipeline.outside import SystemClock
from discubot_pipeline.ports import Unwatched
from discubot_pipeline.stages.operations import operate, take
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role
from tests.store.portable import lines
from tests.web.rest.conftest import Caller, Enter
from tests.web.rest.test_discussions import walk

RUN = Job(run_id="run-1", root_run_id="run-1")


def ask(caller: Caller, kind: str, expected: int = 202, **params: Any) -> Any:
    """Ask for an operation."""
    return caller("POST", "/operations", expected, {"kind": kind, "params": params})


def carry_out(stores: Stores, accepted: dict[str, Any]) -> None:
    """Do what the job does."""
    operation: Operation = take(UUID(accepted["job_id"]), RUN, stores)
    operate(operation, RUN, stores, SystemClock(), Unwatched())


def test_an_operation_is_answered_at_once_and_followed_by_its_id(admin: Caller, stores: Stores) -> None:
    """It waits, then it is done, with counts and times; its lines are not shown."""
    accepted = ask(admin, "import", lines=lines(3))
    assert accepted["status"] == "pending"
    path = f"/operations/{accepted['job_id']}"
    waiting = admin("GET", path)
    assert (waiting["kind"], waiting["status"], waiting["items"], waiting["params"]) == ("import", "pending", 3, {})
    assert (waiting["created_by"], waiting["run_id"]) == ("token:anna", None)
    carry_out(stores, accepted)
    done = admin("GET", path)
    assert (done["status"], done["run_id"], done["result"]["counts"]["created"]) == ("done", "run-1", 3)
    assert datetime.fromisoformat(done["result"]["finished_at"]) <= datetime.now(UTC)
    assert len(admin("GET", "/discussions")["discussions"]) == 3


def test_an_export_is_fetched_when_it_is_done(member: Caller, admin: Caller, stores: Stores) -> None:
    """As JSON lines; before, and of what is no export, there is nothing."""
    imported = ask(admin, "import", lines=lines(4))
    carry_out(stores, imported)
    accepted = ask(member, "export", status=["new"])
    path = f"/operations/{accepted['job_id']}/lines"
    assert member("GET", path, 409)["reason"] == "waiting"
    carry_out(stores, accepted)
    answer = member.client.get(f"/api{path}", headers={"authorization": f"Bearer {member.token}"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    read = [json.loads(each) for each in answer.text.splitlines()]
    assert {each["thread"] for each in read} == {"t0", "t1", "t2", "t3"}
    member("GET", f"/operations/{imported['job_id']}/lines", 404)


@pytest.mark.parametrize(("kind", "params"), [("import", {"lines": lines(1)}), ("delete", {"source": "slack"})])
def test_writing_takes_an_admin(member: Caller, kind: str, params: dict[str, Any]) -> None:
    """A member may export and count."""
    assert ask(member, kind, 403, **params)["reason"] == "forbidden"
    ask(member, "statistics")
    assert [each["kind"] for each in member("GET", "/operations")["operations"]] == ["statistics"]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("delete", {}),
        ("delete", {"ids": ["x"]}),
        ("import", {}),
        ("export", {"since": "0001-01-01T00:00:00+23:00"}),
        ("statistics", {"since": "2026-03-02", "until": "2026-03-01"}),
        ("statistics", {"until": "0001-01-01"}),
        ("export", {"colour": "red"}),
        ("vacuum", {}),
    ],
)
def test_what_makes_no_sense_is_refused(admin: Caller, kind: str, params: dict[str, Any]) -> None:
    """At once, and nothing is written."""
    assert ask(admin, kind, 422, **params)["reason"] == "invalid"
    assert admin("GET", "/operations")["operations"] == []


def test_another_teams_operations_are_not_there(admin: Caller, enter: Enter) -> None:
    """Neither listed nor shown."""
    ids = [ask(admin, "statistics")["job_id"] for _ in range(3)]
    assert [each["id"] for each in walk(admin, "/operations?limit=2", "operations")] == ids[::-1]
    stranger = enter("other", "eve", Role.ADMIN)
    assert stranger("GET", "/operations")["operations"] == []
    stranger("GET", f"/operations/{ids[0]}", 404)
    stranger("GET", f"/operations/{ids[0]}/lines", 404)
