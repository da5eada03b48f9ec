"""A team that chose a language model: its answers become tasks; when it fails the rules stand in for it, visibly."""

from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from discubot_pipeline.admin.teams import change
from discubot_pipeline.domain.changes import TeamChange
from discubot_pipeline.domain.preferences import AnalystKind
from tests.flow.runs import eventually
from tests.flow.team import Team, Thread
from tests.flow.town import Town

ASKED = "@bot fix the header and update the footer"


def with_model(town: Town, name: str, kind: AnalystKind, model: str, key: str) -> Team:
    """Found a team that reads its threads with a model."""
    team = town.team(name)
    wanted = TeamChange(preferences={"analyst": kind, "model": model}, model_key=SecretStr(key))
    change(town.here.stores, team.row, wanted, team.row.version, "test")
    return team


@dataclass(frozen=True)
class Readings:
    """One thread that a model read, one that it refused to read, and one whose key is wrong."""

    read: Thread
    refused: Thread
    locked: Thread


@pytest.fixture(scope="module")
def readings(town: Town) -> Readings:
    """Let three teams ask, each with another model."""
    keys = town.ask("GET", "/sandbox/defaults")["models"]
    anthropic, openai = (AnalystKind.ANTHROPIC, "claude-sonnet-5"), (AnalystKind.OPENAI, "gpt-6.1-terra")
    reading = with_model(town, "reading", *anthropic, keys["anthropic"]["api_key"])
    refusing = with_model(town, "refusing", *openai, keys["openai"]["api_key"])
    locked = with_model(town, "locked", *anthropic, "sk-ant-revoked")
    with town.fault("openai", "responses", "refusal") as refusal:
        refused = refusing.thread("The landing page looks tired", ASKED)
        refusal.strikes()
    return Readings(
        read=reading.thread("The landing page looks tired", ASKED),
        refused=refused,
        locked=locked.thread("The landing page looks tired", ASKED),
    )


def test_a_models_answer_becomes_tasks_with_their_cost(readings: Readings, town: Town) -> None:
    """Pages, answer and records are as ever; model, tokens and dollars are on the run, the step and the page."""
    [run] = readings.read.settled()
    assert (run.status, readings.read.titles) == ("SUCCESS", ["Fix the header", "Update the footer"])
    assert "built-in" not in readings.read.replies[0]
    shown = town.metadata(run.id)["analyze_thread"]
    assert shown["analyst"] == "anthropic:claude-sonnet-5"
    assert shown["prompt tokens"] > 1000
    record = town.step_records(run.id)["analyze_thread"]
    assert record.prompt_tokens == shown["prompt tokens"]
    assert 0.002 < record.cost_usd < 0.1


@pytest.mark.parametrize(("name", "reason"), [("refused", "model_refusal"), ("locked", "model_auth")])
def test_a_model_that_fails_is_stood_in_for_and_everybody_is_told(
    readings: Readings, town: Town, name: str, reason: str
) -> None:
    """The tasks are there at the first try; answer, page and run say that the rules read the thread, and why."""
    thread: Thread = getattr(readings, name)
    [run] = thread.settled()
    assert (run.status, run.tags["discubot/outcome"]) == ("SUCCESS", "completed")
    assert run.attempts["analyze_thread"] == 1
    assert thread.titles == ["Fix the header", "Update the footer"]
    [reply] = thread.replies
    assert reply.splitlines()[-1] == f"⚠️ Read by the built-in analyst, without the model ({reason})"
    shown = town.metadata(run.id)["analyze_thread"]
    assert (shown["analyst"], shown["degraded because"]) == ("rules", reason)
    page = town.ask("GET", f"/sandbox/notion/pages/{thread.team.pages[0]['id']}")
    assert f"rules (degraded: {reason})" in str(page)


def test_no_key_is_in_sight(readings: Readings, town: Town) -> None:
    """Neither in a run's events nor in its step records."""
    for thread in (readings.read, readings.refused, readings.locked):
        [run] = thread.settled()
        said = f"{town.events(run.id)}{town.step_records(run.id)}"
        assert "sk-ant" not in said and "sk-sandbox" not in said


def test_a_run_that_waits_for_a_model_can_be_cancelled(town: Town) -> None:
    """The run ends at once, and the model hears that nobody waits any more."""
    keys, since = town.ask("GET", "/sandbox/defaults")["models"], town.mark()
    team = with_model(town, "waiting", AnalystKind.OPENAI, "gpt-6.1-terra", keys["openai"]["api_key"])
    with town.fault("openai", "responses", "hang") as hang:
        thread = team.thread("The lamp is broken", "@bot replace the lamp")
        hang.strikes()
        [run] = thread.runs
        assert town.web.cancel(run.id)
        assert town.finished(run.id).status == "CANCELED"
    [call] = eventually(lambda: town.calls(since, keys["openai"]["api_key"]), "the call to end")
    assert call["error"] == "left"
