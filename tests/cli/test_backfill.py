"""`discubot backfill` where it cannot begin: one sentence says what to do."""

from pathlib import Path

import pytest

from discubot_pipeline.cli.ports import free_port
from tests.cli.commands import Shell

SLACK = ["backfill", "slack", "--channel", "C1", "--from", "2026-03-01"]


@pytest.fixture(autouse=True)
def acme(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a team with two Slack sources, and no Dagster."""
    monkeypatch.setenv("DISCUBOT_WEB_PORT", str(free_port()))
    shell("team", "add", "acme")
    for name in ("desk", "shop"):
        words = ["source", "add", "slack", "--team", "acme", "--name", name]
        shell(*words, "--signing-secret", "s3cret", "--bot-token", "xoxb-1")


def test_without_the_system_it_says_what_to_start(shell: Shell) -> None:
    """The import is a run of Dagster's."""
    assert "start `discubot up` first" in shell.refused(*SLACK, "--source", "desk")
    assert "start `discubot up` first" in shell.refused("backfill", "resume", "00000000")


def test_a_source_is_named_where_there_are_several(shell: Shell) -> None:
    """The sentence lists those that there are."""
    for words in ([], ["--source", "nobody"]):
        assert "there are: desk, shop" in shell.refused(*SLACK, *words)


def test_a_wrong_day_is_said_before_anything_is_launched(shell: Shell) -> None:
    """No run is needed to find that out."""
    words = ["backfill", "slack", "--channel", "C1", "--source", "desk"]
    assert "is no date" in shell.refused(*words, "--from", "last week")
    assert "no time between" in shell.refused(*words, "--from", "2026-03-02", "--to", "2026-03-01")


def test_a_figma_file_needs_a_figma_source(shell: Shell) -> None:
    """A Slack source will not do; with one of Figma's, days may be left out."""
    words = ["backfill", "figma", "--file", "https://www.figma.com/design/Abc123/Checkout"]
    assert "name one figma source" in shell.refused(*words)
    shell(
        "source", "add", "figma", "--team", "acme", "--name", "files", "--token", "figd_1", "--passcode", "open sesame"
    )
    assert "start `discubot up` first" in shell.refused(*words)


def test_an_export_must_be_there(shell: Shell, tmp_path: Path) -> None:
    """A path that leads nowhere is a mistake of the command line."""
    assert "does not exist" in shell.refused("backfill", "slack-export", str(tmp_path / "none.zip"))
