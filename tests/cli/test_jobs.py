"""`discubot job`, as a person types it, over a real record of runs."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pydantic import SecretStr

from discubot_pipeline.cli.main import main
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import StepStatus
from discubot_pipeline.tracking.describe import TEAM
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.status import OUTCOME, WILL_RETRY
from tests.tracking.hearing import live
from tests.tracking.ledger import Ledger
from tests.waiting import until

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def ledger(engine: sa.Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Give an empty record of runs in the database that the command finds."""
    monkeypatch.setenv("DISCUBOT_DATABASE_URL", database_url)
    monkeypatch.setenv("DISCUBOT_HOME", str(tmp_path))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
    instance = Instance(tmp_path, Settings(home=tmp_path, database_url=SecretStr(database_url)).dagster_url)
    with instance.reading() as opened:
        opened.wipe()
        yield Ledger(opened)
    instance.close()


def job(*words: str, status: int = 0) -> Result:
    """Run a command and expect how it ends."""
    result = CliRunner().invoke(main, ["job", *words])
    assert result.exit_code == status, result.output
    return result


def test_jobs_are_listed_for_a_person(ledger: Ledger, stores: Stores, slack_config: SourceConfig) -> None:
    """A table, the newest first; of one team where one is named."""
    mine = ledger.run("QUEUED", **{TEAM: str(slack_config.team_id)})
    other = ledger.run("SUCCESS")
    lines = job("list").output.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[other, "completed"], [mine, "pending"]]
    assert [each["job_id"] for each in json.loads(job("list", "--team", "acme", "--json").output)] == [mine]
    assert [each["job_id"] for each in json.loads(job("list", "--limit", "1", "--json").output)] == [other]
    assert json.loads(job("list", "--since", "2999-01-01", "--json").output) == []


def test_a_job_is_shown_with_its_error_and_steps(ledger: Ledger, stores: Stores) -> None:
    """For a person in lines, for a program in JSON."""
    run_id = ledger.run("STARTED")
    ledger.instance.report_run_failed(ledger.get(run_id), "The process is gone.")
    ledger.instance.add_run_tags(run_id, {WILL_RETRY: "false"})
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
    stores.steps.begin(run_id, "create_tasks", Stage.TASK_CREATION, {"tasks": 2})
    shown = job("show", run_id, "--steps").output
    for words in ("failed", "The process is gone.", "Attempt 1", "create_tasks", f"/runs/{run_id}"):
        assert words in shown
    told = json.loads(job("show", run_id, "--steps", "--json").output)
    assert (told["status"], told["steps"][0]["input"]) == ("failed", {"tasks": 2})
    assert "steps" not in json.loads(job("show", run_id, "--json").output)


def test_explanations_are_asked_for_and_counted(ledger: Ledger, stores: Stores, slack_config: SourceConfig) -> None:
    """Once each; of what nobody knows there is nothing to explain."""
    run_id = ledger.run("SUCCESS")
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0", team_name="acme")
    stores.steps.begin(run_id, "create_tasks", Stage.TASK_CREATION, {"tasks": 2})
    stores.steps.end(run_id, "create_tasks", StepStatus.COMPLETED)
    assert "Asked for 1 explanations." in job("explain", run_id).output
    told = json.loads(job("explain", run_id, "--json").output)
    assert (told["asked"], told["explanations"][0]["status"]) == (0, "pending")
    assert json.loads(job("explanations", "--team", "acme", "--json").output)["pending"] == 1
    assert "Pending         1" in job("explanations").output


def test_a_log_is_printed(ledger: Ledger) -> None:
    """Each line with its time, level and stage; so many as are asked for."""
    run_id = ledger.run("STARTED")
    for _ in range(3):
        ledger.say(run_id, dg.DagsterEventType.STEP_START)
    lines = job("logs", run_id).output.splitlines()
    assert len(lines) == 3
    assert all("info    thread_building thread_building began." in line for line in lines)
    assert len(job("logs", run_id, "--limit", "2", "--json").output.splitlines()) == 2
    assert job("logs", run_id, "--level", "warning").output == ""


def test_a_log_is_followed_to_the_end_of_the_job(ledger: Ledger) -> None:
    """What was there, and what comes; then the command ends by itself."""
    run_id = live(ledger, ledger.run("NOT_STARTED"), until_end=False)
    with ThreadPoolExecutor() as pool:
        following = pool.submit(job, "logs", run_id, "--follow")
        until(lambda: listeners(ledger) == 1)
        ledger.say(run_id, dg.DagsterEventType.RUN_SUCCESS, None)
        lines = following.result(20).output.splitlines()
    assert [line.split()[-1] for line in lines] == ["PIPELINE_ENQUEUED", "PIPELINE_START", "began.", "PIPELINE_SUCCESS"]
    assert len(job("logs", run_id, "--follow", "--limit", "2", "--json").output.splitlines()) == 2


def listeners(ledger: Ledger) -> int:
    """Count the connections that listen to jobs."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'discubot-feed' AND state = 'idle'"
    with ledger.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.execute(sa.text(query)).scalar_one())


@pytest.mark.parametrize(("outcome", "status"), [("completed", 0), ("partial", 1)])
def test_a_job_is_watched_to_its_end(ledger: Ledger, outcome: str, status: int) -> None:
    """For a person in lines, for a program in JSON; the exit code says whether it is completed."""
    run_id = live(ledger, ledger.run("NOT_STARTED", **{OUTCOME: outcome}))
    lines = job("watch", run_id, status=status).output.splitlines()
    assert "STAGE   stage=thread_building state=running" in "\n".join(lines)
    assert lines[-1].split()[:2] == [outcome.upper(), f"status={outcome}"]
    told = [json.loads(line) for line in job("watch", run_id, "--json", status=status).output.splitlines()]
    assert (told[-1]["event"], told[-1]["job_id"]) == (outcome, run_id)


@pytest.mark.parametrize(
    "words", [("show",), ("explain",), ("logs",), ("logs", "--follow"), ("watch",), ("cancel",), ("retry",)]
)
def test_a_job_that_nobody_knows_is_said_to_be_none(ledger: Ledger, words: tuple[str, ...]) -> None:
    """One clear sentence, and the exit code 1."""
    assert job(*words, NOBODY, status=1).output == f"Error: there is no job {NOBODY}\n"


def test_what_cannot_be_done_is_said_in_a_sentence(ledger: Ledger) -> None:
    """A job that has ended, and one that is about no discussion."""
    run_id = ledger.run("SUCCESS")
    assert job("cancel", run_id, status=1).output == f"Error: job {run_id} has ended already, as completed\n"
    assert "about no discussion" in job("retry", run_id, status=1).output
    job("show", "no-uuid", status=2)
