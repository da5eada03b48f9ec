"""The stand-in of Slack's Web API: what it answers, as form, query and JSON, page by page."""

import json

import httpx2
import pytest

from .harness import BOT, CHANNEL, TEAM, Sandbox, until


def scopes(sandbox: Sandbox, *kept: str) -> None:
    """Install the app with these scopes only."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"scopes": list(kept)})


def test_auth_test_tells_who_the_token_is(sandbox: Sandbox) -> None:
    """auth.test names team, bot user and bot, and the header lists the granted scopes."""
    answer = sandbox.slack_raw("auth.test")
    assert answer.json() == {
        "ok": True, "url": "https://acme.slack.com/", "team": "Acme", "user": "discubot", "team_id": TEAM,
        "user_id": BOT, "bot_id": "BDISCUBOT", "is_enterprise_install": False,
    }  # fmt: skip
    assert "channels:history" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
def test_a_wrong_token_is_refused_with_200(sandbox: Sandbox, token: str, error: str) -> None:
    """A missing and an unknown token are application errors, not HTTP errors."""
    answer = sandbox.http.post("/slack/api/auth.test", headers={"Authorization": f"Bearer {token}"} if token else {})
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


def test_the_token_may_come_in_the_form(sandbox: Sandbox) -> None:
    """A token field authenticates like the header."""
    answer = sandbox.http.post("/slack/api/auth.test", data={"token": sandbox.slack_token})
    assert answer.json()["ok"]


def test_a_missing_scope_is_named(sandbox: Sandbox) -> None:
    """missing_scope says what is needed and what the token has."""
    scopes(sandbox, "chat:write")
    found = sandbox.slack("conversations.replies", channel=CHANNEL, ts="1.000000")
    assert found == {
        "ok": False, "error": "missing_scope",
        "needed": "channels:history,groups:history,mpim:history,im:history",
        "provided": "chat:write",
    }  # fmt: skip
    assert sandbox.slack("users.list")["needed"] == "users:read"
    assert sandbox.slack("reactions.add", channel=CHANNEL, name="eyes")["needed"] == "reactions:write"


def test_emails_need_their_own_scope(sandbox: Sandbox) -> None:
    """Without users:read.email the profile has no address."""
    assert sandbox.slack("users.info", user="U0BEN")["user"]["profile"]["email"] == "ben@acme.example"
    scopes(sandbox, "users:read")
    assert "email" not in sandbox.slack("users.info", user="U0BEN")["user"]["profile"]


def test_reading_methods_ignore_json_bodies(sandbox: Sandbox) -> None:
    """Only methods that write read JSON, so a JSON body of a reading method counts as no arguments."""
    headers = {"Authorization": f"Bearer {sandbox.slack_token}"}
    answer = sandbox.http.post("/slack/api/users.info", json={"user": "U0BEN"}, headers=headers)
    assert answer.json()["error"] == "invalid_arguments"
    assert sandbox.http.get("/slack/api/users.info", params={"user": "U0BEN"}, headers=headers).json()["ok"]


def test_json_without_charset_earns_a_warning(sandbox: Sandbox) -> None:
    """A posting body whose content type lacks the charset is taken, with Slack's warning."""
    headers = {"Authorization": f"Bearer {sandbox.slack_token}"}
    body = {"channel": CHANNEL, "text": "hello"}
    assert (
        sandbox.http.post("/slack/api/chat.postMessage", json=body, headers=headers).json()["warning"]
        == "missing_charset"
    )
    headers["Content-Type"] = "application/json; charset=utf-8"
    answer = sandbox.http.post("/slack/api/chat.postMessage", content=json.dumps(body), headers=headers)
    assert answer.json()["ok"] and "warning" not in answer.json()


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("text/xml", "<x/>", "invalid_post_type"),
        ("application/json", "{", "invalid_json"),
        ("application/json", "[]", "json_not_object"),
        ("application/x-www-form-urlencoded", "text=\udcff", "invalid_form_data"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(sandbox: Sandbox, kind: str, body: str, error: str) -> None:
    """Wrong content types and broken bodies get the code that says so."""
    headers = {"Authorization": f"Bearer {sandbox.slack_token}", "Content-Type": kind}
    content = body.encode(errors="surrogateescape")
    assert sandbox.http.post("/slack/api/chat.postMessage", content=content, headers=headers).json()["error"] == error


def test_a_thread_comes_oldest_first_with_its_parent(sandbox: Sandbox) -> None:
    """Replies of any size come in pages by opaque cursors, the parent first, each message once."""
    root = sandbox.say("root")["ts"]
    replies = [sandbox.say(f"reply {n}", user="U0BEN", thread_ts=root)["ts"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = sandbox.slack("conversations.replies", channel=CHANNEL, ts=replies[2], limit=2, cursor=cursor)
        seen += [message["ts"] for message in page["messages"]]
        if not page["has_more"]:
            break
        cursor = page["response_metadata"]["next_cursor"]
    assert seen == [root, *replies] and "response_metadata" not in page


def test_a_parent_counts_its_replies(sandbox: Sandbox) -> None:
    """The parent carries the counts of its thread, a reply the author of the parent."""
    root = sandbox.say("root")["ts"]
    last = sandbox.say("reply", user="U0BEN", thread_ts=root)["ts"]
    parent, reply = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"]
    assert (parent["thread_ts"], parent["reply_count"], parent["reply_users"]) == (root, 1, ["U0BEN"])
    assert (parent["latest_reply"], reply["parent_user_id"]) == (last, "U0ANNA")


def test_pages_may_repeat_the_parent(sandbox: Sandbox) -> None:
    """With the knob on, later pages start with the parent again, as seen in the wild."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"repeat_parent": True})
    root = sandbox.say("root")["ts"]
    for n in range(3):
        sandbox.say(f"reply {n}", thread_ts=root)
    first = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root, limit=2, cursor=cursor)
    assert second["messages"][0]["ts"] == root


def test_history_has_roots_newest_first(sandbox: Sandbox) -> None:
    """History shows roots without replies, newest first, between oldest and latest."""
    first, second, third = (sandbox.say(word)["ts"] for word in ("one", "two", "three"))
    sandbox.say("reply", thread_ts=first)
    assert [m["ts"] for m in sandbox.slack("conversations.history", channel=CHANNEL)["messages"]] == [
        third,
        second,
        first,
    ]
    between = sandbox.slack("conversations.history", channel=CHANNEL, oldest=first, latest=third)["messages"]
    assert [m["ts"] for m in between] == [second]
    including = sandbox.slack("conversations.history", channel=CHANNEL, oldest=first, latest=third, inclusive="true")
    assert len(including["messages"]) == 3


def test_large_limits_are_cut_to_999(sandbox: Sandbox) -> None:
    """A limit above 999 gives 999, so a client that trusts it misses nothing only by paging."""
    rows = [
        {"team_id": TEAM, "channel": CHANNEL, "user": "U0BEN", "text": str(n), "ts": f"17637{n:05d}.000000"}
        for n in range(1001)
    ]
    sandbox.control("POST", "/slack/messages/bulk", rows)
    page = sandbox.slack("conversations.history", channel=CHANNEL, limit=5000)
    assert (len(page["messages"]), page["has_more"]) == (999, True)


def test_timestamps_are_unique_and_rising_strings(sandbox: Sandbox) -> None:
    """Every ts of a channel has six decimals and is later than the one before."""
    stamps = [sandbox.say("x")["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps)) and all(len(ts.split(".")[1]) == 6 for ts in stamps)


def test_a_bot_message_is_marked(sandbox: Sandbox) -> None:
    """What the bot posts carries bot_id, app_id, profile and the bot's user, and no subtype."""
    root = sandbox.say("root")["ts"]
    posted = sandbox.slack("chat.postMessage", channel=CHANNEL, text="done", thread_ts=root)
    message = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"][1]
    assert (message["bot_id"], message["app_id"], message["user"]) == ("BDISCUBOT", "ADISCUBOT", BOT)
    assert message["ts"] == posted["ts"] and "subtype" not in message and message["bot_profile"]["name"] == "discubot"


def test_metadata_is_shown_only_when_asked_for(sandbox: Sandbox) -> None:
    """The marker that makes a reply unique comes back with include_all_metadata alone."""
    metadata = {"event_type": "discubot_reply", "event_payload": {"key": "k1"}}
    root = sandbox.slack("chat.postMessage", channel=CHANNEL, text="x", metadata=metadata)["ts"]
    plain = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"][0]
    marked = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root, include_all_metadata="true")["messages"][
        0
    ]
    assert "metadata" not in plain and marked["metadata"] == metadata


def test_blocks_come_as_json_strings_in_forms(sandbox: Sandbox) -> None:
    """A form carries blocks as a JSON string, a JSON body as a list; both are stored alike."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}]
    posted = sandbox.slack("chat.postMessage", channel=CHANNEL, blocks=blocks)
    assert posted["message"]["blocks"] == blocks and posted["message"]["text"] == ""


def test_reactions_come_and_go(sandbox: Sandbox) -> None:
    """A reaction is counted with its users and disappears when it is taken away."""
    ts = sandbox.say("x")["ts"]
    sandbox.control(
        "POST",
        "/slack/reactions",
        {"team_id": TEAM, "channel": CHANNEL, "ts": ts, "user": "U0BEN", "name": "eyes"},
    )
    assert sandbox.slack("reactions.add", channel=CHANNEL, name="eyes", timestamp=ts) == {"ok": True}
    found = sandbox.slack("reactions.get", channel=CHANNEL, timestamp=ts)["message"]["reactions"]
    assert found == [{"name": "eyes", "users": ["U0BEN", BOT], "count": 2}]
    assert sandbox.slack("reactions.remove", channel=CHANNEL, name="eyes", timestamp=ts)["ok"]
    assert sandbox.slack("reactions.get", channel=CHANNEL, timestamp=ts)["message"]["reactions"][0]["users"] == [
        "U0BEN"
    ]


def test_permalinks_name_the_thread_of_a_reply(sandbox: Sandbox) -> None:
    """A root's link has its ts without dot, a reply's link its thread as well."""
    root = sandbox.say("x", ts="1763760000.000200")["ts"]
    reply = sandbox.say("y", ts="1763760001.000300", thread_ts=root)["ts"]
    link = sandbox.slack("chat.getPermalink", channel=CHANNEL, message_ts=root)["permalink"]
    below = sandbox.slack("chat.getPermalink", channel=CHANNEL, message_ts=reply)["permalink"]
    assert link == "https://acme.slack.com/archives/C0GENERAL/p1763760000000200"
    assert below == f"https://acme.slack.com/archives/C0GENERAL/p1763760001000300?thread_ts={root}&cid={CHANNEL}"


def test_people_and_channels_come_in_pages(sandbox: Sandbox) -> None:
    """users.list and conversations.list follow their cursors to the end."""
    first = sandbox.slack("users.list", limit=4)
    rest = sandbox.slack("users.list", limit=4, cursor=first["response_metadata"]["next_cursor"])
    assert [u["name"] for u in [*first["members"], *rest["members"]]] == [
        "anna",
        "ben",
        "chloe",
        "devika",
        "emil",
        "discubot",
    ]
    assert rest["response_metadata"]["next_cursor"] == ""
    channels = sandbox.slack("conversations.list", types="public_channel")
    assert [c["name"] for c in channels["channels"]] == ["product"]
    assert sandbox.slack("conversations.info", channel=CHANNEL)["channel"]["is_member"]
    assert sandbox.slack("team.info")["team"]["domain"] == "acme"


def test_a_deleted_root_leaves_a_tombstone(sandbox: Sandbox) -> None:
    """Deleting a root with replies keeps its place; deleting a reply removes it."""
    root = sandbox.say("root")["ts"]
    reply = sandbox.say("reply", thread_ts=root)["ts"]
    sandbox.control("DELETE", f"/slack/messages/{TEAM}/{CHANNEL}/{root}")
    thread = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"]
    assert (thread[0]["subtype"], thread[1]["ts"]) == ("tombstone", reply)
    sandbox.control("DELETE", f"/slack/messages/{TEAM}/{CHANNEL}/{reply}")
    assert len(sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"]) == 1


def test_a_dropped_post_is_stored_once_and_unanswered(sandbox: Sandbox) -> None:
    """drop_after stores the post and hangs up: the double-post trap."""
    sandbox.control("POST", "/faults", {"service": "slack", "match": "chat.postMessage", "kind": "drop_after"})
    with pytest.raises(httpx2.TransportError):
        sandbox.slack("chat.postMessage", channel=CHANNEL, text="once")
    history = until(lambda: sandbox.slack("conversations.history", channel=CHANNEL)["messages"])
    assert [m["text"] for m in history] == ["once"]
