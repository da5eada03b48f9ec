"""Makes tasks in a Notion database: the `Tracker` of one output. Built in `outside.py`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from discubot_pipeline.adapters.directory import Directory, Known, NobodyKnown, assignee
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.notionapi import PAGE_SIZE, Answer, Notion, Saved, ambiguous
from discubot_pipeline.adapters.page import Block, closing_text, first_batch, layout
from discubot_pipeline.adapters.schema import Maps, Schema, essentials, extras, read_schema, title_text
from discubot_pipeline.adapters.shelf import MemoryShelf, Shelf
from discubot_pipeline.adapters.standing import read_standing
from discubot_pipeline.domain.config import Output
from discubot_pipeline.domain.databases import database_id_of
from discubot_pipeline.domain.errors import Permanent, PipelineError, Unanswered
from discubot_pipeline.domain.task import Page, Standing
from discubot_pipeline.ports import Draft

API_URL = "https://api.notion.com"
VERSION = "2025-09-03"
"""The first version that knows data sources; an older one is spoken to in the old way."""
REFUSED = frozenset({"validation", "not_found"})
"""What Notion says to properties it does not take, and to people it does not know."""
CLOCK_GRAIN = timedelta(minutes=1)
"""Notion rounds the times of pages down to the minute."""


class Target(NamedTuple):
    """Where pages go: the parent to send, the path to query, and the properties."""

    parent: dict[str, str]
    path: str
    schema: Schema


class NotionTracker:
    """The tracker of one output. Use as a context manager, or call `close`."""

    def __init__(
        self,
        output: Output,
        base_url: str = API_URL,
        version: str = VERSION,
        pace: Pace = no_pace,
        known: Known | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._output = output
        self._known = known or NobodyKnown()
        self._notion = Notion(output.credentials.token.get_secret_value(), base_url, version, pace)
        self._shelf = shelf or MemoryShelf()
        self._people: Directory | None = None
        self._counts: dict[str, int] = {}

    def find(self, draft: Draft, since: datetime) -> Page | None:
        """Look for a draft's page: by key, else by title among what this connection made since then."""
        target = self._resolve()
        key = target.schema.key
        if key is not None:
            wanted: Answer = {"property": key.id, "rich_text": {"equals": draft.key}}
            return next(self._query(target, wanted), None)
        start = since.astimezone(UTC) - CLOCK_GRAIN
        wanted = {
            "and": [
                {"property": target.schema.title.id, "title": {"equals": title_text(draft)}},
                {"timestamp": "created_time", "created_time": {"on_or_after": start.isoformat()}},
            ]
        }
        return next(self._query(target, wanted, own=True), None)

    def create(self, draft: Draft) -> tuple[Page, tuple[str, ...]]:
        """Make the page with its first blocks. Gives the page and the task's fields that could not be set."""
        blocks = first_batch(layout(draft))
        target = self._resolve()
        maps = Maps(self._output.field_map, self._output.value_map)
        filling = extras(target.schema, draft, partial(self._person, draft), maps)
        fixed = essentials(target.schema, draft)
        attempts = [filling, filling.without("assignee")] if "assignee" in filling.fields else [filling]
        for said in attempts:
            try:
                return self._post(target, fixed | said.properties, blocks), said.skipped
            except Permanent as error:
                if error.reason not in REFUSED or not filling.properties:
                    raise
        self._shelf.drop()
        target = self._resolve()
        return self._post(target, essentials(target.schema, draft), blocks), filling.fields + filling.skipped

    def complete(self, page: Page, draft: Draft) -> None:
        """Append the blocks that the page lacks; those it has are counted unless this instance wrote them."""
        blocks = layout(draft)
        count = self._counts.pop(page.id, None)
        if count is None:
            count = self._count(page, draft, len(blocks))
        while count < len(blocks):
            count = self._append(page, draft, blocks, count)
        self._counts[page.id] = count

    def standing(self, page_id: str) -> Standing | None:
        """Read how a page stands; None when it is in the trash."""
        return read_standing(self._notion, page_id)

    def close(self) -> None:
        """Close the connections."""
        self._notion.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _resolve(self) -> Target:
        kept = self._shelf.get()
        if kept is not None:
            return Target(kept["parent"], kept["path"], Schema.model_validate(kept["schema"]))
        target = resolve(self._notion, self._output)
        self._shelf.put({**target._asdict(), "schema": target.schema.model_dump(mode="json")})
        return target

    def _query(self, target: Target, wanted: Answer, own: bool = False) -> Iterator[Page]:
        """Give the pages that a filter lets through, newest first; `own`: only what this connection made."""
        newest = {"timestamp": "created_time", "direction": "descending"}
        body = {"filter": wanted, "sorts": [newest], "page_size": PAGE_SIZE}
        found = self._notion.read("POST", f"{target.path}/query", json=body).get("results", ())
        me = self._notion.read("GET", "/v1/users/me").get("id") if own and found else None
        for page in found:
            if not page.get("in_trash") and (me is None or page.get("created_by", {}).get("id") == me):
                yield page_of(page)

    def _post(self, target: Target, properties: Answer, blocks: list[Block]) -> Page:
        body = {"parent": target.parent, "properties": properties, "children": blocks}
        try:
            page = page_of(self._notion.write("POST", "/v1/pages", body))
        except Saved as saved:
            return self._confirm(saved)
        self._counts[page.id] = len(blocks)
        return page

    def _confirm(self, saved: Saved) -> Page:
        try:
            return page_of(self._notion.read("GET", f"/v1/pages/{saved.resource_id}"))
        except PipelineError as error:
            raise saved from error

    def _append(self, page: Page, draft: Draft, blocks: Sequence[Block], count: int) -> int:
        """Append one request's worth of blocks and give how many the page has now."""
        batch = first_batch(blocks[count:])
        try:
            self._notion.write("PATCH", f"/v1/blocks/{page.id}/children", {"children": batch})
        except Saved:
            return count + len(batch)
        except Unanswered:
            seen = self._count(page, draft, len(blocks))
            if seen <= count:
                raise
            return seen
        return count + len(batch)

    def _count(self, page: Page, draft: Draft, whole: int) -> int:
        """Count a page's blocks; a page with the closing words is whole, whatever people took out of it."""
        count = 0
        for block in self._notion.items(f"/v1/blocks/{page.id}/children"):
            count += 1
            if plain_text(block, "paragraph") == closing_text(draft):
                return whole
        return count

    def _person(self, draft: Draft, name: str) -> str | None:
        return assignee(self._known, self._directory, name, draft)

    def _directory(self) -> Directory:
        if self._people is None:
            self._people = Directory(self._notion)
        return self._people


def resolve(notion: Notion, output: Output) -> Target:
    """Find where an output's pages go. Raises Permanent("ambiguous_data_source", …) rather than guess."""
    database_id = database_id_of(output.database_id)
    has_sources = notion.version >= VERSION
    if has_sources and output.data_source_id:
        return _source(notion, database_id_of(output.data_source_id))
    database = notion.read("GET", f"/v1/databases/{database_id}")
    if "data_sources" not in database:
        schema = read_schema(database.get("properties", {}))
        return Target({"database_id": database_id}, f"/v1/databases/{database_id}", schema)
    sources = database["data_sources"]
    if len(sources) > 1:
        raise ambiguous(f"{source.get('name')} ({source['id']})" for source in sources)
    if not sources:
        raise Permanent("not_found", "The database shows no data source: share it with the connection")
    return _source(notion, sources[0]["id"])


def page_of(answer: Answer) -> Page:
    """Read a page. Raises Unanswered when the answer shows none."""
    try:
        created_at = datetime.fromisoformat(answer["created_time"])
        return Page(id=answer["id"], url=answer["url"], created_at=created_at)
    except (KeyError, TypeError, ValueError) as error:
        raise Unanswered("no_answer", "Notion's answer shows no page") from error


def plain_text(block: Answer, kind: str) -> str | None:
    """Read the text of a block as Notion gives it back; None when it is of another kind."""
    content = block.get(kind)
    return "".join(element.get("plain_text", "") for element in content["rich_text"]) if content else None


def _source(notion: Notion, source_id: str) -> Target:
    source = notion.read("GET", f"/v1/data_sources/{source_id}")
    parent = {"type": "data_source_id", "data_source_id": source_id}
    return Target(parent, f"/v1/data_sources/{source_id}", read_schema(source.get("properties", {})))
