"""Slack's events: which are sent, how they are signed, when they are tried again."""

import hashlib
import hmac
import json
import threading
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier

from .harness import BOT, CHANNEL, TEAM, Json, Receiver, Sandbox, until

HELLO = f"<@{BOT}> make tasks &amp; reply"


def subscribe(sandbox: Sandbox, *events: str) -> None:
    """Subscribe the default workspace's app to events."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"subscribe": list(events)})


def attempts(sandbox: Sandbox, count: int) -> list[Json]:
    """Wait until so many attempts are recorded and no more are due."""

    def done() -> Any:
        found = sandbox.control("GET", "/slack/deliveries")
        return found["deliveries"] if found["pending"] == 0 and len(found["deliveries"]) >= count else None

    found: list[Json] = until(done)
    return found


def test_a_mention_is_sent_signed(sandbox: Sandbox, receiver: Receiver) -> None:
    """A mention arrives as a signed app_mention with the envelope that Slack documents."""
    said = sandbox.say(HELLO, client_msg_id="8b1f")
    headers, body = receiver.requests.get(timeout=10)
    envelope = json.loads(body)
    assert SignatureVerifier(sandbox.defaults["slack"]["signing_secret"]).is_valid_request(body, headers)
    assert headers["content-type"] == "application/json" and headers["user-agent"].startswith("Slackbot 1.0")
    assert (envelope["event_id"], envelope["type"], envelope["api_app_id"]) == (
        said["event_id"],
        "event_callback",
        "ADISCUBOT",
    )
    assert envelope["authorizations"][0]["user_id"] == BOT and envelope["team_id"] == TEAM
    wanted = {
        "type": "app_mention",
        "user": "U0ANNA",
        "text": HELLO,
        "team": TEAM,
        "channel": CHANNEL,
        "ts": said["ts"],
    }
    assert wanted.items() <= envelope["event"].items() and envelope["event"]["event_ts"] == said["ts"]
    assert "thread_ts" not in envelope["event"] and "x-slack-retry-num" not in headers


def test_a_mention_in_a_thread_names_it(sandbox: Sandbox, receiver: Receiver) -> None:
    """A mention in a reply carries the ts of the thread."""
    root = sandbox.say("root")["ts"]
    sandbox.say(HELLO, thread_ts=root)
    assert receiver.next()[1]["event"]["thread_ts"] == root


@pytest.mark.parametrize(
    ("text", "more"),
    [("no mention", {}), (f"@{BOT}", {}), (HELLO, {"quiet": True}), (HELLO, {"channel": "C0OUT"})],
)
def test_nothing_is_sent_without_a_mention(sandbox: Sandbox, receiver: Receiver, text: str, more: Json) -> None:
    """Other words, quiet messages and channels without the bot cause no event."""
    sandbox.control("POST", f"/slack/workspaces/{TEAM}/channels", {"id": "C0OUT", "name": "out", "is_member": False})
    assert sandbox.say(text, **more)["event_ids"] == []


def test_both_subscriptions_send_two_events(sandbox: Sandbox, receiver: Receiver) -> None:
    """With message subscribed as well, one mention arrives twice under different ids with the same ts."""
    subscribe(sandbox, "app_mention", "message")
    said = sandbox.say(HELLO)
    found = [receiver.next()[1] for _ in range(2)]
    assert {e["event"]["type"] for e in found} == {"app_mention", "message"}
    assert len({e["event_id"] for e in found}) == 2 and {e["event"]["ts"] for e in found} == {said["ts"]}


def test_a_direct_message_needs_no_mention(sandbox: Sandbox, receiver: Receiver) -> None:
    """In a direct conversation every message is sent as a message of channel_type im, never as a mention."""
    made = sandbox.control("POST", f"/slack/workspaces/{TEAM}/channels", {"is_im": True, "user": "U0BEN"})
    said = sandbox.say(HELLO, user="U0BEN", channel=made["id"])
    event = receiver.next()[1]["event"]
    assert (event["type"], event["channel_type"], len(said["event_ids"])) == ("message", "im", 1)


def test_edits_deletions_and_echoes_are_heard(sandbox: Sandbox, receiver: Receiver) -> None:
    """Who subscribes to messages also hears edits, deletions and what the bot itself posts."""
    subscribe(sandbox, "message")
    ts = sandbox.say("first")["ts"]
    receiver.next()
    sandbox.control("PATCH", f"/slack/messages/{TEAM}/{CHANNEL}/{ts}", {"text": "second"})
    edit = receiver.next()[1]["event"]
    assert (edit["subtype"], edit["message"]["text"], edit["previous_message"]["text"]) == (
        "message_changed",
        "second",
        "first",
    )
    assert edit["message"]["ts"] == ts != edit["ts"] and edit["hidden"]
    sandbox.slack("chat.postMessage", channel=CHANNEL, text="echo", thread_ts=ts)
    assert receiver.next()[1]["event"]["bot_id"] == "BDISCUBOT"
    sandbox.control("DELETE", f"/slack/messages/{TEAM}/{CHANNEL}/{ts}")
    gone = receiver.next()[1]["event"]
    assert (gone["subtype"], gone["deleted_ts"]) == ("message_deleted", ts)


def test_failures_are_tried_again_with_the_reason(sandbox: Sandbox, receiver: Receiver) -> None:
    """After a failure the same event comes again, with number and reason, three times at most."""
    for _ in range(4):
        receiver.answer(500)
    sandbox.say(HELLO)
    found = [receiver.next() for _ in range(4)]
    assert [h.get("x-slack-retry-num") for h, _ in found] == [None, "1", "2", "3"]
    assert {h.get("x-slack-retry-reason") for h, _ in found[1:]} == {"http_error"}
    assert len({e["event_id"] for _, e in found}) == 1
    assert [(a["attempt"], a["status"]) for a in attempts(sandbox, 4)] == [
        (0, 500),
        (1, 500),
        (2, 500),
        (3, 500),
    ]


def test_success_ends_the_retries(sandbox: Sandbox, receiver: Receiver) -> None:
    """A 2xx answer ends the delivery."""
    receiver.answer(503)
    sandbox.say(HELLO)
    assert [a["status"] for a in attempts(sandbox, 2)] == [503, 200]


def test_the_receiver_can_decline_retries(sandbox: Sandbox, receiver: Receiver) -> None:
    """A failure with x-slack-no-retry is final."""
    receiver.answer(400, {"x-slack-no-retry": "1"})
    sandbox.say(HELLO)
    assert [a["status"] for a in attempts(sandbox, 1)] == [400]


def test_silence_is_a_timeout(sandbox: Sandbox, receiver: Receiver) -> None:
    """After three seconds without an answer the event is sent again while the first request still runs."""
    receiver.answer(200, seconds=3.4)
    sandbox.say(HELLO)
    receiver.next()
    headers, _ = receiver.next()
    assert headers["x-slack-retry-reason"] == "http_timeout"
    assert [a["reason"] for a in attempts(sandbox, 2)] == ["http_timeout", None]


def test_a_dead_receiver_is_a_failed_connection(sandbox: Sandbox) -> None:
    """Nobody listening is connection_failed, without status."""
    settings = {"events_url": "http://127.0.0.1:1/", "retry_delays": [0]}
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", settings)
    sandbox.say(HELLO)
    assert [(a["status"], a["reason"]) for a in attempts(sandbox, 2)] == [(None, "connection_failed")] * 2


def test_redirects_are_followed_twice(sandbox: Sandbox, receiver: Receiver) -> None:
    """Two redirects are followed with the body, the third is too many."""
    for _ in range(3):
        receiver.answer(302, {"location": "/elsewhere"})
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"retry_delays": [0]})
    sandbox.say(HELLO)
    assert [a["reason"] for a in attempts(sandbox, 2)] == ["too_many_redirects", None]


def test_distinct_events_are_delivered_at_the_same_time(sandbox: Sandbox, receiver: Receiver) -> None:
    """Sixteen deliveries run at once, not more."""
    receiver.gate = threading.Event()
    for _ in range(24):
        sandbox.say(HELLO)
    until(lambda: receiver.open == 16)
    receiver.gate.set()
    attempts(sandbox, 24)
    assert receiver.most_open == 16


def test_the_challenge_must_come_back(sandbox: Sandbox, receiver: Receiver) -> None:
    """The handshake succeeds when the challenge is echoed and fails otherwise."""
    assert sandbox.control("POST", f"/slack/workspaces/{TEAM}/verify")["verified"]
    receiver.answer(200, body="nonsense")
    assert not sandbox.control("POST", f"/slack/workspaces/{TEAM}/verify")["verified"]


@pytest.mark.parametrize("signature", ["stale", "future", "bad", "garbage", "missing"])
def test_custom_events_may_be_missigned(sandbox: Sandbox, receiver: Receiver, signature: str) -> None:
    """Envelopes of any content go out once, with a signature that is wrong in the way asked for."""
    sent = {"team_id": TEAM, "envelope": {"type": "app_rate_limited"}, "signature": signature}
    assert sandbox.control("POST", "/slack/events", sent)["status"] == 200
    headers, body = receiver.requests.get(timeout=10)
    secret = sandbox.defaults["slack"]["signing_secret"]
    stamp = headers.get("x-slack-request-timestamp", "")
    right = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    is_right = headers.get("x-slack-signature") == f"v0={right}"
    assert is_right == (signature in ("stale", "future"))


def test_an_event_can_be_delivered_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """A re-delivery has the event id and content of the first, and retry headers when wanted."""
    said = sandbox.say(HELLO)
    _, first = receiver.next()
    again = {"team_id": TEAM, "redeliver": said["event_id"], "retry_num": 1}
    assert sandbox.control("POST", "/slack/events", again)["status"] == 200
    headers, second = receiver.next()
    assert second == first and headers["x-slack-retry-num"] == "1"
    assert sandbox.control("GET", f"/slack/events/{said['event_id']}") == first


def test_any_bytes_can_be_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    """A raw body goes out as it is, soundly signed."""
    sandbox.control("POST", "/slack/events", {"team_id": TEAM, "raw": "not json"})
    headers, body = receiver.requests.get(timeout=10)
    assert body == b"not json"
    assert SignatureVerifier(sandbox.defaults["slack"]["signing_secret"]).is_valid_request(body, headers)


def test_workspaces_are_apart(sandbox: Sandbox, receiver: Receiver) -> None:
    """Another workspace has its own secrets, token and channel, and its token sees only itself."""
    made = sandbox.control(
        "POST", "/slack/workspaces", {"name": "Other", "events_url": receiver.url, "retry_delays": []}
    )
    user = sandbox.control("POST", f"/slack/workspaces/{made['team_id']}/users", {"name": "zoe", "real_name": "Zoe Q"})
    text = f"<@{made['bot_user_id']}> hi"
    sandbox.say(text, user=user["id"], team_id=made["team_id"], channel=made["channel"])
    headers, body = receiver.requests.get(timeout=10)
    assert SignatureVerifier(made["signing_secret"]).is_valid_request(body, headers)
    assert sandbox.slack("auth.test", token=made["bot_token"])["team_id"] == made["team_id"]
    assert (
        sandbox.slack("conversations.history", token=made["bot_token"], channel=CHANNEL)["error"] == "channel_not_found"
    )
