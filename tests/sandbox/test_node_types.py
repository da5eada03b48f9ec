"""What the stand-ins answer, compared with the types that the services' own clients declare."""

from pathlib import Path
from typing import Any

from .harness import CHANNEL, TEAM, Json, Receiver, Sandbox, paragraph, rich
from .sdk import declared, misfits, needs_node

pytestmark = needs_node
BLOCKS = (
    "heading_1", "heading_2", "heading_3", "bulleted_list_item", "numbered_list_item", "to_do", "toggle", "quote",
    "callout",
)  # fmt: skip
Answers = list[tuple[str, Any]]


def row(sandbox: Sandbox, person: str) -> Json:
    """Write a page with a value of each kind and a block of each kind."""
    values = {
        "Task": {"title": rich("Fix it")}, "Status": {"status": {"name": "Done"}}, "Source": {"url": "https://a.io"},
        "Priority": {"select": {"name": "High"}}, "Tags": {"multi_select": [{"name": "a"}]},
        "Due date": {"date": {"start": "2026-01-01"}}, "Assignee": {"people": [{"id": person}]},
        "Discubot key": {"rich_text": [{"mention": {"user": {"id": person}}}, *rich("k")]},
    }  # fmt: skip
    blocks = [{"type": kind, kind: {"rich_text": rich("x")}} for kind in BLOCKS]
    blocks += [{"type": "code", "code": {"rich_text": rich("x"), "language": "json"}}]
    blocks += [{"type": "bookmark", "bookmark": {"url": "https://a.io"}}, {"type": "divider", "divider": {}}]
    return {"parent": {"data_source_id": sandbox.source}, "properties": values, "children": [paragraph(), *blocks]}


def notion(sandbox: Sandbox) -> Answers:
    """Collect an answer of every endpoint, with every item of a list also by itself."""
    found: Answers = []

    def call(kind: str, verb: str, path: str, body: Any = None, *, item: str | None = None) -> Json:
        response = sandbox.notion(verb, path, body)
        assert response.is_success, response.text
        answer: Json = declared(response.json())
        found.append((kind, answer))
        found.extend((item, one) for one in (answer["results"] if item else ()))
        return answer

    person = sandbox.defaults["notion"]["users"][0]["id"]
    page = call("PageObjectResponse", "POST", "/pages", row(sandbox, person))["id"]
    call("PageObjectResponse", "PATCH", f"/pages/{page}", {"in_trash": False})
    call("PageObjectResponse", "GET", f"/pages/{page}")
    call("UserObjectResponse", "GET", "/users/me")
    call("UserObjectResponse", "GET", f"/users/{person}")
    call("ListUsersResponse", "GET", "/users", item="UserObjectResponse")
    call("DatabaseObjectResponse", "GET", f"/databases/{sandbox.database}")
    call("DataSourceObjectResponse", "GET", f"/data_sources/{sandbox.source}")
    query = f"/data_sources/{sandbox.source}/query"
    call("QueryDataSourceResponse", "POST", query, item="PageObjectResponse")
    below = f"/blocks/{page}/children"
    call("ListBlockChildrenResponse", "GET", below, item="BlockObjectResponse")
    call("AppendBlockChildrenResponse", "PATCH", below, {"children": [paragraph()]}, item="BlockObjectResponse")
    call("BlockObjectResponse", "GET", f"/blocks/{page}")
    said = {"parent": {"page_id": page}, "rich_text": rich("x")}
    comment = call("CommentObjectResponse", "POST", "/comments", said)["id"]
    call("CommentObjectResponse", "GET", f"/comments/{comment}")
    call("ListCommentsResponse", "GET", f"/comments?block_id={page}")
    call("PageObjectResponse", "GET", f"/pages/{sandbox.defaults['notion']['page_id']}")
    for kind, name in (("page", "PageObjectResponse"), ("data_source", "DataSourceObjectResponse")):
        call("SearchResponse", "POST", "/search", {"filter": {"property": "object", "value": kind}}, item=name)
    return found


def slack(sandbox: Sandbox) -> Answers:
    """Collect an answer of every method."""
    found: Answers = []
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"socket_mode": True})
    root, other = sandbox.say("root")["ts"], sandbox.say("other")["ts"]

    def call(kind: str, method: str, **args: Any) -> None:
        answer = sandbox.slack(method, **args)
        assert answer["ok"], answer
        found.append((kind, declared(answer)))

    message, reaction = {"channel": CHANNEL, "ts": root}, {"channel": CHANNEL, "timestamp": other}
    metadata = {"event_type": "tasks", "event_payload": {"key": "k"}}
    call("AuthTestResponse", "auth.test")
    call("TeamInfoResponse", "team.info")
    call("AppsConnectionsOpenResponse", "apps.connections.open", token=sandbox.defaults["slack"]["app_token"])
    call("ChatPostMessageResponse", "chat.postMessage", channel=CHANNEL, text="hi", thread_ts=root, metadata=metadata)
    call("ReactionsAddResponse", "reactions.add", name="eyes", **reaction)
    call("ReactionsGetResponse", "reactions.get", **reaction)
    call("ConversationsRepliesResponse", "conversations.replies", include_all_metadata=True, **message)
    call("ConversationsHistoryResponse", "conversations.history", channel=CHANNEL)
    call("ReactionsRemoveResponse", "reactions.remove", name="eyes", **reaction)
    call("ConversationsInfoResponse", "conversations.info", channel=CHANNEL)
    call("ConversationsListResponse", "conversations.list")
    call("ChatGetPermalinkResponse", "chat.getPermalink", channel=CHANNEL, message_ts=root)
    call("UsersInfoResponse", "users.info", user="U0ANNA")
    call("UsersListResponse", "users.list", limit=2)
    return found


def test_notions_answers_have_the_declared_types(sandbox: Sandbox, tmp_path: Path) -> None:
    """Users, tables, pages, blocks and lists are what Notion's client says they are."""
    assert misfits("@notionhq/client", notion(sandbox), tmp_path) == ""


def test_notions_events_have_the_declared_types(
    sandbox: Sandbox, listener: Receiver, subscription: Json, tmp_path: Path
) -> None:
    """A comment and a changed status are told as Notion's client expects them."""
    page = sandbox.defaults["notion"]["page_id"]
    sandbox.control("POST", "/notion/comments", {"page_id": page, "text": "hello"})
    commented = listener.next()[1]
    card = sandbox.create("Fix it").json()["id"]
    sandbox.notion("PATCH", f"/pages/{card}", {"properties": {"Status": {"status": {"name": "Done"}}}})
    events = [("CommentCreatedWebhookPayload", commented), ("PagePropertiesUpdatedWebhookPayload", listener.next()[1])]
    assert misfits("@notionhq/client", events, tmp_path) == ""


def test_slacks_answers_have_the_declared_types(sandbox: Sandbox, tmp_path: Path) -> None:
    """Messages, members, conversations and the rest are what Slack's client says they are."""
    assert misfits("@slack/web-api", slack(sandbox), tmp_path) == ""


def test_an_answer_of_another_type_does_not_pass(sandbox: Sandbox, tmp_path: Path) -> None:
    """An answer that lacks something, and one that has more, are both found out."""
    user = declared(sandbox.notion("GET", "/users/me").json())
    short = {key: value for key, value in user.items() if key != "avatar_url"}
    answers = [("UserObjectResponse", one) for one in (user, short, user | {"nickname": "d"})]
    [first, second] = misfits("@notionhq/client", answers, tmp_path).split("answers.ts")[1:]
    assert "'avatar_url' is missing" in first and "'\"nickname\"' does not exist" in second
