"""What the stand-in of Notion remembers: connections, people, databases, pages, blocks. Changed by its API
and control.
"""

import re
import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from discubot_pipeline.sandbox.wire import Json

ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id() -> str:
    """Make a random id."""
    return str(uuid.uuid4())


def normal_id(value: object) -> str | None:
    """Return an id with dashes in lower case, null when it is none."""
    return str(uuid.UUID(value)) if isinstance(value, str) and ID.fullmatch(value) else None


@dataclass
class User:
    """A person of the workspace, or the bot of a connection."""

    id: str
    name: str
    email: str | None = None
    is_bot: bool = False


CAPABILITIES = frozenset({"read_content", "read_comments", "insert_comments", "read_users"})


@dataclass
class Integration:
    """A connection with its token, what it may do, and what it has used of its current window."""

    token: str
    bot_id: str
    name: str
    capabilities: frozenset[str] = CAPABILITIES
    window: int = 0
    used: int = 0


@dataclass
class Option:
    """A choice of a select, multi_select or status property."""

    id: str
    name: str
    color: str = "default"


@dataclass
class Property:
    """A column of a data source."""

    id: str
    name: str
    type: str
    options: list[Option] = field(default_factory=list)

    def option(self, wanted: Json) -> Option | None:
        """Find a choice by id or name."""
        key = "id" if "id" in wanted else "name"
        return next((o for o in self.options if getattr(o, key) == wanted[key]), None)


@dataclass
class DataSource:
    """A table inside a database."""

    id: str
    database_id: str
    name: str
    properties: dict[str, Property] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)

    def find(self, key: str) -> Property | None:
        """Find a column by name or id."""
        return self.properties.get(key) or next((p for p in self.properties.values() if p.id == key), None)


@dataclass
class Database:
    """A container of data sources, shared with some connections."""

    id: str
    title: str
    tokens: set[str]
    sources: list[str] = field(default_factory=list)
    created: float = field(default_factory=time.time)


@dataclass
class Block:
    """A block; `content` is what stands under its type, without children."""

    id: str
    parent: str
    type: str
    content: Json
    children: list[str] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    by: str = ""


@dataclass
class Page:
    """A page: a row of a data source, a page below another, or a document that is shared with `tokens` by itself.

    `values` are keyed by property id.
    """

    id: str
    by: str
    source_id: str | None = None
    parent_page: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    icon: Json | None = None
    cover: Json | None = None
    tokens: frozenset[str] = frozenset()
    in_trash: bool = False
    created: float = field(default_factory=time.time)
    edited: float = field(default_factory=time.time)
    edited_by: str = ""


@dataclass
class Comment:
    """A comment in a discussion on a page or block; a resolved discussion's are not listed any more."""

    id: str
    discussion_id: str
    parent: str
    by: str
    rich_text: list[Json]
    is_resolved: bool = False
    created: float = field(default_factory=time.time)


@dataclass(frozen=True)
class News:
    """Something that happened, for whoever has subscribed to it: what, to which thing on which page, by whom."""

    type: str
    entity: Json
    page_id: str
    by: str
    data: Json


@dataclass
class Limits:
    """What a test may turn: calls per window, window, lag of queries and comments behind writes, cap of a query."""

    requests: int = 180
    window_seconds: float = 60.0
    query_lag_seconds: float = 0.0
    comment_lag_seconds: float = 0.0
    query_cap: int = 10_000


class NotionState:
    """The whole workspace; `revision` grows with every visible change."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.limits = Limits()
        self.integrations: dict[str, Integration] = {}
        self.users: dict[str, User] = {}
        self.databases: dict[str, Database] = {}
        self.sources: dict[str, DataSource] = {}
        self.pages: dict[str, Page] = {}
        self.blocks: dict[str, Block] = {}
        self.comments: dict[str, Comment] = {}
        self.news: list[News] = []
        self.revision = 0

    def changed(self) -> None:
        """Note that a page which shows this state is out of date."""
        self.revision += 1

    def connect(self, name: str, token: str | None = None, bot_id: str | None = None) -> Integration:
        """Add a connection and its bot."""
        made = Integration(token or f"ntn_{secrets.token_hex(20)}", bot_id or new_id(), name)
        self.integrations[made.token] = made
        self.users[made.bot_id] = User(made.bot_id, name, is_bot=True)
        return made

    def url(self, id: str) -> str:
        """Return the address of a page or database, which opens in this sandbox."""
        return f"{self.base_url}/p/{id.replace('-', '')}"

    def database_of(self, page: Page) -> Database | None:
        """Return the database that a page is a row of, directly or through the page above it."""
        if page.source_id is not None:
            return self.databases[self.sources[page.source_id].database_id]
        above = self.pages.get(page.parent_page or "")
        return self.database_of(above) if above else None

    def root(self, block: Block) -> Page:
        """Return the page that a block is on."""
        above = self.blocks.get(block.parent)
        return self.root(above) if above else self.pages[block.parent]

    def sees(self, token: str, database: Database | None) -> bool:
        """Tell whether something in a database is shared with a connection."""
        return database is not None and token in database.tokens

    def shows(self, token: str, page: Page) -> bool:
        """Tell whether a page is shared with a connection, by itself, by its database or by the page above it."""
        above = self.pages.get(page.parent_page or "")
        if page.source_id is None and above is not None:
            return self.shows(token, above)
        return token in page.tokens or self.sees(token, self.database_of(page))

    def walk(self, children: list[str]) -> Iterator[Block]:
        """Go through blocks and all that is nested in them."""
        for id in children:
            block = self.blocks[id]
            yield block
            yield from self.walk(block.children)

    def rows(self, source: DataSource) -> list[Page]:
        """List the pages of a data source, trashed ones too."""
        return [self.pages[id] for id in source.pages]
