"""What the stand-in of Figma remembers: accounts with tokens, files, comments. Changed by its API and by control."""

import secrets
import string
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Literal

from discubot_pipeline.sandbox.wire import Json

RETRY_DELAYS = (300.0, 1800.0, 10800.0)
Seat = Literal["full", "view"]


@dataclass
class Account:
    """A person, or a bot, with an account."""

    id: str
    handle: str
    email: str


@dataclass
class Token:
    """A personal token of an account, or a plan's, which is nobody's; `per_minute` limits calls by their tier."""

    value: str
    account_id: str | None
    seat: Seat = "full"
    plan: str = "pro"
    per_minute: dict[int, int] = field(default_factory=dict)
    retry_after: int = 60
    calls: dict[int, deque[float]] = field(default_factory=dict)

    def spend(self, tier: int) -> bool:
        """Count a call of a tier; false when there have been too many of them in the last minute."""
        limit, now = self.per_minute.get(tier), time.monotonic()
        recent = self.calls.setdefault(tier, deque())
        while recent and now - recent[0] > 60:
            recent.popleft()
        if limit is not None and len(recent) >= limit:
            return False
        recent.append(now)
        return True


@dataclass
class Comment:
    """A comment; a reply where it has a parent. `mentions` are accounts by the name that stands in the message."""

    id: str
    account_id: str
    message: str
    created_at: datetime
    parent_id: str | None = None
    node_id: str | None = None
    order_id: str | None = None
    resolved_at: datetime | None = None
    reactions: list[tuple[str, str, datetime]] = field(default_factory=list)
    more: Json = field(default_factory=dict)


@dataclass
class File:
    """A file with its comments in the order in which they were made; a token needs its account among the members."""

    key: str
    name: str
    members: set[str]
    comments: dict[str, Comment] = field(default_factory=dict)

    def thread(self, root: str) -> Iterator[Comment]:
        """List a root and its replies."""
        return (c for c in self.comments.values() if root in (c.id, c.parent_id))


@dataclass
class Webhook:
    """A subscription to the comments of some files, or of all; a sparse one leaves out what holds nothing."""

    id: str
    endpoint: str
    passcode: str
    files: tuple[str, ...] | None = None
    is_sparse: bool = False
    retry_delays: tuple[float, ...] = RETRY_DELAYS

    def record(self) -> Json:
        """Describe the webhook."""
        return {"id": self.id, "endpoint": self.endpoint, "files": self.files, "is_sparse": self.is_sparse}


class FigmaState:
    """All accounts, files and webhooks; `revision` grows with every visible change."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        self.files: dict[str, File] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.revision = 0
        self.numbers = count(time.time_ns() // 1_000_000)  # no number comes twice, also not after a restart

    def add_account(self, handle: str, id: str | None = None) -> Account:
        """Make an account."""
        made = Account(id or str(8 * 10**17 + secrets.randbelow(10**17)), handle, f"{_slug(handle)}@acme.example")
        self.accounts[made.id] = made
        return made

    def add_token(self, account_id: str | None, value: str | None = None) -> Token:
        """Make a token of an account, or a plan's."""
        made = Token(value or f"figd_{secrets.token_hex(16)}", account_id)
        self.tokens[made.value] = made
        return made

    def add_file(self, name: str, members: set[str], key: str | None = None) -> File:
        """Make a file."""
        letters = string.ascii_letters + string.digits
        made = File(key or "".join(secrets.choice(letters) for _ in range(22)), name, members)
        self.files[made.key] = made
        return made

    def add_comment(
        self, file: File, account_id: str, message: str, *, parent_id: str | None = None,
        node_id: str | None = None, created_at: datetime | None = None,
    ) -> Comment:  # fmt: skip
        """Store a comment; only roots are numbered and pinned."""
        order = None if parent_id else str(1 + sum(c.parent_id is None for c in file.comments.values()))
        pin = None if parent_id else node_id or "1:2"
        at = created_at or datetime.now(UTC)
        made = Comment(str(next(self.numbers)), account_id, message, at, parent_id, pin, order)
        file.comments[made.id] = made
        self.revision += 1
        return made

    def mentioned(self, message: str) -> list[Account]:
        """List the accounts whose names stand in a message, the longest names first."""
        by_length = sorted(self.accounts.values(), key=lambda account: -len(account.handle))
        return [account for account in by_length if f"@{account.handle}".casefold() in message.casefold()]


def _slug(handle: str) -> str:
    return "".join(c for c in handle.lower().replace(" ", ".") if c.isalnum() or c == ".")
