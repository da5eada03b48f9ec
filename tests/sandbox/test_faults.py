"""Faults: each kind does what it says, to the calls it is meant for, as often as asked."""

import time

import httpx2
import pytest

from .harness import CHANNEL, Json, Sandbox, paragraph, until


def arm(sandbox: Sandbox, kind: str, match: str = "POST /pages$", **more: object) -> str:
    """Ask for a Notion fault."""
    body: Json = {"service": "notion", "match": match, "kind": kind, **more}
    return str(sandbox.control("POST", "/faults", body)["id"])


def test_a_fault_strikes_as_often_as_asked(sandbox: Sandbox) -> None:
    """After the calls to let through it strikes so many times and is spent."""
    id = arm(sandbox, "status", status=500, times=2, after=1)
    assert [sandbox.create().status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    fault = sandbox.control("GET", "/faults")["faults"][0]
    assert (fault["id"], fault["struck"], fault["spent"]) == (id, 2, True)


def test_a_fault_without_end_stays_until_removed(sandbox: Sandbox) -> None:
    """With times null it strikes every call until it is deleted."""
    id = arm(sandbox, "status", status=409, times=None)
    assert {sandbox.create().status_code for _ in range(4)} == {409}
    sandbox.control("DELETE", f"/faults/{id}")
    assert sandbox.create().status_code == 200
    assert sandbox.http.delete(f"/sandbox/faults/{id}").status_code == 404


def test_only_matching_calls_suffer(sandbox: Sandbox) -> None:
    """Other paths, verbs and services are not touched."""
    arm(sandbox, "html", times=None)
    assert sandbox.notion("GET", "/users/me").status_code == 200 and sandbox.slack("auth.test")["ok"]
    answer = sandbox.create()
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"status": 529}, 529, "service_overload"), ({"status": 409}, 409, "conflict_error"),
        ({"status": 504}, 504, "gateway_timeout"),
        ({"status": 503, "error": "database_connection_unavailable"}, 503, "database_connection_unavailable"),
    ],
)  # fmt: skip
def test_statuses_carry_notions_codes(sandbox: Sandbox, more: Json, status: int, code: str) -> None:
    """A status comes with the code that Notion gives it, or the one asked for."""
    arm(sandbox, "status", **more)
    answer = sandbox.create()
    assert (answer.status_code, answer.json()["code"]) == (status, code) and sandbox.pages() == []


def test_limits_say_how_long_to_wait(sandbox: Sandbox) -> None:
    """A rate limit has its wait in header and body; a blocked one has none."""
    arm(sandbox, "ratelimit", retry_after=90, error="public_api_space_request_rate_limit")
    arm(sandbox, "blocked_429")
    limited, blocked = sandbox.create(), sandbox.create()
    assert limited.headers["retry-after"] == "90"
    assert limited.json()["additional_data"] == {
        "rate_limit_reason": "public_api_space_request_rate_limit",
        "retry_after": "90",
    }
    assert blocked.json()["additional_data"] == {"rate_limit_reason": "public_api_request_blocked"}
    assert "retry-after" not in blocked.headers


def test_a_dropped_connection_is_no_answer(sandbox: Sandbox) -> None:
    """drop_before does nothing and drop_after everything, and both close the connection without an answer."""
    arm(sandbox, "drop_before")
    arm(sandbox, "drop_after")
    for stored in (0, 1):
        with pytest.raises(httpx2.RemoteProtocolError):
            sandbox.create()
        assert len(sandbox.pages()) == stored
    log = sandbox.control("GET", "/log?service=notion")["calls"]
    assert [(c["status"], c["error"]) for c in log] == [(0, "dropped"), (0, "dropped")]


def test_saved_503_names_what_was_saved(sandbox: Sandbox) -> None:
    """The page exists although the answer is 503, and the answer says which."""
    arm(sandbox, "saved_503")
    answer = sandbox.create("Saved")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.json()["additional_data"]["committed_resource_id"] == sandbox.pages()[0]["id"]


def test_saved_503_of_an_append_names_parent_and_children(sandbox: Sandbox) -> None:
    """For blocks it is the parent and the new blocks."""
    page = sandbox.create().json()["id"]
    arm(sandbox, "saved_503", match="PATCH /blocks/")
    answer = sandbox.notion("PATCH", f"/blocks/{page}/children", {"children": [paragraph()]})
    more = answer.json()["additional_data"]
    children = sandbox.notion("GET", f"/blocks/{page}/children").json()["results"]
    assert (more["committed_resource_id"], more["committed_child_ids"]) == (page, [children[0]["id"]])


def test_saved_503_silent_says_nothing(sandbox: Sandbox) -> None:
    """The page exists and the answer does not tell."""
    arm(sandbox, "saved_503_silent")
    answer = sandbox.create()
    assert answer.status_code == 503 and "additional_data" not in answer.json() and len(sandbox.pages()) == 1


def test_a_refused_write_is_not_said_to_be_saved(sandbox: Sandbox) -> None:
    """When the call itself is refused, its own error comes through."""
    arm(sandbox, "saved_503")
    assert sandbox.create(Nope={"checkbox": True}).status_code == 400


def test_slow_calls_are_carried_out_late(sandbox: Sandbox) -> None:
    """A client that gives up first may still find its page afterwards."""
    arm(sandbox, "slow", seconds=0.3)
    started = time.monotonic()
    with pytest.raises(httpx2.ReadTimeout):
        sandbox.http.post(
            "/notion/v1/pages", timeout=0.05, headers={"Authorization": f"Bearer {sandbox.notion_token}",
            "Notion-Version": "2025-09-03"},
            json={"parent": {"database_id": sandbox.database}, "properties": {}},
        )  # fmt: skip
    assert sandbox.pages() == []
    until(sandbox.pages)
    assert time.monotonic() - started >= 0.3


def test_a_service_that_is_down_answers_html(sandbox: Sandbox) -> None:
    """While down every call gets 502 as HTML; the other service lives; faults are not used up."""
    id = arm(sandbox, "status", status=500)
    sandbox.control("PUT", "/services/notion", {"down": True})
    answer = sandbox.create()
    assert answer.status_code == 502 and answer.text.startswith("<!DOCTYPE html>")
    assert sandbox.slack("auth.test")["ok"]
    sandbox.control("PUT", "/services/notion", {"down": False})
    assert sandbox.create().status_code == 500 and id


def test_slack_errors_stay_with_200(sandbox: Sandbox) -> None:
    """Slack's application errors come with HTTP 200, outages as HTML, limits as 429."""
    for more in (
        {"kind": "error", "error": "fatal_error"},
        {"kind": "ratelimit", "retry_after": 3},
        {"kind": "saved_503_silent"},
    ):
        sandbox.control("POST", "/faults", {"service": "slack", "match": "chat.postMessage", **more})
    answers = [sandbox.slack_raw("chat.postMessage", channel=CHANNEL, text="x") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 429, 503]
    assert answers[0].json() == {"ok": False, "error": "fatal_error"} and answers[1].headers["retry-after"] == "3"
    assert len(sandbox.slack("conversations.history", channel=CHANNEL)["messages"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"service": "notion", "kind": "explode"}, {"service": "jira", "kind": "html"},
        {"service": "slack", "kind": "saved_503"}, {"service": "notion", "kind": "status", "match": "("},
        {"service": "slack", "kind": "error"}, {"service": "slack", "kind": "html", "often": 3},
    ],
)  # fmt: skip
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox, body: Json) -> None:
    """Unknown kinds, services, keys and broken patterns are 422."""
    assert sandbox.http.post("/sandbox/faults", json=body).status_code == 422
