"""Notion's comments and webhooks: who may read, what is told to whom, how it is signed, when it is tried again."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from .harness import Json, Receiver, Sandbox, rich, until

BOTH = ["comment.created", "page.properties_updated"]


@pytest.fixture
def page(sandbox: Sandbox) -> str:
    """Give the document that people comment on."""
    return str(sandbox.defaults["notion"]["page_id"])


def comment(sandbox: Sandbox, **given: Any) -> Json:
    """Let a person comment."""
    found: Json = sandbox.control("POST", "/notion/comments", {"text": "Hello"} | given)
    return found


def attempts(sandbox: Sandbox, event_id: str, count: int) -> list[Json]:
    """Wait until so many attempts of an event are recorded and no more are due."""

    def done() -> Any:
        found = sandbox.control("GET", f"/notion/deliveries?event_id={event_id}")
        return found["deliveries"] if found["pending"] == 0 and len(found["deliveries"]) >= count else None

    found: list[Json] = until(done)
    return found


def test_a_comment_is_read_as_it_was_written(sandbox: Sandbox, page: str) -> None:
    """Person and bot write in one discussion; both are listed in their order, and found by id."""
    first = comment(sandbox, page_id=page)
    answer = {"discussion_id": first["discussion_id"], "rich_text": rich("Hi")}
    second = sandbox.notion("POST", "/comments", answer).json()
    listed = sandbox.notion("GET", f"/comments?block_id={page}").json()["results"]
    assert [one["rich_text"][0]["plain_text"] for one in listed] == ["Hello", "Hi"]
    assert listed[1] == {key: value for key, value in second.items() if key != "request_id"}
    assert second["parent"] == {"type": "page_id", "page_id": page}
    assert second["created_by"]["id"] == sandbox.defaults["notion"]["bot_id"]
    assert sandbox.notion("GET", f"/comments/{second['id']}").json()["discussion_id"] == first["discussion_id"]


def test_comments_come_in_pages(sandbox: Sandbox, page: str) -> None:
    """A cursor leads to the next page."""
    sandbox.control("POST", "/notion/comments/bulk", [{"page_id": page, "text": str(n)} for n in range(5)])
    first = sandbox.notion("GET", f"/comments?block_id={page}&page_size=3").json()
    rest = sandbox.notion("GET", f"/comments?block_id={page}&start_cursor={first['next_cursor']}").json()
    assert [len(first["results"]), len(rest["results"])] == [3, 2]


def test_a_blocks_comments_are_its_own(sandbox: Sandbox, page: str) -> None:
    """Those of a block are not listed with those of its page."""
    block = sandbox.control("GET", f"/notion/pages/{page}")["blocks"][0]["id"]
    made = comment(sandbox, block_id=block)
    assert sandbox.notion("GET", f"/comments?block_id={page}").json()["results"] == []
    [found] = sandbox.notion("GET", f"/comments?block_id={block}").json()["results"]
    assert (found["id"], found["parent"]) == (made["id"], {"type": "block_id", "block_id": block})


def test_resolved_and_late_comments_are_not_listed(sandbox: Sandbox, page: str) -> None:
    """A resolved discussion is not listed but found by id; what lags is neither."""
    made = comment(sandbox, page_id=page)
    sandbox.control("POST", f"/notion/discussions/{made['discussion_id']}/resolve")
    assert sandbox.notion("GET", f"/comments?block_id={page}").json()["results"] == []
    assert sandbox.notion("GET", f"/comments/{made['id']}").status_code == 200
    sandbox.control("PUT", "/notion/limits", {"comment_lag_seconds": 100})
    assert sandbox.notion("GET", f"/comments/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("lacks", "verb", "path", "body"),
    [
        ("read_comments", "GET", "/comments?block_id={page}", None),
        ("insert_comments", "POST", "/comments", {"parent": {"page_id": "{page}"}, "rich_text": []}),
        ("read_users", "GET", "/users", None),
        ("read_content", "GET", "/blocks/{page}/children", None),
    ],
)
def test_a_capability_is_needed(sandbox: Sandbox, lacks: str, verb: str, path: str, body: Any) -> None:
    """Without it Notion answers 403."""
    every = {"read_comments", "insert_comments", "read_users", "read_content"}
    made = sandbox.control("POST", "/notion/integrations", {"capabilities": sorted(every - {lacks})})
    document = sandbox.control("POST", "/notion/documents", {"title": "x", "tokens": [made["token"]]})["page_id"]
    answer = sandbox.notion(verb, path.format(page=document), body, token=made["token"])
    assert (answer.status_code, answer.json()["code"]) == (403, "restricted_resource")


def test_a_page_that_is_not_shared_has_no_comments(sandbox: Sandbox, page: str) -> None:
    """Another connection finds neither the page nor the comment, nor may it listen."""
    made, stranger = comment(sandbox, page_id=page), sandbox.control("POST", "/notion/integrations", {})["token"]
    for path in (f"/comments?block_id={page}", f"/comments/{made['id']}"):
        assert sandbox.notion("GET", path, token=stranger).status_code == 404


def test_nothing_is_sent_before_the_token_is_entered(sandbox: Sandbox, listener: Receiver, page: str) -> None:
    """A wrong token is refused; the right one opens the way."""
    new = {"token": sandbox.notion_token, "url": listener.url}
    made = sandbox.control("POST", "/notion/subscriptions", new)
    assert comment(sandbox, page_id=page)["event_ids"] == []
    path = f"/sandbox/notion/subscriptions/{made['id']}/verify"
    assert sandbox.http.post(path, json={"verification_token": "secret_wrong"}).status_code == 422
    assert sandbox.http.post(path, json={"verification_token": made["verification_token"]}).status_code == 200
    assert len(comment(sandbox, page_id=page)["event_ids"]) == 1


def test_a_comment_is_told_signed(sandbox: Sandbox, listener: Receiver, subscription: Json, page: str) -> None:
    """The event names the comment, its page and its writer, and holds no word of it; the signature is of the body."""
    made = comment(sandbox, page_id=page)
    headers, body = listener.requests.get(timeout=10)
    right = hmac.new(subscription["verification_token"].encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-notion-signature"] == f"sha256={right}"
    event = json.loads(body)
    assert (event["type"], event["entity"]) == ("comment.created", {"id": made["id"], "type": "comment"})
    assert event["data"] == {"page_id": page, "parent": {"id": page, "type": "page"}}
    assert event["authors"] == [{"id": made["user"], "type": "person"}]
    assert (event["id"], event["attempt_number"]) == (made["event_ids"][0], 1)
    assert b"Hello" not in body


def test_the_bots_own_comment_is_told_too(sandbox: Sandbox, listener: Receiver, subscription: Json, page: str) -> None:
    """Its author is a bot."""
    sandbox.notion("POST", "/comments", {"parent": {"page_id": page}, "rich_text": rich("Hi")})
    assert listener.next()[1]["authors"] == [{"id": sandbox.defaults["notion"]["bot_id"], "type": "bot"}]


@pytest.mark.parametrize("by", ["person", "bot"])
def test_a_changed_status_is_told(sandbox: Sandbox, listener: Receiver, subscription: Json, by: str) -> None:
    """Whether a person drags the card or a program sets the property: which property, not to what."""
    card = sandbox.create("Fix it").json()
    change = {"properties": {"Status": {"status": {"name": "Done"}}}}
    if by == "person":
        sandbox.control("PATCH", f"/notion/pages/{card['id']}", change)
    else:
        sandbox.notion("PATCH", f"/pages/{card['id']}", change)
    event = listener.next()[1]
    assert (event["type"], event["entity"]) == ("page.properties_updated", {"id": card["id"], "type": "page"})
    assert event["authors"][0]["type"] == by
    assert event["data"]["updated_properties"] == [card["properties"]["Status"]["id"]]
    assert "Done" not in json.dumps(event)


def test_only_what_was_subscribed_to_is_sent(sandbox: Sandbox, subscription: Json, page: str) -> None:
    """A subscription names its types of events."""
    path = f"/notion/subscriptions/{subscription['id']}"
    sandbox.control("PATCH", path, {"types": ["page.properties_updated"]})
    assert comment(sandbox, page_id=page)["event_ids"] == []


def test_what_is_not_taken_is_sent_again(sandbox: Sandbox, listener: Receiver, subscription: Json, page: str) -> None:
    """With the same id, the number of the attempt in it, and a signature of its own."""
    listener.answer(500)
    listener.answer(401)
    event = comment(sandbox, page_id=page)["event_ids"][0]
    found = [listener.next()[1] for _ in range(3)]
    assert [one["attempt_number"] for one in found] == [1, 2, 3]
    assert {one["id"] for one in found} == {event}
    assert [one["status"] for one in attempts(sandbox, event, 3)] == [500, 401, 200]


def test_any_request_can_be_sent(sandbox: Sandbox, listener: Receiver, subscription: Json, page: str) -> None:
    """An earlier event again, any body, any signature."""
    event = comment(sandbox, page_id=page)["event_ids"][0]
    first = listener.next()[1]
    again = {"subscription_id": subscription["id"], "redeliver": event}
    assert sandbox.control("POST", "/notion/events", again)["status"] == 200
    assert listener.next()[1] == first
    sandbox.control("POST", "/notion/events", {"subscription_id": subscription["id"], "raw": "x", "signature": "bad"})
    headers, body = listener.requests.get(timeout=10)
    assert (body, headers["x-notion-signature"]) == (b"x", "sha256=" + "0" * 64)
