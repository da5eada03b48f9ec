"""Every refusal rule of the stand-ins, each with the call that must be refused and the words of the refusal.

Figma's are in `test_figma_rules`.
"""

from collections.abc import Callable
from typing import Any

import pytest

from .harness import CHANNEL, TEAM, Json, Sandbox, paragraph, rich
from .test_figma_rules import FIGMA_RULES

SlackRule = tuple[str, str, Json, str]
NOWHERE = "00000000-0000-0000-0000-000000000000"

SLACK_RULES: list[SlackRule] = [
    ("an unknown method", "chat.shout", {}, "unknown_method"),
    ("a missing argument", "conversations.replies", {"channel": CHANNEL}, "invalid_arguments"),
    ("an unknown channel", "conversations.history", {"channel": "C404"}, "channel_not_found"),
    ("a channel that the bot is not in", "conversations.history", {"channel": "C0OUT"}, "not_in_channel"),
    ("a private channel that the bot is not in", "conversations.info", {"channel": "C0SECRET"},
     "channel_not_found"),
    ("a thread that does not exist", "conversations.replies", {"channel": CHANNEL, "ts": "1.000000"},
     "thread_not_found"),
    ("a forged cursor", "conversations.history", {"channel": CHANNEL, "cursor": "page2"}, "invalid_cursor"),
    ("a cursor of another method", "users.list", {"cursor": "bmV4dF90czox", "limit": 1}, "invalid_cursor"),
    ("a limit that is no number", "users.list", {"limit": "many"}, "invalid_arguments"),
    ("a negative limit", "users.list", {"limit": -1}, "invalid_limit"),
    ("an oldest that is no ts", "conversations.history", {"channel": CHANNEL, "oldest": "today"},
     "invalid_ts_oldest"),
    ("a latest that is no ts", "conversations.history", {"channel": CHANNEL, "latest": "today"},
     "invalid_ts_latest"),
    ("an unknown conversation type", "conversations.list", {"types": "rooms"}, "invalid_types"),
    ("an unknown user", "users.info", {"user": "U404"}, "user_not_found"),
    ("a permalink of nothing", "chat.getPermalink", {"channel": CHANNEL, "message_ts": "1.0"},
     "message_not_found"),
    ("an empty post", "chat.postMessage", {"channel": CHANNEL}, "no_text"),
    ("a post of more than 40,000 characters", "chat.postMessage",
     {"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
    ("a post into a channel that the bot is not in", "chat.postMessage", {"channel": "C0OUT", "text": "x"},
     "not_in_channel"),
    ("a post into an archived channel", "chat.postMessage", {"channel": "C0OLD", "text": "x"}, "is_archived"),
    ("a reply to nothing", "chat.postMessage", {"channel": CHANNEL, "text": "x", "thread_ts": "1.0"},
     "thread_not_found"),
    ("a reply to a reply", "chat.postMessage", {"channel": CHANNEL, "text": "x", "thread_ts": "{reply}"},
     "cannot_reply_to_message"),
    ("blocks that are no JSON", "chat.postMessage", {"channel": CHANNEL, "blocks": "[{"},
     "invalid_blocks_format"),
    ("an unknown block", "chat.postMessage", {"channel": CHANNEL, "blocks": [{"type": "poem"}]},
     "invalid_blocks"),
    ("a section without text", "chat.postMessage", {"channel": CHANNEL, "blocks": [{"type": "section"}]},
     "invalid_blocks"),
    ("more than 50 blocks", "chat.postMessage", {"channel": CHANNEL, "blocks": [{"type": "divider"}] * 51},
     "invalid_blocks"),
    ("metadata without payload", "chat.postMessage",
     {"channel": CHANNEL, "text": "x", "metadata": {"event_type": "t"}}, "invalid_metadata_format"),
    ("markdown beside text", "chat.postMessage", {"channel": CHANNEL, "text": "x", "markdown_text": "y"},
     "markdown_text_conflict"),
    ("a reaction on nothing named", "reactions.add", {"channel": CHANNEL, "name": "eyes"},
     "no_item_specified"),
    ("a reaction on a bad ts", "reactions.add", {"channel": CHANNEL, "name": "eyes", "timestamp": "soon"},
     "bad_timestamp"),
    ("a reaction on no message", "reactions.add",
     {"channel": CHANNEL, "name": "eyes", "timestamp": "1.000000"}, "message_not_found"),
    ("an emoji with colons", "reactions.add", {"channel": CHANNEL, "name": ":eyes:", "timestamp": "{root}"},
     "invalid_name"),
    ("an emoji that does not exist", "reactions.add",
     {"channel": CHANNEL, "name": "eyez", "timestamp": "{root}"}, "invalid_name"),
    ("the same reaction twice", "reactions.add", {"channel": CHANNEL, "name": "+1", "timestamp": "{root}"},
     "already_reacted"),
    ("taking away a reaction that is not there", "reactions.remove",
     {"channel": CHANNEL, "name": "eyes", "timestamp": "{root}"}, "no_reaction"),
]  # fmt: skip


@pytest.fixture
def furnished(sandbox: Sandbox) -> Sandbox:
    """Add channels of every kind and a thread on which the bot has reacted."""
    channels = f"/slack/workspaces/{TEAM}/channels"
    sandbox.control("POST", channels, {"id": "C0OUT", "name": "out", "is_member": False})
    sandbox.control("POST", channels, {"id": "C0SECRET", "name": "secret", "is_member": False, "is_private": True})
    sandbox.control("POST", channels, {"id": "C0OLD", "name": "old"})
    sandbox.control("PATCH", f"{channels}/C0OLD", {"is_archived": True})
    root = sandbox.say("root", ts="1763759000.000100")["ts"]
    sandbox.say("reply", ts="1763759001.000200", thread_ts=root)
    assert sandbox.slack("reactions.add", channel=CHANNEL, name="+1", timestamp=root)["ok"]
    return sandbox


@pytest.mark.parametrize(("rule", "method", "args", "error"), SLACK_RULES, ids=[r[0] for r in SLACK_RULES])
def test_slack_refuses(furnished: Sandbox, rule: str, method: str, args: Json, error: str) -> None:
    """Slack refuses with HTTP 200 and the code of the rule."""
    names = {"{root}": "1763759000.000100", "{reply}": "1763759001.000200"}
    given = {key: names.get(value, value) if isinstance(value, str) else value for key, value in args.items()}
    assert furnished.slack(method, **given)["error"] == error


def properties(**given: Any) -> Callable[[Sandbox], Json]:
    """Make the body of a page creation with these properties."""

    def body(sandbox: Sandbox) -> Json:
        return {
            "parent": {"data_source_id": sandbox.source},
            "properties": {k.replace("_", " "): v for k, v in given.items()},
        }

    return body


def children(*blocks: Any) -> Callable[[Sandbox], Json]:
    """Make the body of a page creation with these blocks."""
    return lambda sandbox: {
        "parent": {"data_source_id": sandbox.source},
        "properties": {},
        "children": list(blocks),
    }


def query(**body: Any) -> Callable[[Sandbox], Json]:
    """Make the body of a query."""
    return lambda sandbox: body


def text(item: Json) -> Callable[[Sandbox], Json]:
    """Make the body of a page creation whose title is one piece of rich text."""
    return properties(Task={"title": [item]})


def nested(depth: int) -> Json:
    """Make a paragraph with so many levels below it."""
    return paragraph() if depth == 0 else paragraph(children=[nested(depth - 1)])


def block(kind: str, **content: Any) -> Json:
    """Make a block with words in it."""
    return {"type": kind, kind: {"rich_text": rich("x"), **content}}


LONG = "x" * 1999 + "😀"
NotionRule = tuple[str, Callable[[Sandbox], Json], str]
PAGE_RULES: list[NotionRule] = [
    ("a property that does not exist", properties(Nope={"checkbox": True}),
     "Nope is not a property that exists."),
    ("a value of another type", properties(Status={"select": {"name": "To do"}}),
     "Status is expected to be status."),
    ("a value that is no object", properties(Status="To do"), "should be an object"),
    ("an unknown status", properties(Status={"status": {"name": "Soon"}}), 'option "Soon" does not exist'),
    ("a select option with a comma", properties(Priority={"select": {"name": "a,b"}}), "commas not allowed"),
    ("a select option of 101 characters", properties(Priority={"select": {"name": "x" * 101}}), "≤ `100`"),
    ("a select that is a bare word", properties(Priority={"select": "High"}), "should be an object"),
    ("more than 100 tags", properties(Tags={"multi_select": [{"name": str(n)} for n in range(101)]}),
     "≤ `100`"),
    ("a person who does not exist", properties(Assignee={"people": [{"id": NOWHERE}]}),
     "Could not find user"),
    ("a person by name", properties(Assignee={"people": [{"id": "Anna"}]}), "valid uuid"),
    ("a date that is none", properties(Due_date={"date": {"start": "tomorrow"}}), "ISO 8601"),
    ("an address that is none", properties(Source={"url": "acme"}), "Invalid URL"),
    ("an address of 2,001 characters", properties(Source={"url": "https://a.io/" + "x" * 1988}), "≤ `2000`"),
    ("a read-only property", properties(Made={"created_time": "2026-01-01"}), "read-only"),
    ("rich text that is a string", properties(Task={"title": "Fix"}), "should be an array"),
    ("more than 100 pieces of text", properties(Task={"title": rich("x") * 101}),
     "title.length should be ≤ `100`"),
    ("2,001 UTF-16 units in one piece", text({"text": {"content": LONG}}), "≤ `2000`, instead was `2001`"),
    ("text without content", text({"text": {}}), "content should be defined"),
    ("an unknown key in text", text({"text": {"content": "x"}, "bold": True}), "bold should be not present"),
    ("an unknown annotation", text({"text": {"content": "x"}, "annotations": {"big": True}}), "not present"),
    ("an unknown colour", text({"text": {"content": "x"}, "annotations": {"color": "lime"}}), "known color"),
    ("a link that is none", text({"text": {"content": "x", "link": {"url": "javascript:alert(1)"}}}),
     "Invalid URL"),
    ("a link without a host", text({"text": {"content": "x", "link": {"url": "https://"}}}), "Invalid URL"),
    ("a link of 2,001 characters",
     text({"text": {"content": "x", "link": {"url": "https://a.io/" + "x" * 1988}}}), "≤ `2000`"),
    ("a mention of nobody", text({"mention": {"user": {"id": NOWHERE}}}), "Could not find user"),
    ("more than 100 children", children(*[paragraph()] * 101), "body.children.length should be ≤ `100`"),
    ("three levels of nesting", children(nested(3)), "children should be not present"),
    ("more than 1,000 blocks", children(*[paragraph(children=[paragraph()] * 100)] * 10),
     "≤ `1000`, instead was `1010`"),
    ("an unknown block type", children({"type": "poem", "poem": {}}), "should be one of paragraph"),
    ("a block without its content", children({"type": "paragraph"}), "paragraph should be an object"),
    ("a block without rich text", children({"type": "paragraph", "paragraph": {}}),
     "rich_text should be defined"),
    ("a block with an unknown key", children({**paragraph(), "text": "x"}), "text should be not present"),
    ("content with an unknown key", children(paragraph(text="x")), "text should be not present"),
    ("a to-do that is ticked by a word", children(block("to_do", checked="yes")), "should be a boolean"),
    ("code in an unknown language", children(block("code", language="klingon")), "known language"),
    ("code without a language", children(block("code")), "known language"),
    ("a paragraph with a word as icon", children(paragraph(icon={"emoji": "idea"})), "should be an emoji"),
    ("children under code", children(block("code", language="json", children=[paragraph()])),
     "children should be not present"),
    ("children under a plain heading", children(block("heading_2", children=[paragraph()])),
     "children should be not present"),
    ("a callout with a word as icon", children(block("callout", icon={"emoji": "idea"})),
     "should be an emoji"),
    ("a bookmark without address", children({"type": "bookmark", "bookmark": {}}), "url should be defined"),
    ("a divider with content", children(block("divider")), "should be not present"),
    ("no parent", lambda sandbox: {"properties": {}}, "body.parent should be an object"),
    ("an unknown key in the body", lambda sandbox: {**properties()(sandbox), "title": "x"},
     "body.title should be not present"),
]  # fmt: skip
QUERY_RULES: list[NotionRule] = [
    ("a filter on no property", query(filter={"property": "Nope", "url": {"equals": "x"}}),
     "Could not find property"),
    ("a filter of another type", query(filter={"property": "Status", "select": {"equals": "Done"}}),
     "does not match filter"),
    ("an unknown condition", query(filter={"property": "Source", "url": {"like": "x"}}),
     "should have exactly one of"),
    ("an unknown status in a filter", query(filter={"property": "Status", "status": {"equals": "Soon"}}),
     "not found"),
    ("a time that is none", query(filter={"timestamp": "created_time", "created_time": {"after": "noon"}}),
     "ISO 8601"),
    ("a page of 101", query(page_size=101), "between `1` and `100`"),
    ("a cursor from nowhere", query(start_cursor=NOWHERE), "start_cursor provided is invalid"),
    ("a sort without direction", query(sorts=[{"timestamp": "created_time"}]), "direction"),
    ("a trash flag that is a word", query(in_trash="yes"), "should be a boolean"),
    ("an unknown key in a query", query(limit=5), "body.limit should be not present"),
]  # fmt: skip


COMMENT_RULES: list[NotionRule] = [
    ("a comment nowhere", lambda sandbox: {"rich_text": rich("x")}, "exactly one of body.parent"),
    ("a comment in two places", lambda sandbox: {**on(sandbox), "discussion_id": NOWHERE}, "exactly one of"),
    ("a comment on a database", lambda sandbox: {**on(sandbox), "parent": {"database_id": sandbox.database}},
     "exactly one of block_id, page_id"),
    ("a comment on no page", lambda sandbox: {**on(sandbox), "parent": {"page_id": NOWHERE}},
     "Could not find page"),
    ("a comment in no discussion", lambda sandbox: {"discussion_id": NOWHERE, "rich_text": rich("x")},
     "Could not find discussion"),
    ("a comment without words", lambda sandbox: {"parent": on(sandbox)["parent"]}, "rich_text should be defined"),
    ("a comment that is a string", lambda sandbox: on(sandbox, "hello"), "should be an array"),
    ("a comment of 101 pieces", lambda sandbox: on(sandbox, rich("x") * 101), "≤ `100`"),
    ("a comment of 2,001 units in one piece", lambda sandbox: on(sandbox, rich(LONG)), "≤ `2000`"),
    ("a link in a comment that is none",
     lambda sandbox: on(sandbox, [{"text": {"content": "x", "link": {"url": "javascript:x"}}}]), "Invalid URL"),
    ("an unknown key in a comment", lambda sandbox: {**on(sandbox), "text": "x"}, "body.text should be not present"),
]  # fmt: skip


def on(sandbox: Sandbox, words: Any = None) -> Json:
    """Make the body of a comment on the document."""
    parent = {"page_id": sandbox.defaults["notion"]["page_id"]}
    return {"parent": parent, "rich_text": rich("x") if words is None else words}


@pytest.mark.parametrize(("rule", "body", "words"), COMMENT_RULES, ids=[r[0] for r in COMMENT_RULES])
def test_notion_refuses_a_comment(sandbox: Sandbox, rule: str, body: Callable[[Sandbox], Json], words: str) -> None:
    """Notion refuses the comment with the rule's words and stores nothing."""
    answer = sandbox.notion("POST", "/comments", body(sandbox))
    assert answer.status_code in (400, 404) and words in answer.json()["message"]
    assert sandbox.control("GET", "/notion/comments")["comments"] == []


@pytest.mark.parametrize(("rule", "body", "words"), PAGE_RULES, ids=[r[0] for r in PAGE_RULES])
def test_notion_refuses_a_page(sandbox: Sandbox, rule: str, body: Callable[[Sandbox], Json], words: str) -> None:
    """Notion refuses the page with the rule's words and stores nothing."""
    columns = {"Made": "created_time"} | {k: v["type"] for k, v in _columns(sandbox).items() if v["type"] != "title"}
    columns["Status"] = {"type": "status", "options": ["To do", "Done"]}
    made = sandbox.control(
        "POST",
        "/notion/databases",
        {"tokens": [sandbox.notion_token], "title_property": "Task", "properties": columns},
    )
    sandbox.source = made["data_source_id"]
    answer = sandbox.notion("POST", "/pages", body(sandbox))
    assert answer.status_code in (400, 404) and words in answer.json()["message"]
    assert answer.json()["code"] in ("validation_error", "object_not_found") and sandbox.pages() == []


def _columns(sandbox: Sandbox) -> Json:
    found: Json = sandbox.notion("GET", f"/data_sources/{sandbox.source}").json()["properties"]
    return found


@pytest.mark.parametrize(("rule", "body", "words"), QUERY_RULES, ids=[r[0] for r in QUERY_RULES])
def test_notion_refuses_a_query(sandbox: Sandbox, rule: str, body: Callable[[Sandbox], Json], words: str) -> None:
    """Notion refuses the query with the rule's words."""
    answer = sandbox.notion("POST", f"/data_sources/{sandbox.source}/query", body(sandbox))
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert words in answer.json()["message"]


def test_rules_have_names_of_their_own() -> None:
    """No rule is listed twice."""
    tables = (SLACK_RULES, PAGE_RULES, QUERY_RULES, COMMENT_RULES, FIGMA_RULES)
    names = [rule[0] for table in tables for rule in table]
    assert len(names) == len(set(names))
