"""Threads for the demo to play: our own samples, or those of a Slack export. Called by `demo`."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discubot_pipeline.adapters.slackexport import SlackExport, root_of

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
    with closing(SlackExport(path)) as archive:
        said = (message for days in archive.days.values() for day in days for message in archive.messages(day))
        once = {message["ts"]: message for message in said if message.get("user")}
    for message in once.values():
        threads.setdefault(root_of(message), []).append(message)
    whole = {root: said for root, said in threads.items() if any(each["ts"] == root for each in said)}
    longest = sorted(whole.items(), key=lambda item: (-len(item[1]), item[0]))[:count]
    return [
        Play(
            root,
            tuple(Line(m["user"], m.get("text", ""), m["ts"]) for m in sorted(said, key=lambda m: m["ts"])),
        )
        for root, said in longest
    ]
