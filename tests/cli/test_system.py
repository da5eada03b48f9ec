"""How the processes are put together, and what keeps them from starting."""

import os
import socket
from pathlib import Path

import pytest

from discubot_pipeline.cli.instance import config_file
from discubot_pipeline.cli.ports import StartupError, free_port
from discubot_pipeline.cli.system import CODE_SOCKET, System, short_path
from discubot_pipeline.settings import Settings


def test_each_process_comes_after_what_it_needs(settings: Settings) -> None:
    """Code server before daemon before web UI before receiver and socket; the sandbox only when it is wanted."""
    plain = [program.name for program in System(settings).programs()]
    assert plain == ["code-server", "warm-runs", "daemon", "web-ui", "receiver", "socket"]
    assert [program.name for program in System(settings, sandbox=True).programs()] == [*plain, "sandbox"]


def test_processes_are_told_what_they_need_by_their_environment_only(settings: Settings) -> None:
    """No secret and no address with a password stands on a command line, where everyone can read it."""
    system = System(settings, sandbox=True)
    secrets = [
        system.exports()[name] for name in ("DISCUBOT_SECRET_KEY", "DISCUBOT_DATABASE_URL", "DISCUBOT_DAGSTER_URL")
    ]
    words = [word for program in system.programs() for word in program.command]
    assert not any(secret in word for secret in secrets for word in words)


def test_a_sandbox_is_what_the_clients_talk_to(settings: Settings) -> None:
    """With the sandbox, Slack and Notion are looked for there, and only there."""
    system = System(settings, sandbox=True)
    exports = system.exports()
    assert exports["DISCUBOT_SLACK_URL"] == f"{system.sandbox_url}/slack/api"
    assert exports["DISCUBOT_ANTHROPIC_URL"] == f"{system.sandbox_url}/models/anthropic"
    assert exports["DISCUBOT_OPENAI_URL"] == f"{system.sandbox_url}/models/openai/v1"
    assert exports["DISCUBOT_NOTION_URL"] == f"{system.sandbox_url}/notion"


def test_a_long_state_folder_gets_a_short_socket(tmp_path: Path) -> None:
    """A Unix socket's path has 107 bytes: a longer state folder has its socket elsewhere, in a folder of our own."""
    home = tmp_path / ("x" * 120)
    home.mkdir()
    path = short_path(home, CODE_SOCKET)
    assert len(os.fsencode(path)) < 107
    assert path.parent.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as probe:
        path.unlink(missing_ok=True)
        probe.bind(str(path))
    path.unlink()
    path.parent.rmdir()


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_configuration_is_found(name: str) -> None:
    """Dagster's files are found beside the package of a checkout."""
    assert config_file(name).is_file()


def test_a_taken_port_is_named_with_its_setting(settings: Settings) -> None:
    """What cannot listen says which port, who has it, and which variable moves it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"web_port": free_port(), "receiver_port": port}
        system = System(settings.model_copy(update=ports))
        with pytest.raises(StartupError, match=f"Port {port} .receiver. is taken .* set DISCUBOT_RECEIVER_PORT"):
            system.prepare()
    system.lock.release()
