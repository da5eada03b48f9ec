"""Operations from the command line: asked for, looked at, and their lines fetched."""

from pathlib import Path
from uuid import UUID

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import Job
from discubot_pipeline.outside import SystemClock
from discubot_pipeline.ports import Unwatched
from discubot_pipeline.stages.operations import operate, take
from discubot_pipeline.store.stores import Stores
from tests.cli.commands import Shell
from tests.store.portable import lines

RUN = Job(run_id="run-1", root_run_id="run-1")


def carry_out(stores: Stores, id: str) -> None:
    """Do what the job does."""
    operate(take(UUID(id), RUN, stores), RUN, stores, SystemClock(), Unwatched())


def test_discussions_go_in_and_come_out(
    shell: Shell, stores: Stores, slack_config: SourceConfig, tmp_path: Path
) -> None:
    """What was imported from a file is exported again; an export must be done before it is fetched."""
    file = tmp_path / "discussions.jsonl"
    file.write_text(lines(2), encoding="utf-8")
    imported = shell.json("operation", "import", str(file))["job_id"]
    carry_out(stores, imported)
    assert shell.json("operation", "show", imported)["result"]["counts"]["created"] == 2
    exported = shell.json("operation", "export", "--status", "new", "--since", "2026-01-01")["job_id"]
    assert shell.refused("operation", "fetch", exported) == "this export is not done"
    carry_out(stores, exported)
    assert shell("operation", "fetch", exported).stdout.count("About t") == 2
    assert [each["id"] for each in shell.json("operation", "list")] == [exported, imported]


def test_nobody_deletes_everything_by_mistake(shell: Shell, slack_config: SourceConfig) -> None:
    """What is meant has to be named."""
    assert "name ids" in shell.refused("operation", "delete", "--yes")
    assert shell.json("operation", "delete", "--yes", "--source", "slack")["status"] == "pending"
    assert shell.json("operation", "statistics", "--since", "2026-01-01")["status"] == "pending"
