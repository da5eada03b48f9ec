"""Slack's workspace export: a ZIP of JSON files, one a channel and day. Read by backfills and by the demo.

Facts: https://slack.com/help/articles/220556107. One day is in memory at a time, and of a channel the places of its
threads; so an export may be larger than the machine's memory.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from discubot_pipeline.adapters.slackarchive import read
from discubot_pipeline.adapters.wire import storable
from discubot_pipeline.domain.backfill import Span
from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Listed

LARGEST_DAY = 256 * 1024 * 1024
DAYS_AT_HAND = 8
BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, NotImplementedError, EOFError, RecursionError)
MENTION = re.compile(r"<@([A-Z0-9]+)")
CONVERSATIONS = ("channels.json", "groups.json", "mpims.json", "dms.json")
MESSAGE: Final = (
    *("type", "subtype", "ts", "user", "text", "bot_id", "username", "bot_profile"),
    *("files", "attachments"),
)
PERSON: Final = ("id", "name", "real_name", "tz", "is_bot")
PROFILE: Final = ("display_name", "real_name", "email")
FIRST = "0"
"""The position before all threads of a channel."""


@dataclass
class Trail:
    """Where a thread is in an export: the days on which somebody wrote in it."""

    days: list[str] = field(default_factory=list)
    size: int = 0
    has_root: bool = False

    def grow(self, day: str, is_root: bool) -> None:
        """Note one more message."""
        self.size += 1
        self.has_root |= is_root
        if not self.days or self.days[-1] != day:
            self.days.append(day)


class SlackExport:
    """An export, and its `Archive`: places are the folders of its channels, the oldest thread comes first.

    `site` is the address of its workspace, which an export does not tell, for links. Close it after use.
    """

    def __init__(self, path: Path, site: str | None = None) -> None:
        self._site = site or ""
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            why = "it cannot be read" if isinstance(error, OSError) else "it is no ZIP file"
            raise Permanent(
                "bad_export", f"{path} is no Slack export (a ZIP of JSON files, one a channel and day): {why}"
            ) from error
        self._day = lru_cache(DAYS_AT_HAND)(self._read_day)

    def messages(self, day: str) -> list[dict[str, Any]]:
        """Read the messages of one day file. Raises Permanent where it is broken."""
        return self._day(day)

    @cached_property
    def days(self) -> dict[str, list[str]]:
        """List the day files of each channel's folder, in their order."""
        found: dict[str, list[str]] = {}
        for name in sorted(self._zip.namelist()):
            folder, _, file = name.rpartition("/")
            if folder and file.endswith(".json"):
                found.setdefault(folder, []).append(name)
        return found

    def places(self, named: Sequence[str]) -> list[str]:
        """Find the folders of channels by name or id; all of them where none is named."""
        if not named:
            return list(self.days)
        folders = {id: folder for folder, id in self._ids.items()} | {folder: folder for folder in self.days}
        wanted = [folders.get(name.removeprefix("#")) for name in named]
        unknown = [name for name, folder in zip(named, wanted, strict=True) if folder not in self.days]
        if unknown:
            raise Permanent("bad_place", f"{unknown[0]!r} is not in the export; there are: {', '.join(self.days)}")
        return [folder for folder in dict.fromkeys(wanted) if folder]

    def threads(self, place: str, span: Span, after: str | None = None) -> Iterator[Listed]:
        """List the threads with an answer whose root is there; before them, the days that cannot be read."""
        trails, broken = self._follow(place)
        if after is None:
            for day, why in broken.items():
                yield Listed(name=day, position=FIRST, began_at=None, found={"broken": why})
        for ts in sorted(trails, key=order):
            root, trail = read({"ts": ts}), trails[ts]
            is_new = after is None or order(ts) > order(after)
            if root and is_new and trail.has_root and trail.size > 1 and root.sent_at in span:
                found = {"place": place, "root": ts, "days": trail.days}
                yield Listed(name=f"{place}:{ts}", position=ts, began_at=root.sent_at, found=found)

    def arrival(self, listed: Listed, every: bool) -> Arrival:
        """Take the whole thread along, with the people in it: nothing is asked of Slack later."""
        if "broken" in listed.found:
            raise Permanent("malformed", str(listed.found["broken"]))
        root, days = str(listed.found["root"]), list(listed.found["days"])
        said = {message["ts"]: message for day in days for message in self.messages(day) if root_of(message) == root}
        thread = [said[ts] for ts in sorted(said, key=order)]
        channel = self._ids.get(str(listed.found["place"]), str(listed.found["place"]))
        imported = {
            "site": self._site,
            "messages": [only(message, MESSAGE) for message in thread],
            "people": {id: self._people[id] for id in mentioned(thread) if id in self._people},
        }
        payload = {"channel": channel, "ts": root, "thread_ts": root, "text": "", "imported": imported}
        thread_id = f"{channel}:{root}"
        return Arrival(delivery_key=f"backfill:{thread_id}", thread_id=thread_id, payload=storable(payload))

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @cached_property
    def _ids(self) -> dict[str, str]:
        """Give the channel's id of each folder; a direct conversation's folder is named by its id."""
        lists = [self._list(name) for name in CONVERSATIONS]
        return {str(one.get("name") or one["id"]): str(one["id"]) for known in lists for one in known if one.get("id")}

    @cached_property
    def _people(self) -> dict[str, dict[str, Any]]:
        people = {str(one["id"]): one for one in self._list("users.json") if one.get("id")}
        return {
            id: only(one, PERSON) | {"profile": only(one.get("profile") or {}, PROFILE)} for id, one in people.items()
        }

    def _follow(self, place: str) -> tuple[dict[str, Trail], dict[str, str]]:
        """Walk through a channel's days once, and note where its threads are; and which days are broken."""
        trails: dict[str, Trail] = {}
        broken: dict[str, str] = {}
        for day in self.days[place]:
            try:
                for message in self.messages(day):
                    trails.setdefault(root_of(message), Trail()).grow(day, root_of(message) == message["ts"])
            except Permanent as error:
                broken[day] = error.message
        return trails, broken

    def _read_day(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self._list(name) if each.get("type") == "message" and read(each)]

    def _list(self, name: str) -> list[dict[str, Any]]:
        """Read a file that is a list of objects; one that is not there has none."""
        try:
            if self._zip.getinfo(name).file_size > LARGEST_DAY:
                raise Permanent("too_large", f"{name} is too large for one day of a Slack export.")
            found = json.loads(self._zip.read(name))
        except KeyError:
            return []
        except BROKEN as error:
            raise Permanent("malformed", f"{name} is no JSON file of a Slack export.") from error
        if not isinstance(found, list):
            raise Permanent("malformed", f"{name} is no list.")
        return [each for each in found if isinstance(each, dict)]


def root_of(message: dict[str, Any]) -> str:
    """Name the thread that a message is in by the ts of its root."""
    return str(message.get("thread_ts") or message["ts"])


def order(ts: str) -> tuple[int, ...]:
    """Order ts as times."""
    return tuple(int(part) for part in ts.split(".") if part.isdecimal())


def only(raw: Any, names: Sequence[str]) -> dict[str, Any]:
    """Keep some fields of an object, where they hold something."""
    return {name: raw[name] for name in names if raw.get(name) is not None} if isinstance(raw, dict) else {}


def mentioned(thread: Sequence[dict[str, Any]]) -> set[str]:
    """Name who wrote in a thread and who is mentioned in it."""
    wrote = {str(message["user"]) for message in thread if message.get("user")}
    return wrote.union(*(MENTION.findall(str(message.get("text"))) for message in thread))
