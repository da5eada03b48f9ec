"""Dagster's configuration: what we count on in `dagster.yaml`, and that this Dagster understands it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from discubot_pipeline.cli.instance import config_file, write_instance
from discubot_pipeline.definitions import defs
from discubot_pipeline.defs.jobs import CLASS
from discubot_pipeline.settings import Settings

URL = "postgresql+psycopg2://discubot@localhost/discubot?options=-csearch_path%3Ddagster"


@pytest.fixture
def config() -> dict[str, Any]:
    """Read the file."""
    read: dict[str, Any] = yaml.safe_load(config_file("dagster.yaml").read_text())
    return read


def test_nothing_is_sent_to_strangers(config: dict[str, Any]) -> None:
    """Telemetry and the newsletter question are off."""
    assert config["telemetry"] == {"enabled": False}
    assert config["nux"] == {"enabled": False}


def test_dead_workers_are_found_soon(config: dict[str, Any]) -> None:
    """Run monitoring is on, looks every ten seconds, and never resumes a run in place."""
    assert config["run_monitoring"] == {
        "enabled": True,
        "poll_interval_seconds": 10,
        "start_timeout_seconds": 120,
        "cancel_timeout_seconds": 30,
        "max_resume_run_attempts": 0,
        "free_slots_after_run_end_seconds": 30,
    }


def test_only_crashes_are_retried_as_new_runs(config: dict[str, Any]) -> None:
    """What failed in an op was retried by its verdict already."""
    assert config["run_retries"] == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}


def test_sensors_wait_in_threads_of_their_own(config: dict[str, Any]) -> None:
    """There is room for every sensor to wait at the same time."""
    assert config["sensors"]["use_threads"] is True
    assert config["sensors"]["num_workers"] > len(list(defs.sensors or ()))
    assert config["schedules"]["use_threads"] is True


def test_no_restart_fails_a_queued_run(config: dict[str, Any]) -> None:
    """While a process that it needs is away, Dagster tries again."""
    queue = config["run_coordinator"]["config"]
    assert queue["dequeue_use_threads"] is True
    assert queue["max_user_code_failure_retries"] > 0


def test_ticks_are_purged_and_idle_daemons_are_off(config: dict[str, Any]) -> None:
    """A tick a second would fill the database; assets we have none."""
    assert config["retention"]["sensor"]["purge_after_days"]["skipped"] == 1
    assert all(days <= 30 for days in config["retention"]["sensor"]["purge_after_days"].values())
    assert config["auto_materialize"] == {"enabled": False, "use_sensors": False}
    assert config["freshness"] == {"enabled": False}
    assert config["compute_logs"]["class"] == "NoOpComputeLogManager"
    assert config["python_logs"] == {"python_log_level": "INFO"}


def test_no_secret_is_in_the_file(config: dict[str, Any]) -> None:
    """The database's address comes from the environment."""
    for storage in ("run_storage", "event_log_storage", "schedule_storage"):
        assert config[storage]["config"] == {"postgres_url": {"env": "DISCUBOT_DAGSTER_URL"}}


@pytest.mark.parametrize(("launcher", "expected"), [("warm", "WarmRunLauncher"), ("stock", "CarefulRunLauncher")])
def test_this_dagster_understands_the_file(
    launcher: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key is one that it knows, and the parts are those that we name."""
    monkeypatch.setenv("DISCUBOT_DAGSTER_URL", URL)
    monkeypatch.setenv("DISCUBOT_WARM_SOCKET", "warm.sock")
    chosen: dict[str, Any] = {"launcher": launcher}
    write_instance(tmp_path, Settings.model_validate(chosen))
    ref = InstanceRef.from_dir(str(tmp_path))
    assert ref.run_coordinator_data is not None
    assert ref.run_coordinator_data.class_name == "PromptRunCoordinator"
    assert ref.compute_logs_data.class_name == "NoOpComputeLogManager"
    assert ref.run_launcher_data is not None
    assert (ref.run_launcher_data.class_name, ref.run_storage_data.class_name) == (  # type: ignore[union-attr]
        expected,
        "GuardedRunStorage",
    )
    settings: Any = ref.settings
    assert settings["run_monitoring"]["poll_interval_seconds"] == 10
    assert settings["run_retries"]["max_retries"] == 2


def test_the_settings_limit_the_run_queue(tmp_path: Path) -> None:
    """Each class, each team and each source has a limit of its own; no limit is over all classes."""
    write_instance(tmp_path, Settings(max_concurrent_runs=7, max_team_runs=3, max_source_runs=5))
    queue = yaml.safe_load((tmp_path / "dagster.yaml").read_text())["run_coordinator"]["config"]
    each = {"applyLimitPerUniqueValue": True}
    found = [(limit["key"], limit["value"], limit["limit"]) for limit in queue["tag_concurrency_limits"]]
    assert found == [
        (CLASS, "discussion", 7),
        (CLASS, "chat", 5),
        (CLASS, "database", 10),
        (CLASS, "audit", 2),
        (CLASS, "maintenance", 2),
        ("discubot/team", each, 3),
        ("discubot/source", each, 5),
    ]
    assert queue["max_concurrent_runs"] == -1


def test_each_job_is_of_a_class_that_has_a_limit(config: dict[str, Any]) -> None:
    """A job without one would have no limit at all."""
    limited = {limit["value"] for limit in config["run_coordinator"]["config"]["tag_concurrency_limits"][:5]}
    assert {job.tags.get(CLASS) for job in defs.resolve_all_job_defs()} <= limited


def test_the_workspace_is_our_code_server() -> None:
    """The web UI and the daemon share one, over a socket that only we reach."""
    workspace = yaml.safe_load(config_file("workspace.yaml").read_text())
    server = {"socket": {"env": "DISCUBOT_CODE_SOCKET"}, "location_name": "discubot"}
    assert workspace == {"load_from": [{"grpc_server": server}]}
