"""A Notion connection with one database of its own in the sandbox: the rig of the Notion tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from discubot_pipeline.adapters.http import no_pace
from discubot_pipeline.adapters.notion import NotionTracker
from discubot_pipeline.domain.config import NotionCredentials, Output
from discubot_pipeline.domain.task import Page
from tests.adapters.conftest import Sandbox

OLD, MIDDLE, NEWEST = "2022-06-28", "2025-09-03", "2026-03-11"
COLUMNS: dict[str, Any] = {
    "Status": {"type": "status", "options": ["To do", "Done"]},
    "Priority": {"type": "select", "options": ["High", "Medium", "Low"]},
    "Type": {"type": "select", "options": ["Bug", "Feature"]},
    "Assignee": "people",
    "Due date": "date",
    "Tags": "multi_select",
    "Source": "url",
    "Discubot key": "rich_text",
}


@dataclass
class Workspace:
    """A connection with one database of its own in the sandbox."""

    sandbox: Sandbox
    token: str
    database: dict[str, Any]
    version: str = MIDDLE
    opened: list[NotionTracker] = field(default_factory=list)

    def output(self, **changes: Any) -> Output:
        """Describe the database as an output."""
        known: dict[str, Any] = {
            **{name: uuid4() for name in ("id", "team_id", "source_config_id")},
            "name": "Tasks",
            "database_id": self.database["database_id"],
            "data_source_id": None,
            "credentials": NotionCredentials(token=SecretStr(self.token)),
        }
        return Output(**(known | changes))

    def tracker(self, pace: Callable[[], None] = no_pace, **changes: Any) -> NotionTracker:
        """Open a tracker; changes are to its output."""
        made = NotionTracker(self.output(**changes), f"{self.sandbox.url}/notion", self.version, pace)
        self.opened.append(made)
        return made

    def by(self, token: str) -> NotionTracker:
        """Open a tracker of the same database with another token."""
        return self.tracker(credentials=NotionCredentials(token=SecretStr(token)))

    def stranger(self) -> NotionTracker:
        """Open a tracker whose token is refused."""
        return self.by("ntn_wrong")

    def fault(self, match: str, kind: str, **more: Any) -> None:
        """Arm a fault until the end of the test."""
        self.sandbox.control("POST", "/faults", {"service": "notion", "match": match, "kind": kind, **more})

    def lose_answer(self) -> None:
        """Close the connection after the next page was made."""
        self.fault("^POST /pages$", "drop_after")

    def break_append(self, after: int) -> None:
        """Answer 500 to every append but the first so many."""
        self.fault("^PATCH /blocks", "status", status=500, times=None, after=after)

    def mend(self) -> None:
        """Take all faults away."""
        self.sandbox.control("DELETE", "/faults")

    def ask_for_pause(self, seconds: int) -> None:
        """Answer 429 to the next creation."""
        self.fault("^POST /pages$", "ratelimit", retry_after=seconds)

    def pages(self) -> list[dict[str, Any]]:
        """List the database's pages with plain values."""
        path = f"/notion/pages?database_id={self.database['database_id']}"
        found: list[dict[str, Any]] = self.sandbox.control("GET", path)["pages"]
        return found

    def page_count(self) -> int:
        """Count the database's pages."""
        return len(self.pages())

    def texts(self, page: Page) -> list[str]:
        """Read the text of a page's blocks."""
        blocks = self.sandbox.control("GET", f"/notion/pages/{page.id}")["blocks"]
        return ["".join(t["plain_text"] for t in b[b["type"]].get("rich_text", ())) for b in blocks]

    def calls(self) -> list[str]:
        """List this connection's calls, as in `GET /users 200`."""
        log = self.sandbox.control("GET", "/log?service=notion")["calls"]
        mine = [call for call in log if call["token"] == self.token[-4:]]
        return [f"{call['method']} {call['path']} {call['status']}" for call in mine]


@contextmanager
def workspace(sandbox: Sandbox, version: str = MIDDLE, **database: Any) -> Iterator[Workspace]:
    """Make a connection and its database, and take faults away afterwards; changes are to the database."""
    token = sandbox.control("POST", "/notion/integrations", {"name": "Tests"})["token"]
    wanted = {"tokens": [token], "title_property": "Task", "properties": COLUMNS} | database
    made = Workspace(sandbox, token, sandbox.control("POST", "/notion/databases", wanted), version)
    try:
        yield made
    finally:
        made.mend()
        for tracker in made.opened:
            tracker.close()
