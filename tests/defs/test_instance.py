"""Dagster's configuration: what we count on in `dagster.yaml`, and that this Dagster understands it."""

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from discubot_pipeline.cli.system import config_file

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
    assert config["sensors"]["num_workers"] >= 10
    assert config["schedules"]["use_threads"] is True


def test_the_queue_is_looked_at_every_second(config: dict[str, Any]) -> None:
    """How many runs go at once is ours to set."""
    queue = config["run_coordinator"]["config"]
    assert queue["dequeue_interval_seconds"] == 1
    assert queue["max_concurrent_runs"] == {"env": "DISCUBOT_MAX_CONCURRENT_RUNS"}
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
    assert config["storage"] == {"postgres": {"postgres_url": {"env": "DISCUBOT_DAGSTER_URL"}}}


def test_this_dagster_understands_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is one that it knows, and the parts are those that we name."""
    monkeypatch.setenv("DISCUBOT_DAGSTER_URL", URL)
    monkeypatch.setenv("DISCUBOT_MAX_CONCURRENT_RUNS", "16")
    copyfile(config_file("dagster.yaml"), tmp_path / "dagster.yaml")
    ref = InstanceRef.from_dir(str(tmp_path))
    assert ref.run_coordinator_data is not None
    assert ref.run_coordinator_data.class_name == "QueuedRunCoordinator"
    assert ref.compute_logs_data.class_name == "NoOpComputeLogManager"
    assert "env: DISCUBOT_MAX_CONCURRENT_RUNS" in ref.run_coordinator_data.config_yaml
    settings: Any = ref.settings
    assert settings["run_monitoring"]["poll_interval_seconds"] == 10
    assert settings["run_retries"]["max_retries"] == 2


def test_the_workspace_is_our_code_server() -> None:
    """The web UI and the daemon share one, over a socket that only we reach."""
    workspace = yaml.safe_load(config_file("workspace.yaml").read_text())
    server = {"socket": {"env": "DISCUBOT_CODE_SOCKET"}, "location_name": "discubot"}
    assert workspace == {"load_from": [{"grpc_server": server}]}
