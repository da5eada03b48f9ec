"""Threads for the demo to play: our own samples, or those of a Slack export. Called by `demo`."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discubot_pipeline.domain.errors import Permanent

SAMPLES = Path(__file__).with_name("samples.json")


@dataclass(frozen=True)
class Line:
    """One message: `ts` only where it comes from an export."""

    user: str
    text: str
    ts: str | None = None


@dataclass(frozen=True)
class Play:
    """A thread to play. Where the last line does not mention the bot, a bare mention follows it."""

    name: str
    lines: tuple[Line, ...]


def samples(bot: str) -> list[Play]:
    """Give our own sample threads, with the bot's id in their mentions."""
    plays = json.loads(SAMPLES.read_text())
    return [
        Play(
            play["name"],
            tuple(Line(user, text.replace("<@UDISCUBOT>", f"<@{bot}>")) for user, text in play["messages"]),
        )
        for play in plays
    ]


def export(path: Path, count: int) -> list[Play]:
    """Give the threads of a Slack export with the most messages, the longest first."""
    threads: dict[str, list[dict[str, Any]]] = {}
    for message in messages_of(path):
        if message.get("type") == "message" and message.get("user") and message.get("ts"):
            threads.setdefault(message.get("thread_ts") or message["ts"], []).append(message)
    whole = {root: said for root, said in threads.items() if any(each["ts"] == root for each in said)}
    longest = sorted(whole.items(), key=lambda item: (-len(item[1]), item[0]))[:count]
    return [
        Play(
            root,
            tuple(Line(m["user"], m.get("text", ""), m["ts"]) for m in sorted(said, key=lambda m: m["ts"])),
        )
        for root, said in longest
    ]


def messages_of(path: Path) -> list[dict[str, Any]]:
    """Read all day files of an export (`channel/2019-01-31.json`), each message once."""
    try:
        with zipfile.ZipFile(path) as archive:
            days = [name for name in archive.namelist() if name.endswith(".json") and "/" in name]
            found = [message for day in sorted(days) for message in json.loads(archive.read(day))]
    except (zipfile.BadZipFile, ValueError) as error:
        raise Permanent(
            "malformed", f"{path} is no Slack export (a ZIP of JSON files, one a channel and day)"
        ) from error
    return list({message.get("ts"): message for message in found if isinstance(message, dict)}.values())
