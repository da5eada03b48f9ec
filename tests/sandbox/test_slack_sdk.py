"""The official Slack client in front of the stand-in."""

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from .harness import CHANNEL, Sandbox


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> WebClient:
    """Point the SDK at the sandbox, without its own retries."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    return WebClient(token=sandbox.slack_token, base_url=f"{sandbox.url}/slack/api/", retry_handlers=[])


def test_the_sdk_reads_a_thread_by_pages(sandbox: Sandbox, client: WebClient) -> None:
    """The SDK's own paging walks a thread to its end."""
    root = sandbox.say("root")["ts"]
    for n in range(6):
        sandbox.say(f"reply {n}", thread_ts=root)
    pages = client.conversations_replies(channel=CHANNEL, ts=root, limit=3)
    assert [len(page["messages"]) for page in pages] == [3, 3, 1]


def test_the_sdk_posts_reacts_and_links(sandbox: Sandbox, client: WebClient) -> None:
    """Posting with blocks and metadata, reacting and linking work without warnings."""
    root = sandbox.say("root")["ts"]
    metadata = {"event_type": "t", "event_payload": {"key": "k"}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hi*"}}]
    posted = client.chat_postMessage(channel=CHANNEL, text="hi", blocks=blocks, metadata=metadata, thread_ts=root)
    client.reactions_add(channel=CHANNEL, name="white_check_mark", timestamp=posted["ts"])
    found = client.conversations_replies(channel=CHANNEL, ts=root, include_all_metadata=True)["messages"][1]
    assert found["metadata"] == metadata and found["reactions"][0]["name"] == "white_check_mark"
    assert client.chat_getPermalink(channel=CHANNEL, message_ts=root)["permalink"].startswith("https://acme.slack.com/")
    assert client.auth_test()["bot_id"] == "BDISCUBOT" and "warning" not in posted.data


def test_the_sdk_reads_people(sandbox: Sandbox, client: WebClient) -> None:
    """users.list pages and users.info give the same person."""
    listed = [user for page in client.users_list(limit=2) for user in page["members"]]
    assert client.users_info(user="U0CHLOE")["user"] in listed and len(listed) == 6


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ({"kind": "ratelimit", "retry_after": 7}, 429, "ratelimited"),
        ({"kind": "error", "error": "fatal_error"}, 200, "fatal_error"),
        ({"kind": "html"}, 503, "Received a response in a non-JSON format"),
    ],
)
def test_the_sdk_understands_the_faults(
    sandbox: Sandbox, client: WebClient, fault: dict[str, object], status: int, error: str
) -> None:
    """Limits, application errors and HTML outages reach the SDK as it knows them from Slack."""
    sandbox.control("POST", "/faults", {"service": "slack", "match": "auth.test", **fault})
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    response = caught.value.response
    assert response.status_code == status and str(response["error"]).startswith(error)
    assert status != 429 or response.headers["Retry-After"] == "7"
    assert client.auth_test()["ok"]
