"""Slack's own client for Node in front of the stand-in."""

from collections.abc import Callable
from typing import Any

import pytest

from .harness import BOT, CHANNEL, TEAM, Sandbox
from .sdk import needs_node, play

pytestmark = needs_node
Scene = Callable[..., Any]


@pytest.fixture
def scene(sandbox: Sandbox) -> Scene:
    """Give a way to play a scene with the token of the default workspace."""
    access = {"url": f"{sandbox.url}/slack/api/", "token": sandbox.slack_token}
    return lambda name, **given: play("slack.mjs", name, **(access | given))


def test_the_client_knows_itself(sandbox: Sandbox, scene: Scene) -> None:
    """auth.test says who the token is, and the headers which scopes it has."""
    found = scene("identity")
    assert (found["team_id"], found["user_id"], found["bot_id"]) == (TEAM, BOT, "BDISCUBOT")
    assert found["response_metadata"]["scopes"] == sandbox.defaults["slack"]["scopes"]
    assert found["complaints"] == []


def test_the_client_pages_through_a_thread_and_a_channel(sandbox: Sandbox, scene: Scene) -> None:
    """Its own paging walks replies, oldest first, and the channel's roots, newest first, to their end."""
    root = sandbox.say("root")["ts"]
    for n in range(6):
        sandbox.say(f"reply {n}", thread_ts=root)
    sandbox.say("other")
    found = scene("thread", channel=CHANNEL, ts=root)
    assert found["pages"] == [["root", "reply 0", "reply 1"], ["reply 2", "reply 3", "reply 4"], ["reply 5"]]
    assert found["history"] == [["other"], ["root"]] and found["complaints"] == []


def test_the_client_posts_into_a_thread(sandbox: Sandbox, scene: Scene) -> None:
    """A reply with blocks and metadata is there when the thread is read again, under its own address."""
    root = sandbox.say("root")["ts"]
    found = scene("post", channel=CHANNEL, ts=root)
    ts = found["posted"]["ts"]
    assert found["posted"]["message"].items() <= found["read"].items()
    assert found["read"]["thread_ts"] == root and found["read"]["parent_user_id"] == "U0ANNA"
    assert found["read"]["metadata"] == {"event_type": "tasks", "event_payload": {"key": "k"}}
    assert found["read"]["blocks"] == [{"type": "section", "text": {"type": "mrkdwn", "text": "*hi*"}}]
    place = f"archives/{CHANNEL}/p{ts.replace('.', '')}?thread_ts={root}&cid={CHANNEL}"
    assert found["permalink"] == f"https://acme.slack.com/{place}" and found["complaints"] == []


def test_the_client_reacts_once(sandbox: Sandbox, scene: Scene) -> None:
    """A second reaction, and taking one away that is not there, are refused with Slack's codes."""
    found = scene("react", channel=CHANNEL, ts=sandbox.say("root")["ts"])
    assert (found["again"], found["gone"]) == ("already_reacted", "no_reaction")
    assert found["shown"] == [{"name": "eyes", "users": [BOT], "count": 1}]
    assert (found["left"], found["complaints"]) == ([], [])


def test_the_client_reads_people(scene: Scene) -> None:
    """The pages of users.list hold the same person as users.info."""
    found = scene("people", user="U0CHLOE")
    assert found["sizes"] == [2, 2, 2] and found["user"] in found["members"]
    assert found["user"]["profile"]["email"] == "chloe@acme.example" and found["complaints"] == []


def test_the_client_lists_conversations(sandbox: Sandbox, scene: Scene) -> None:
    """Conversations are listed by pages and described one by one, as is the workspace."""
    sandbox.control("POST", f"/slack/workspaces/{TEAM}/channels", {"name": "secret", "is_private": True})
    found = scene("places", channel=CHANNEL)
    assert found["names"] == ["product", "secret"]
    assert (found["one"]["id"], found["one"]["is_member"]) == (CHANNEL, True)
    assert (found["team"]["id"], found["complaints"]) == (TEAM, [])


def test_the_client_understands_refusals(scene: Scene) -> None:
    """Application errors reach it as errors of the platform, with their code and what is wrong."""
    calls = {
        "thread_not_found": ("conversations.replies", {"channel": CHANNEL, "ts": "1.000000"}),
        "channel_not_found": ("chat.postMessage", {"channel": "C404", "text": "x"}),
        "no_text": ("chat.postMessage", {"channel": CHANNEL}),
        "user_not_found": ("users.info", {"user": "U404"}),
        "unknown_method": ("chat.shout", {}),
        "invalid_blocks": ("chat.postMessage", {"channel": CHANNEL, "blocks": [{"type": "poem"}]}),
    }
    found = scene("refusals", calls=list(calls.values()))
    assert [(one["code"], one["error"]) for one in found] == [("slack_webapi_platform_error", code) for code in calls]
    assert found[-1]["response_metadata"]["messages"] == ["[ERROR] unsupported type [json-pointer:/blocks/0]"]


def test_the_client_learns_which_scope_is_missing(sandbox: Sandbox, scene: Scene) -> None:
    """The scope that a method needs is named beside those that the token has."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"scopes": ["chat:write", "users:read"]})
    calls = [
        ("reactions.add", {"channel": CHANNEL, "name": "eyes", "timestamp": "1.000000"}),
        ("conversations.history", {"channel": CHANNEL}),
    ]
    found = scene("refusals", calls=calls)
    told = ("missing_scope", "chat:write,users:read")
    assert [(one["error"], one["provided"]) for one in found] == [told, told]
    assert [one["needed"].split(",")[0] for one in found] == ["reactions:write", "channels:history"]


def test_the_client_is_told_that_its_token_is_wrong(scene: Scene) -> None:
    """An unknown token is refused like any other error of the platform."""
    [found] = scene("refusals", calls=[("auth.test", {})], token="xoxb-no")
    assert (found["code"], found["error"]) == ("slack_webapi_platform_error", "invalid_auth")


def test_the_client_waits_when_it_is_told_to(sandbox: Sandbox, scene: Scene) -> None:
    """A limit reaches it with the seconds to wait; left alone it waits, tries again and succeeds."""
    limit = {"service": "slack", "match": "auth.test", "kind": "ratelimit", "retry_after": 1, "times": 2}
    sandbox.control("POST", "/faults", limit)
    found = scene("limit")
    assert (found["code"], found["retryAfter"]) == ("slack_webapi_rate_limited_error", 1)
    assert (found["ok"], found["waits"]) == (True, [1])


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("html", "slack_webapi_http_error", 503), ("drop_before", "slack_webapi_request_error", None)],
)
def test_the_client_understands_outages(
    sandbox: Sandbox, scene: Scene, kind: str, code: str, status: int | None
) -> None:
    """A page of HTML and a connection that breaks are what it knows as such."""
    sandbox.control("POST", "/faults", {"service": "slack", "match": "auth.test", "kind": kind})
    found = scene("outage")
    assert (found["code"], found.get("status")) == (code, status)
