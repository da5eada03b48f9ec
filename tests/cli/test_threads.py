"""Threads for the demo: our samples and those of a Slack export."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from discubot_pipeline.cli.threads import export, samples
from discubot_pipeline.domain.errors import Permanent

EXPORT = os.environ.get("DISCUBOT_SLACK_EXPORT")


def archive(path: Path, days: dict[str, list[dict[str, object]]]) -> Path:
    """Write an export."""
    with zipfile.ZipFile(path, "w") as file:
        for name, messages in days.items():
            file.writestr(name, json.dumps(messages))
    return path


def said(ts: str, thread_ts: str | None = None) -> dict[str, object]:
    """Write one message of an export."""
    return {"type": "message", "user": "U1", "text": ts, "ts": ts, **({"thread_ts": thread_ts} if thread_ts else {})}


def test_every_sample_ends_with_a_mention() -> None:
    """The last line of each sample thread mentions the bot, by the id it is given."""
    plays = samples("UBOT1")
    assert len(plays) >= 4
    assert all("<@UBOT1>" in play.lines[-1].text for play in plays)
    assert not any("UDISCUBOT" in line.text for play in plays for line in play.lines)


def test_the_longest_threads_come_first(tmp_path: Path) -> None:
    """An export's threads are put together over days, ordered in time, and given by length."""
    days = {
        "general/2019-01-01.json": [said("1.000001"), said("5.000001"), said("2.000001", "1.000001")],
        "general/2019-01-02.json": [
            said("4.000001", "1.000001"),
            said("3.000001", "1.000001"),
            said("6.000001", "5.000001"),
        ],
        "users.json": [],
    }
    plays = export(archive(tmp_path / "export.zip", days), 2)
    assert [play.name for play in plays] == ["1.000001", "5.000001"]
    assert [line.ts for line in plays[0].lines] == ["1.000001", "2.000001", "3.000001", "4.000001"]


def test_threads_without_their_root_are_left_out(tmp_path: Path) -> None:
    """A reply whose root is not in the export is no thread that can be played."""
    days = {"general/2019-01-01.json": [said("2.000001", "1.000001"), said("3.000001")]}
    assert [play.name for play in export(archive(tmp_path / "export.zip", days), 9)] == ["3.000001"]


@pytest.mark.parametrize("content", [b"no zip", b""])
def test_what_is_no_export_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that is no export gives one sentence that says what an export is."""
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(Permanent, match="is no Slack export"):
        export(path, 1)


@pytest.mark.skipif(EXPORT is None, reason="left out: DISCUBOT_SLACK_EXPORT names no Slack export")
def test_a_real_export_is_read_whole() -> None:
    """All messages of a real export are in its threads, each once."""
    plays = export(Path(EXPORT or ""), 100_000)
    stamps = [line.ts for play in plays for line in play.lines]
    with zipfile.ZipFile(EXPORT or "") as file:
        days = [name for name in file.namelist() if name.endswith(".json") and "/" in name]
        there = {message["ts"] for day in days for message in json.loads(file.read(day))}
    assert len(stamps) == len(set(stamps))
    assert set(stamps) == there
