"""Thirty threads of the past are imported by the command line; the import is killed, or cancelled, in the middle."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline.adapters.slackarchive import ts_of
from discubot_pipeline.admin.sources import pause
from discubot_pipeline.domain.backfill import Tally
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.stages.backfill import STEP
from discubot_pipeline.store.tables import inboxes
from tests.flow.imports import discubot, imports
from tests.flow.runs import Json, Run, eventually
from tests.flow.team import Team
from tests.flow.town import Town

pytestmark = [pytest.mark.processes, pytest.mark.timeout(1200)]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARCH = ["--from", "2026-03-01", "--to", "2026-03-31", "--per-minute", "240", "--page-size", "10"]


def write(team: Team, count: int) -> None:
    """Let people write threads that end with a mention, one a day, and something that no one can read."""
    anna, ben = (f"U{team.slack['team_id'][1:]}{name}" for name in ("ANNA", "BEN"))
    said: list[Json] = []
    for number in range(count):
        root = ts_of(START + timedelta(days=number))
        said.append({"user": anna, "text": f"Page {number} is wrong", "ts": root})
        reply = {"user": ben, "text": f"{team.bot} fix page {number}", "thread_ts": root}
        said.append(reply | {"ts": ts_of(START + timedelta(days=number, hours=1))})
    said.append({"user": anna, "text": "?", "ts": ts_of(START + timedelta(hours=5)), "more": {"reply_count": "many"}})
    place = {"team_id": team.slack["team_id"], "channel": team.channel, "quiet": True}
    team.town.ask("POST", "/sandbox/slack/messages/bulk", [place | one for one in said])


def half_done(town: Town, team: Team, seen: int) -> Run:
    """Wait until an import has seen so many threads; gives its run."""

    def probe() -> Run | None:
        runs = imports(town, team)
        tally = Tally.model_validate(town.here.stores.steps.output(runs[0].id, STEP) or {}) if runs else Tally()
        return runs[0] if tally.seen >= seen else None

    return eventually(probe, f"{team.name} to have imported {seen} threads")


def deliveries(town: Town, team: Team) -> list[Any]:
    """Read a team's inbox."""
    table = inboxes[SourceType.SLACK]
    with town.here.engine.connect() as connection:
        return list(connection.execute(sa.select(table).where(table.c.team_id == team.row.id)).all())


@pytest.fixture(scope="module")
def killed(town: Town) -> tuple[Team, Json, str]:
    """Kill an import's process in the middle; gives what the command says when everything is done."""
    team = town.team("historians")
    write(team, 30)
    with discubot(town, "slack", "--team", team.name, "--channel", team.channel, *MARCH, "--wait", "--json") as command:
        os.kill(town.process(half_done(town, team, 10).id), signal.SIGKILL)
        told, progress = command.communicate(timeout=1100)
    assert command.returncode == 0, progress
    return team, json.loads(told), progress


def test_a_killed_import_goes_on_by_itself(killed: tuple[Team, Json, str], town: Town) -> None:
    """Dagster starts it again where it was; the command follows it, counts every thread once and names the error."""
    team, told, progress = killed
    first, second = imports(town, team)
    assert (first.status, second.status, second.parent) == ("FAILURE", "SUCCESS", first.id)
    assert (told["run_id"], told["status"]) == (second.id, "SUCCESS")
    assert {name: told[name] for name in ("seen", "stored", "known", "passed", "troubled")} == {
        "seen": 31, "stored": 30, "known": 0, "passed": 0, "troubled": 1,
    }  # fmt: skip
    assert [trouble["reason"] for trouble in told["troubles"]] == ["malformed"]
    assert told["deliveries"] == {"waiting": 0, "held": 0, "done": 30, "failed": 0}
    assert "new" in progress


def test_each_imported_thread_has_its_task_once(killed: tuple[Team, Json, str], town: Town) -> None:
    """Thirty deliveries, thirty runs of low priority, thirty pages."""
    team, _, _ = killed
    rows = deliveries(town, team)
    assert len(rows) == len({row.thread_id for row in rows}) == 30
    assert {(row.status, row.trigger) for row in rows} == {("done", "backfill")}
    assert sorted(team.titles) == sorted(f"Fix page {number}" for number in range(30))
    run = town.run(rows[0].run_id)
    assert (run.tags["discubot/trigger"], run.tags["dagster/priority"]) == ("backfill", "-2")


def test_nothing_is_said_in_imported_threads(killed: tuple[Team, Json, str]) -> None:
    """Neither an answer nor a reaction: what people wrote months ago stays as it is."""
    team, _, _ = killed
    assert not {"/chat.postMessage", "/reactions.add"} & set(team.slack_calls())


def test_the_same_span_again_makes_nothing(killed: tuple[Team, Json, str], town: Town) -> None:
    """Every thread is known, and no run comes of it."""
    team, _, _ = killed
    with discubot(town, "slack", "--team", team.name, "--channel", team.channel, *MARCH, "--json") as command:
        told = json.loads(command.communicate(timeout=300)[0])
    assert (told["stored"], told["known"], told["troubled"]) == (0, 30, 1)
    assert len(deliveries(town, team)) == 30


def test_a_cancelled_import_is_resumed(town: Town) -> None:
    """The command says how; the second run has the rest, and what is held waits for a person."""
    team = town.team("archivists")
    pause(town.here.stores, town.here.stores.changes.sources(team.row.id)[0], 1, "test")
    write(team, 12)
    with discubot(town, "slack", "--team", team.name, "--channel", team.channel, *MARCH) as command:
        run = half_done(town, team, 3)
        assert town.web.cancel(run.id)
        told, progress = command.communicate(timeout=300)
    assert command.returncode == 1, told
    assert f"`discubot backfill resume {run.id}` goes on" in progress
    before = len(deliveries(town, team))
    assert 3 <= before < 12
    with discubot(town, "resume", run.id, "--wait") as command:
        told, progress = command.communicate(timeout=300)
    assert command.returncode == 0, progress
    assert "13 threads: 12 new, 0 known, 0 without a mention, 1 errors" in told
    assert "Deliveries: 12 held" in told
    assert len(deliveries(town, team)) == 12
