"""The control API: strict bodies, the log, the default world, resets, and the process itself."""

import signal
import subprocess
import sys

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .harness import CHANNEL, TEAM, Json, Sandbox, free_port, until


def test_the_default_world_is_the_same_every_time(sandbox: Sandbox) -> None:
    """Ids and secrets do not change over a reset, so a demo can be configured once."""
    assert sandbox.control("POST", "/reset") == sandbox.control("GET", "/defaults") == sandbox.defaults
    assert sandbox.defaults["slack"]["bot_user_id"] == "UDISCUBOT" and len(sandbox.defaults["slack"]["users"]) == 5
    assert [u["email"] for u in sandbox.defaults["slack"]["users"]] == [
        u["email"] for u in sandbox.defaults["notion"]["users"]
    ]


def test_a_reset_forgets_everything_and_is_noticed(sandbox: Sandbox) -> None:
    """After a reset messages, pages, faults and log are gone, and the version has grown."""
    sandbox.say("x")
    sandbox.create()
    sandbox.control("POST", "/faults", {"service": "slack", "kind": "html", "times": None})
    before = sandbox.control("GET", "/version")["version"]
    sandbox.control("POST", "/reset")
    assert sandbox.pages() == [] and sandbox.control("GET", "/log")["calls"] == []
    assert sandbox.slack("conversations.history", channel=CHANNEL)["messages"] == []
    assert sandbox.control("GET", "/version")["version"] > before


def test_the_log_tells_every_call(sandbox: Sandbox) -> None:
    """The log has service, verb, path, status, the tail of the token and a summary, in order."""
    sandbox.slack("chat.postMessage", channel=CHANNEL, text="hello")
    sandbox.create("Blue")
    sandbox.create(Nope={})
    posted, created, refused = sandbox.control("GET", "/log")["calls"]
    assert (posted["service"], posted["path"], posted["summary"]) == (
        "slack",
        "/chat.postMessage",
        f"channel={CHANNEL} text=hello",
    )
    assert (created["method"], created["path"], created["status"], created["summary"]) == (
        "POST",
        "/pages",
        200,
        "title=Blue",
    )
    assert (refused["error"], refused["token"]) == ("validation_error", sandbox.notion_token[-4:])
    since = sandbox.control("GET", f"/log?service=notion&since={created['seq']}")["calls"]
    assert since == [refused]
    sandbox.control("DELETE", "/log")
    assert sandbox.control("GET", "/log")["calls"] == []


MESSAGE = {"team_id": TEAM, "channel": CHANNEL, "user": "U0ANNA", "text": "x"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/slack/messages", {**MESSAGE, "colour": "red"}, 422), ("/slack/messages",
         {**MESSAGE, "ts": "1.5"}, 422),
        ("/slack/messages", {**MESSAGE, "channel": "C404"}, 404), ("/slack/messages",
         {**MESSAGE, "team_id": "T404"}, 404),
        ("/slack/messages", {**MESSAGE, "user": "U404"}, 422), ("/slack/messages",
         {**MESSAGE, "thread_ts": "1763759000.000100"}, 404),
        ("/slack/workspaces", {"name": "x", "team_id": TEAM}, 409), ("/slack/workspaces",
         {"name": "x", "subscribe": ["likes"]}, 422),
        ("/slack/events", {"team_id": TEAM, "envelope": {}}, 409), ("/slack/events", {"team_id": TEAM}, 422),
        ("/slack/reactions", {"team_id": TEAM}, 422), ("/notion/databases", {"tokens": []}, 422),
        ("/notion/databases", {"tokens": ["x"], "properties": {"A": "poem"}}, 422),
        ("/notion/pages/x/trash", None, 404),
    ],
)  # fmt: skip
def test_wrong_orders_are_refused(sandbox: Sandbox, path: str, body: Json | None, status: int) -> None:
    """The control API refuses unknown keys, unknown things and what exists already."""
    assert sandbox.http.post(f"/sandbox{path}", json=body).status_code == status


def test_imports_keep_their_timestamps(sandbox: Sandbox) -> None:
    """A bulk import stores explicit ts in any order; the same ts twice is a conflict."""
    later, root = "1763760009.000100", "1763760000.000100"
    rows = [{**MESSAGE, "ts": root, "quiet": True}, {**MESSAGE, "ts": later, "thread_ts": root}]
    rows.append({**MESSAGE, "ts": "1763760005.000100", "thread_ts": root})
    assert sandbox.control("POST", "/slack/messages/bulk", rows)["messages"][0]["ts"] == root
    thread = sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"]
    assert [m["ts"] for m in thread] == [root, "1763760005.000100", later]
    assert sandbox.http.post("/sandbox/slack/messages", json=rows[0]).status_code == 409


def test_people_change_pages_as_the_api_would(sandbox: Sandbox) -> None:
    """A person may move a card; a status that does not exist is refused."""
    page = sandbox.create().json()["id"]
    changed = sandbox.control(
        "PATCH", f"/notion/pages/{page}", {"properties": {"Status": {"status": {"name": "Done"}}}}
    )
    assert changed["properties"]["Status"] == "Done"
    wrong = {"properties": {"Status": {"status": {"name": "Soon"}}}}
    assert sandbox.http.patch(f"/sandbox/notion/pages/{page}", json=wrong).status_code == 422


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["parent", "properties", "children", "data_source_id", "Task", "title", "text", "content", "type",
        "paragraph",
         "rich_text", "annotations", "color", "Tags", "multi_select", "name", "id", "Status", "status",
         "filter", "and",
         "property", "timestamp", "created_time", "sorts", "equals", "link", "url", "code", "language",
         "mention", "user"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=JSON)
def test_no_body_breaks_the_stand_ins(sandbox: Sandbox, body: object) -> None:
    """Whatever JSON comes, Notion answers 4xx or 200 and Slack 200, never 500."""
    sandbox.control("PUT", "/notion/limits", {"requests": 10_000})
    parent = {"parent": {"data_source_id": sandbox.source}}
    bodies = [body, {**parent, "properties": body}, {**parent, "properties": {}, "children": body}]
    answers = [sandbox.notion("POST", "/pages", one) for one in bodies]
    answers.append(sandbox.notion("POST", f"/data_sources/{sandbox.source}/query", {"filter": body}))
    assert {answer.status_code for answer in answers} <= {200, 400, 404}
    headers = {"Authorization": f"Bearer {sandbox.slack_token}"}
    post = {"channel": CHANNEL, "text": "x", "blocks": body, "metadata": body, "thread_ts": body}
    assert sandbox.http.post("/slack/api/chat.postMessage", json=post, headers=headers).status_code == 200


@pytest.mark.parametrize("body", ["[" * 100_000, '{"properties": NaN}', '{"a": ' * 50_000])
def test_absurd_json_is_refused(sandbox: Sandbox, body: str) -> None:
    """Nesting without end and numbers that are none are invalid JSON, not a crash."""
    headers = {"Authorization": f"Bearer {sandbox.notion_token}", "Notion-Version": "2025-09-03"}
    assert sandbox.http.post("/notion/v1/pages", content=body, headers=headers).json()["code"] == "invalid_json"
    headers = {"Authorization": f"Bearer {sandbox.slack_token}", "Content-Type": "application/json"}
    answer = sandbox.http.post("/slack/api/chat.postMessage", content=body, headers=headers)
    assert answer.json()["error"] in ("invalid_json", "invalid_arguments")


def test_lone_surrogates_do_not_break_the_answer(sandbox: Sandbox) -> None:
    """Text that is no valid Unicode comes back as it was sent."""
    ts = sandbox.http.post(
        "/slack/api/chat.postMessage", content=b'{"channel": "C0GENERAL", "text": "\\ud800"}',
        headers={"Authorization": f"Bearer {sandbox.slack_token}",
        "Content-Type": "application/json; charset=utf-8"},
    ).json()["ts"]  # fmt: skip
    assert sandbox.slack("conversations.replies", channel=CHANNEL, ts=ts)["messages"][0]["text"] == "\ud800"


def test_the_process_starts_and_stops() -> None:
    """`python -m` serves until it is told to stop, and refuses links that are no links."""
    port = free_port()
    command = [sys.executable, "-m", "discubot_pipeline.sandbox", "--port", str(port)]
    with subprocess.Popen([*command, "--link", "Receiver=http://127.0.0.1:1/"]) as process:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            until(lambda: _answers(client), 20)
            assert client.get("/sandbox/state").json()["links"] == {"Receiver": "http://127.0.0.1:1/"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)
    refused = subprocess.run([*command, "--link", "x=javascript:1"], capture_output=True, check=False)
    assert refused.returncode == 2


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False
