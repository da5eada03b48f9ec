"""Work on many discussions at once: asked for over REST, done by runs of Dagster, its rows where they belong."""

import json
from typing import Any

import pytest

from discubot_pipeline.store.tables import Role
from tests.flow.desk import Desk
from tests.flow.runs import Json, eventually
from tests.flow.town import Town
from tests.store.portable import lines

CASES = 1200
OVER = ("done", "failed", "dead")


@pytest.fixture(scope="module")
def archivist(town: Town) -> Desk:
    """Give an admin of a team that has imported its old cases, one of which cannot be read."""
    desk = Desk.of(town.team("archive"), role=Role.ADMIN)
    imported = carried_out(desk, "import", lines=lines(CASES) + "\n{")
    assert imported["result"]["failures"] == 1
    return desk


def carried_out(desk: Desk, kind: str, **params: Any) -> Json:
    """Ask for an operation; gives it when a run of Dagster has done it."""
    made = desk("POST", "/operations", 202, {"kind": kind, "params": params})

    def probe() -> Json | None:
        shown: Json = desk("GET", f"/operations/{made['job_id']}")
        return shown if shown["status"] in OVER else None

    ended = eventually(probe, f"{kind} {made['job_id']} to end")
    assert ended["status"] == "done", ended
    run = desk.town.finished(ended["run_id"])
    assert (run.status, run.tags["discubot/operation"]) == ("SUCCESS", ended["id"])
    return ended


def test_what_was_imported_is_there(archivist: Desk, town: Town) -> None:
    """With its messages; the run is a job of the team, with its counts and its log, and no other team's."""
    [imported] = archivist("GET", "/operations")["operations"]
    job = archivist.ended(imported["run_id"])
    assert (job["job_name"], job["status"]) == ("operation_job", "completed")
    assert job["result"]["counters"]["created"] == CASES
    newest = archivist("GET", "/discussions?limit=1")["discussions"][0]
    said = archivist("GET", f"/discussions/{newest['id']}/messages")["messages"]
    assert [message["content"] for message in said] == [
        f"message {number} of {newest['title'].removeprefix('About ')}" for number in range(2)
    ]
    stranger = Desk.of(town.team("importers-next-door"))
    stranger("GET", f"/operations/{imported['id']}", 404)
    stranger("GET", f"/jobs/{imported['run_id']}", 404)


def test_what_was_exported_can_be_imported(archivist: Desk) -> None:
    """All of it, a line each; a second import finds everything there."""
    exported = carried_out(archivist, "export")
    answer = archivist.town.receiver.call(
        "GET", f"/api/operations/{exported['id']}/lines", headers={"authorization": f"Bearer {archivist.token}"}
    )
    threads = {json.loads(line)["thread"] for line in answer.text.splitlines()}
    assert threads == {f"t{number}" for number in range(CASES)}
    again = carried_out(archivist, "import", lines=answer.text)
    assert again["result"]["counts"]["created"] == 0


def test_what_was_deleted_is_gone(archivist: Desk) -> None:
    """And nothing else; the figures of the day are made anew when somebody asks."""
    gone = [each["id"] for each in archivist("GET", "/discussions?limit=2")["discussions"]]
    deleted = carried_out(archivist, "delete", ids=gone)
    assert deleted["result"]["counts"]["deleted"] == len(gone)
    for id in gone:
        archivist("GET", f"/discussions/{id}", 404)
    carried_out(archivist, "statistics")
    assert sum(day["discussions"] for day in archivist("GET", "/stats")["days"]) <= CASES - len(gone)
