"""What our client says to Notion and hears from it, compared with the types that Notion's own client declares."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.conftest import Sandbox
from tests.adapters.notion_comments import NotionHarness
from tests.adapters.notion_space import workspace
from tests.adapters.tracker_conformance import long_ago, make_draft
from tests.adapters.wiretap import Exchange, Wiretap
from tests.sandbox.sdk import declared, misfits, needs_node

pytestmark = needs_node
TYPES: dict[str, tuple[str | None, str]] = {
    "GET /users/me": (None, "UserObjectResponse"),
    "GET /users": (None, "ListUsersResponse"),
    "GET /pages/(?P<page_id>[^/]+)": (None, "PageObjectResponse"),
    "GET /comments": (None, "ListCommentsResponse"),
    "GET /comments/(?P<comment_id>[^/]+)": (None, "CommentObjectResponse"),
    "POST /comments": ("CreateCommentParameters", "CommentObjectResponse"),
    "GET /blocks/(?P<block_id>[^/]+)": (None, "BlockObjectResponse"),
    "GET /databases/(?P<database_id>[^/]+)": (None, "DatabaseObjectResponse"),
    "GET /data_sources/(?P<data_source_id>[^/]+)": (None, "DataSourceObjectResponse"),
    "POST /data_sources/(?P<data_source_id>[^/]+)/query": ("QueryDataSourceParameters", "QueryDataSourceResponse"),
    "POST /pages": ("CreatePageParameters", "PageObjectResponse"),
    "GET /blocks/(?P<block_id>[^/]+)/children": (None, "ListBlockChildrenResponse"),
    "PATCH /blocks/(?P<block_id>[^/]+)/children": ("AppendBlockChildrenParameters", "AppendBlockChildrenResponse"),
}
"""Each call that our client makes: the type of what it sends, and of what it gets."""


@pytest.fixture
def tap(sandbox: Sandbox) -> Iterator[Wiretap]:
    """Lay a line to the sandbox."""
    tap = Wiretap(sandbox.url)
    yield tap
    tap.close()


def typed(exchange: Exchange) -> tuple[str, list[tuple[str, Any]]]:
    """Say which call an exchange is, and put the types to its two sides."""
    line = f"{exchange.verb} {exchange.path.removeprefix('/notion/v1')}"
    known, found = next((known, found) for known in TYPES if (found := re.fullmatch(known, line)))
    sent, got = TYPES[known]
    answer = (got, declared(exchange.heard))
    return known, [answer] if sent is None else [(sent, exchange.said | found.groupdict()), answer]


def misfit(tap: Wiretap, folder: Path) -> tuple[set[str], str]:
    """Say which calls were made, and what the compiler has against them."""
    calls = [typed(exchange) for exchange in tap.under("/notion/v1")]
    return {call for call, _ in calls}, misfits(
        "@notionhq/client", [pair for _, pairs in calls for pair in pairs], folder
    )


def test_tasks_are_written_in_declared_types(tap: Wiretap, tmp_path: Path) -> None:
    """A task with a long thread is looked for, written and completed with nothing that Notion does not declare."""
    draft = make_draft(250)
    with workspace(Sandbox(tap.url)) as space:
        assert space.tracker().find(draft, long_ago()) is None
        page, skipped = space.tracker().create(draft)
        space.tracker().complete(page, draft)
        assert space.tracker().find(draft, long_ago()) == page and skipped == ()
    calls, wrong = misfit(tap, tmp_path)
    assert "PATCH /blocks/(?P<block_id>[^/]+)/children" in calls and wrong == ""


def test_tasks_without_a_key_are_found_in_declared_types(tap: Wiretap, tmp_path: Path) -> None:
    """So is one in a database with nothing but a title, where it is looked for by that and its time."""
    draft = make_draft()
    with workspace(Sandbox(tap.url), properties={}) as space:
        page, _ = space.tracker().create(draft)
        assert space.tracker().find(draft, long_ago()) == page
    calls, wrong = misfit(tap, tmp_path)
    assert "GET /users/me" in calls and wrong == ""


def test_discussions_are_read_and_answered_in_declared_types(tap: Wiretap, tmp_path: Path) -> None:
    """A discussion on a block of a page is read with its people, and answered once."""
    page = NotionHarness(Sandbox(tap.url))
    block = page.sandbox.control("GET", f"/notion/pages/{page.page}")["blocks"][0]["id"]
    thread = page.thread("One", "Two", block_id=block)
    assert len(page.source.fetch(thread, ()).messages) == 2
    page.source.reply(thread, "Done: one task", "k-1", is_retry=True)
    assert page.answers(thread) == ["Done: one task"]
    page.close()
    calls, wrong = misfit(tap, tmp_path)
    assert {"GET /comments", "POST /comments"} <= calls and wrong == ""
