"""Completion hooks from the command line."""

from collections.abc import Iterator

import pytest

from tests.cli.commands import Shell
from tests.defs.target import Target, listening_target


@pytest.fixture
def target() -> Iterator[Target]:
    """Give a target."""
    with listening_target() as target:
        yield target


@pytest.fixture
def source_id(shell: Shell) -> str:
    """Give the id of a Slack source of the only team."""
    shell("team", "add", "acme")
    secrets = ("--signing-secret", "s3cret", "--bot-token", "xoxb-test")
    return str(shell.json("source", "add", "slack", "--workspace", "T1", *secrets)["id"])


def test_a_hook_is_added_tried_out_and_removed(
    shell: Shell, source_id: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret is shown when it is made, and what is sent can be verified with it."""
    assert "must begin with https" in shell.refused("hook", "add", "desk", "--url", target.url)
    monkeypatch.setenv("DISCUBOT_HOOKS_TO_LOOPBACK", "true")
    made = shell.json("hook", "add", "desk", "--url", target.url, "--event", "failed", "--source", "slack")
    assert (made["events"], made["source_id"]) == (["job.failed"], source_id)
    assert "signing_secret" not in shell.json("hook", "list")[0]
    assert "took the test" in shell("hook", "test", "desk").output
    assert target.bodies(made["signing_secret"])[0]["type"] == "hook.test"
    assert shell.json("hook", "deliveries", "desk") == []
    shell("hook", "remove", "desk", "--yes")
    assert shell.json("hook", "list") == []
    assert "there is no hook 'desk'" in shell.refused("hook", "test", "desk")


def test_a_hook_is_changed_paused_and_resumed(
    shell: Shell, source_id: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not named stays."""
    monkeypatch.setenv("DISCUBOT_HOOKS_TO_LOOPBACK", "true")
    made = shell.json("hook", "add", "desk", "--url", "https://hooks.example/x", "--text")
    del made["signing_secret"]
    moved = shell.json("hook", "set", "desk", "--rename", "till", "--url", target.url, "--source", "slack")
    assert moved == made | {"name": "till", "url": target.url, "source_id": source_id}
    changed = shell.json("hook", "set", "till", "--event", "cancelled", "--no-text", "--all-sources")
    assert changed == moved | {"events": ["job.cancelled"], "has_text": False, "source_id": None}
    assert shell.json("hook", "pause", "till") == changed | {"active": False, "reason": "paused"}
    assert shell.json("hook", "resume", "till") == changed
    assert "add another hook" in shell.refused("hook", "set", "till", "--channel", "C0GENERAL")


def test_a_channel_is_told_through_a_source(shell: Shell, source_id: str) -> None:
    """Which may be named."""
    made = shell.json("hook", "add", "chat", "--channel", "C0GENERAL", "--via", "slack", "--text")
    assert (made["kind"], made["sender_id"], made["has_text"]) == ("slack", source_id, True)
    assert "give either url or channel" in shell.refused("hook", "add", "none")
