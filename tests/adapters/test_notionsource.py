"""Notion's source against the sandbox: comments, the page below them, names, answers."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from discubot_pipeline.adapters.notionsource import NotionSource
from discubot_pipeline.adapters.slack import RememberedPeople
from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, Delivery, SourceType
from discubot_pipeline.domain.errors import Ignored, Permanent, Transient
from discubot_pipeline.ports import Mark
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_comments import DOOR, NotionHarness, notion_config, opened, rich
from tests.adapters.source_conformance import SourceConformance
from tests.adapters.source_harness import NOW, Harness, config_of, delivery_of

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[NotionHarness]:
    """Make a connection of these tests' own."""
    sandbox.control("PUT", "/notion/limits", {"requests": 100_000})
    harness = NotionHarness(sandbox)
    yield harness
    harness.close()
    sandbox.control("DELETE", "/notion/limits")


def delivered(harness: NotionHarness, body: bytes) -> Delivery:
    """Let a request arrive; gives its row."""
    arrival = DOOR.open(harness.config, {}, body)
    assert isinstance(arrival, Arrival)
    return delivery_of(arrival, SourceType.NOTION)


class TestNotion(SourceConformance):
    """Notion passes the suite that every source passes, but for what it does not have: times and reactions."""

    @pytest.mark.parametrize("seconds", [0])
    def test_outside_the_window_is_stale(self, harness: Harness, seconds: int) -> None:
        """Its signature names no time: what is sent again is known by the keys of the event and of the comment."""
        body = harness.ask(["One"], None)
        harness.door.verify(harness.config, harness.sign(body, NOW), body, NOW.replace(year=2036))
        arrival = harness.door.open(harness.config, {}, body)
        assert isinstance(arrival, Arrival)
        assert arrival.delivery_key
        assert arrival.message_key

    def test_marks_may_be_repeated(self, harness: Harness) -> None:
        """Its API has no reactions: a mark does nothing, and that is fine."""
        for mark in Mark:
            harness.source.mark(f"{NOWHERE}:{NOWHERE}", [], mark)


class TestReading:
    """What a delivery asks is read through the API, since Notion's event is only a signal."""

    def test_an_event_without_the_discussion_finds_it(self, sandbox: Sandbox) -> None:
        """Notion's documented event names page and comment; the thread is the comment's own."""
        harness = NotionHarness(sandbox, names_discussions=False)
        [first] = harness.say(["The header is broken"])
        comment = harness.call("@discubot fix the header", first["discussion_id"])
        delivery = delivered(harness, harness.event(comment))
        mention = harness.source.read(delivery)
        assert delivery.thread_id == f"{harness.page}:@{comment['id']}"
        assert mention.thread_id == f"{harness.page}:{first['discussion_id']}"
        assert (mention.message_id, mention.instruction) == (comment["id"], "fix the header")
        harness.close()

    @pytest.mark.parametrize("text", ["nice page", "see discubot.example", "mail me@discubot.example", "discubots"])
    def test_a_comment_that_does_not_call_is_ignored(self, harness: NotionHarness, text: str) -> None:
        """The keyword is a word by itself."""
        delivery = delivered(harness, harness.event(harness.call(text, harness.thread().partition(":")[2])))
        with pytest.raises(Ignored, match="not_a_mention"):
            harness.source.read(delivery)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Discubot: fix it", "fix it"),
            ("please fix it, @DISCUBOT!", "please fix it,!"),
            ("fix it discubot", "fix it"),
            ("(@discubot) fix it", "() fix it"),
            ("@discubot", None),
            ("discubot ?", None),
        ],
    )
    def test_the_keyword_may_stand_anywhere(self, harness: NotionHarness, text: str, words: str | None) -> None:
        """With or without @, in any case, with its colon or comma; alone it is a bare mention."""
        delivery = delivered(harness, harness.event(harness.call(text, harness.thread().partition(":")[2])))
        assert harness.source.read(delivery).instruction == words

    def test_another_keyword_takes_the_place_of_ours(self, harness: NotionHarness) -> None:
        """A source may choose what it listens to."""
        discussion = harness.thread().partition(":")[2]
        source = harness.open_source(trigger="@to-do")
        ours = delivered(harness, harness.event(harness.call("@discubot fix it", discussion)))
        theirs = delivered(harness, harness.event(harness.call("To-do: fix it", discussion)))
        with pytest.raises(Ignored):
            source.read(ours)
        assert source.read(theirs).instruction == "fix it"

    def test_a_mention_of_the_connection_calls_it_too(self, harness: NotionHarness) -> None:
        """Where people can mention the bot as a user, they need no keyword."""
        pieces = [{"mention": {"user": {"id": harness.bot}}}, rich(" fix it")]
        said = harness.call(None, harness.thread().partition(":")[2], rich_text=pieces)
        assert harness.source.read(delivered(harness, harness.event(said))).instruction == "fix it"

    def test_the_bots_own_comment_never_calls(self, harness: NotionHarness) -> None:
        """Not even with the keyword in it, and not even when the event does not say who wrote it."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "Ask @discubot again", "key", is_retry=False)
        [own] = harness.posted(thread_id)
        arrival = Arrival(delivery_key="x", payload={"comment_id": own["id"]})
        with pytest.raises(Ignored, match="bot_message"):
            harness.source.read(delivery_of(arrival, SourceType.NOTION))

    def test_a_comment_that_is_not_there_yet_is_waited_for(self, harness: NotionHarness) -> None:
        """The event may be quicker than the data: worth another try."""
        said = harness.call("@discubot fix it", harness.thread().partition(":")[2])
        delivery = delivered(harness, harness.event(said))
        harness.sandbox.control("PUT", "/notion/limits", {"comment_lag_seconds": 1000})
        try:
            with pytest.raises(Transient) as missing:
                harness.source.read(delivery)
        finally:
            harness.sandbox.control("PUT", "/notion/limits", {"comment_lag_seconds": 0})
        assert (missing.value.reason, missing.value.retry_after) == ("not_yet", None)
        assert harness.source.read(delivery).instruction == "fix it"

    def test_a_delivery_without_a_comment_is_malformed(self, harness: NotionHarness) -> None:
        """Rows that are ignored, purged or of another kind are no mention."""
        for arrival in (opened("page_created"), opened("page_properties_updated")):
            with pytest.raises(Permanent, match="malformed"):
                harness.source.read(delivery_of(arrival, SourceType.NOTION))


class TestThread:
    """The discussion with all that is around it."""

    def test_other_discussions_of_the_page_are_left_out(self, harness: NotionHarness) -> None:
        """A page may have many discussions at once."""
        thread_id = harness.thread("One", "Two")
        harness.thread("Something else")
        assert [one.text for one in harness.source.fetch(thread_id, []).messages] == ["One", "Two"]

    def test_links_lead_back_to_the_discussion(self, harness: NotionHarness) -> None:
        """The address that people copy leads to the thread again."""
        thread_id = harness.thread("One")
        url = harness.source.fetch(thread_id, []).url
        assert url is not None
        assert type(DOOR)(f"{harness.sandbox.url}/notion").locate(harness.config, url) == thread_id

    def test_the_page_is_the_context(self, harness: NotionHarness) -> None:
        """Headings, lists, to-dos, code and quotes as text; what is inside them is set in."""
        inner = {"type": "bulleted_list_item", "bulleted_list_item": {"rich_text": [rich("colours")]}}
        kinds = [
            ("heading_1", rich("Plan"), {}),
            ("bulleted_list_item", rich("Header"), {"children": [inner]}),
            ("numbered_list_item", rich("Footer"), {}),
            ("to_do", rich("Ask Ben"), {"checked": True}),
            ("to_do", rich("Ask Anna"), {}),
            ("quote", rich("Less is more"), {}),
            ("code", rich("x = 1"), {"language": "python"}),
            ("paragraph", rich("the brief", "https://acme.example/brief"), {}),
        ]
        children = [{"type": kind, kind: {"rich_text": [words], **more}} for kind, words, more in kinds]
        page = harness.write("Plan", children=[*children, {"type": "divider", "divider": {}}])
        context = harness.source.fetch(harness.thread("One", page_id=page), []).context
        assert context is not None
        assert context.splitlines() == [
            "# Plan",
            "- Header",
            "  - colours",
            "1. Footer",
            "[x] Ask Ben",
            "[ ] Ask Anna",
            "> Less is more",
            *("```", "x = 1", "```"),
            "the brief (https://acme.example/brief)",
            "---",
        ]

    def test_the_context_is_bounded(self, harness: NotionHarness) -> None:
        """Of a long page the first 5,000 characters are enough, and no more of it is read."""
        page = harness.write("Long", ["x" * 1500] * 100)
        before = harness.calls(f"/blocks/{page}/children")
        context = harness.source.fetch(harness.thread("One", page_id=page), []).context
        assert context is not None
        assert len(context) == 5000
        assert context.endswith("…")
        assert harness.calls(f"/blocks/{page}/children") - before == 1

    def test_a_comment_on_a_block_names_the_block(self, harness: NotionHarness) -> None:
        """Its thread is that of the block; the link leads there, and the context begins with it."""
        listed = harness.sandbox.control("GET", f"/notion/pages/{harness.page}")
        block = listed["blocks"][0]["id"]
        thread_id = harness.thread("Which year?", block_id=block)
        thread = harness.source.fetch(thread_id, [])
        assert thread_id.startswith(block)
        assert thread.url is not None and thread.url.endswith(f"#{block.replace('-', '')}")
        assert thread.context is not None
        assert thread.context.startswith("Comment on: The prices are those of last year.\n\nThe prices")

    def test_a_connection_without_the_right_to_read_has_no_context(self, sandbox: Sandbox) -> None:
        """Comments alone are enough to work with, and so are people without names."""
        made = sandbox.control(
            "POST", "/notion/integrations", {"capabilities": ["read_comments", "insert_comments"], "name": "Poor"}
        )
        page = sandbox.control("POST", "/notion/documents", {"title": "Plan", "tokens": [made["token"]]})["page_id"]
        said = sandbox.control("POST", "/notion/comments", {"page_id": page, "text": "One"})
        with NotionSource(notion_config(made["token"]), f"{sandbox.url}/notion") as source:
            thread = source.fetch(f"{page}:{said['discussion_id']}", [])
        assert thread.context is None
        assert [one.author.name for one in thread.messages] == [said["name"]]

    def test_without_the_right_to_comments_nothing_can_be_read(self, sandbox: Sandbox) -> None:
        """Which capability is missing is said by Notion, and that it is final by us."""
        made = sandbox.control("POST", "/notion/integrations", {"capabilities": ["read_content"], "name": "Deaf"})
        page = sandbox.control("POST", "/notion/documents", {"title": "Plan", "tokens": [made["token"]]})["page_id"]
        with NotionSource(notion_config(made["token"]), f"{sandbox.url}/notion") as source:
            with pytest.raises(Permanent, match="forbidden"):
                source.fetch(f"{page}:{NOWHERE}", [])

    def test_people_are_listed_once(self, harness: NotionHarness) -> None:
        """A thread asks for the list of users, however long it is; the next one knows its people."""
        people, calls = RememberedPeople(), []
        config, url = notion_config(harness.token), f"{harness.sandbox.url}/notion"
        thread_id = harness.thread(*["Hi"] * 20)
        for _ in range(2):
            before = harness.calls("GET /users$")
            with NotionSource(config, url, cache=people) as source:
                source.fetch(thread_id, [])
            calls.append(harness.calls("GET /users$") - before)
        assert 1 <= calls[0] < 20, "one for each page of the list"
        assert calls[1] == 0
        assert people.get(harness.people[0]) is not None
        assert people.get(harness.bot) is None, "only who has said something is kept"

    def test_a_resolved_discussion_is_not_there(self, harness: NotionHarness) -> None:
        """Notion lists open comments only; the message says what may have happened."""
        thread_id = harness.thread("One")
        harness.sandbox.control("POST", f"/notion/discussions/{thread_id.partition(':')[2]}/resolve")
        with pytest.raises(Transient, match="resolved"):
            harness.source.fetch(thread_id, [])

    @pytest.mark.parametrize("thread_id", ["", "x", "C1:1.1", f"{NOWHERE}:", f"{NOWHERE}:@{NOWHERE}"])
    def test_a_wrong_thread_id_is_malformed(self, harness: NotionHarness, thread_id: str) -> None:
        """The message says what a thread id looks like."""
        with pytest.raises(Permanent, match="malformed"):
            harness.source.fetch(thread_id, [])

    def test_a_page_that_is_not_shared_is_not_found(self, harness: NotionHarness) -> None:
        """The message says to share it."""
        with pytest.raises(Permanent, match="share"):
            harness.source.fetch(f"{NOWHERE}:{NOWHERE}", [])


def test_a_source_needs_a_token() -> None:
    """Another tool's credentials are no way into Notion, nor is what no header can hold."""
    generic = config_of(SourceType.NOTION, GenericCredentials(signing_secret=SecretStr("whsec_")))
    for config in (generic, *map(notion_config, ("", " ", "ntn_é", "ntn_secret 1"))):
        with pytest.raises(Permanent, match="not_configured") as refused:
            NotionSource(config, "http://127.0.0.1:9/")
        assert "secret" not in str(refused.value)
