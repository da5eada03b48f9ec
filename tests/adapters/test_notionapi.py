"""What Notion's answers mean: verdicts, paging, pacing, silence."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest

from discubot_pipeline.adapters.notion import NotionTracker
from discubot_pipeline.adapters.notionapi import body_of, refusal, verdict
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_space import Workspace, workspace
from tests.adapters.tracker_conformance import BEN, long_ago, make_draft, make_message


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a workspace whose database has a place for everything."""
    with workspace(sandbox) as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ({"kind": "html", "status": 502}, Unanswered, "no_answer"),
        ({"kind": "saved_503_silent"}, Unanswered, "no_answer"),
        ({"kind": "status", "status": 500}, Unanswered, "no_answer"),
        ({"kind": "status", "status": 504}, Unanswered, "no_answer"),
        ({"kind": "drop_before"}, Unanswered, "no_answer"),
        ({"kind": "status", "status": 529}, Transient, "rate_limited"),
        ({"kind": "status", "status": 409}, Transient, "conflict"),
        ({"kind": "blocked_429"}, Permanent, "blocked"),
        ({"kind": "status", "status": 403}, Permanent, "forbidden"),
    ],
)
def test_verdicts_on_writing(space: Workspace, fault: dict[str, Any], error: type[Exception], reason: str) -> None:
    """What Notion answers to a creation becomes the right verdict."""
    space.fault("^POST /pages$", **fault)
    with pytest.raises(error) as refused:
        space.tracker().create(make_draft())
    assert type(refused.value) is error
    assert getattr(refused.value, "reason", None) == reason


@pytest.mark.parametrize(
    "fault", [{"kind": "html", "status": 502}, {"kind": "status", "status": 503}, {"kind": "drop_after"}]
)
@pytest.mark.parametrize("match", ["^GET /databases", "^GET /data_sources", "/query$"])
def test_verdicts_on_reading(space: Workspace, match: str, fault: dict[str, Any]) -> None:
    """A reading that fails may simply be done again: nothing is unknown."""
    space.fault(match, **fault)
    with pytest.raises(Transient, match="notion_down") as refused:
        space.tracker().find(make_draft(), long_ago())
    assert type(refused.value) is Transient


def test_unreachable(space: Workspace) -> None:
    """A Notion that nobody answers for was never asked."""
    with NotionTracker(space.output(), "http://127.0.0.1:9") as tracker:
        with pytest.raises(Transient, match="unreachable") as refused:
            tracker.create(make_draft())
        assert type(refused.value) is Transient


def test_pace(space: Workspace) -> None:
    """Every call waits for its turn."""
    turns: list[None] = []
    space.tracker(pace=lambda: turns.append(None)).create(make_draft())
    assert len(turns) == len(space.calls()) >= 4


def test_nothing_in_the_logs(space: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor words of the thread are logged, at any level."""
    caplog.set_level(logging.DEBUG)
    draft, tracker = make_draft([make_message(1, "confidential", author=BEN)]), space.tracker()
    tracker.complete(tracker.create(draft)[0], draft)
    assert caplog.records
    assert "confidential" not in caplog.text
    assert space.token not in caplog.text


@pytest.mark.parametrize("content", [b"<html>502</html>", b"", b"[1]", b"\xff", b'"text"'])
def test_bodies_without_object(content: bytes) -> None:
    """Whatever is no JSON object is read as nothing."""
    assert body_of(httpx.Response(502, content=content)) == {}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, {}, "no_answer"),
        (302, {}, "refused"),
        (400, {"code": "missing_version", "message": "m"}, "validation"),
        (405, {}, "refused"),
        (409, {"code": "row_limit_exceeded"}, "refused"),
        (413, {}, "validation"),
        (503, {"additional_data": {"committed_resource_id": None}}, "no_answer"),
        (503, {"additional_data": "text"}, "no_answer"),
    ],
)
def test_rarer_verdicts(status: int, body: dict[str, Any], reason: str) -> None:
    """Answers that the sandbox does not give have their verdicts too."""
    assert verdict(status, body).reason == reason


def test_long_message() -> None:
    """Of a message of Notion's only the beginning is kept."""
    assert len(verdict(400, {"message": "x" * 9999}).message) < 600


@pytest.mark.parametrize(
    ("header", "told", "pause"),
    [
        ({}, "12", timedelta(seconds=12)),
        ({"retry-after": "3"}, "12", None),
        ({}, "soon", None),
        ({}, None, None),
    ],
)
def test_pause_in_the_body(header: dict[str, str], told: str | None, pause: timedelta | None) -> None:
    """Where no header names the pause, the body does."""
    response = httpx.Response(429, headers=header, json={"additional_data": {"retry_after": told}})
    found = refusal(response)
    assert (found.retry_after if isinstance(found, Transient) else None) == pause
