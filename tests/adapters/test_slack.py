"""Slack's source against the sandbox, with the real client in front."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from discubot_pipeline.adapters.slack import RememberedPeople, SlackSource
from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from discubot_pipeline.ports import Mark
from tests.adapters.conftest import Sandbox
from tests.adapters.slack_workspace import DOOR, SlackHarness, opened, slack_config
from tests.adapters.source_conformance import SourceConformance
from tests.adapters.source_harness import config_of, delivery_of


class CountingPeople(RememberedPeople):
    """People that remember who was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, user_id: str) -> Author | None:
        self.asked.append(user_id)
        return super().get(user_id)


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[SlackHarness]:
    """Make a workspace of these tests' own."""
    harness = SlackHarness(sandbox)
    yield harness
    harness.close()


class TestSlack(SourceConformance):
    """Slack passes the suite that every source passes."""


class TestWebApi:
    """The source against the sandbox, where the suite for all sources does not reach."""

    def test_reading_a_delivery_calls_nobody(self, harness: SlackHarness) -> None:
        """The words of a delivery are read offline: Slack being down does not fail the first stage."""
        arrival = opened("app_mention")
        with SlackSource(slack_config(), "http://127.0.0.1:9/") as source:
            mention = source.read(delivery_of(arrival, SourceType.SLACK))
        assert mention.message_id == "1763760000.000200"
        assert mention.instruction == "make tasks & reply"

    def test_a_delivery_without_its_message_is_malformed(self, harness: SlackHarness) -> None:
        """Rows that are ignored, purged or of another kind are no mention."""
        for content in (None, {}, {"channel": "C1"}):
            delivery = delivery_of(Arrival(delivery_key="x", payload=content), SourceType.SLACK)
            with pytest.raises(Permanent, match="malformed"):
                harness.source.read(delivery)

    def test_people_are_asked_for_once(self, harness: SlackHarness) -> None:
        """Two people in a long thread are two calls, and none the next time."""
        stamps = harness.say(harness.channel, [f"Hi <@{harness.people[0]}>" for _ in range(20)])
        source, before = harness.open_source(), harness.calls("users.info")
        source.fetch(f"{harness.channel}:{stamps[0]}", [])
        source.fetch(f"{harness.channel}:{stamps[0]}", [])
        assert harness.calls("users.info") - before == 2

    def test_permalinks_are_slacks(self, harness: SlackHarness) -> None:
        """What is built locally is what chat.getPermalink gives, and leads back to the thread."""
        stamps = harness.say(harness.channel, ["One", "Two"])
        thread = harness.source.fetch(f"{harness.channel}:{stamps[0]}", [])
        for message in thread.messages:
            link = harness.client.chat_getPermalink(channel=harness.channel, message_ts=message.id)["permalink"]
            assert message.url == link
            assert DOOR.locate(harness.config, str(link)) == f"{harness.channel}:{stamps[0]}"

    def test_everything_in_a_direct_message_is_meant_for_the_bot(self, harness: SlackHarness) -> None:
        """Without a mention the words count as said to the bot."""
        channel = harness.direct_channel()
        stamps = harness.say(channel, ["fix the header", "and the footer"])
        thread = harness.source.fetch(f"{channel}:{stamps[0]}", [])
        assert thread.mentions == thread.messages
        assert [one.text for one in thread.messages] == ["fix the header", "and the footer"]

    def test_a_deleted_root_leaves_the_replies(self, harness: SlackHarness) -> None:
        """The tombstone is no message; the title is that of the first that is left."""
        stamps = harness.say(harness.channel, ["One", "Two", "Three"])
        harness.sandbox.control("DELETE", f"/slack/messages/{harness.team}/{harness.channel}/{stamps[0]}?quiet=true")
        thread = harness.source.fetch(f"{harness.channel}:{stamps[0]}", [])
        assert [one.text for one in thread.messages] == ["Two", "Three"]
        assert thread.title == "Two"

    def test_the_answer_stands_in_the_thread_and_unfolds_nothing(self, harness: SlackHarness) -> None:
        """The answer is a reply to the root, with its key as metadata."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "Made <https://notion.so/1|Fix it>", "key", is_retry=False)
        root = thread_id.partition(":")[2]
        found = harness.client.conversations_replies(channel=harness.channel, ts=root, include_all_metadata=True)[
            "messages"
        ]
        assert found is not None
        assert found[-1]["thread_ts"] == root
        assert found[-1]["text"] == "Made <https://notion.so/1|Fix it>"
        assert found[-1]["metadata"] == {"event_type": "discubot_reply", "event_payload": {"key": "key"}}

    def test_a_long_answer_is_cut_at_a_line(self, harness: SlackHarness) -> None:
        """Slack asks for at most 4,000 characters."""
        thread_id = harness.thread()
        lines = [f"{number}: <https://notion.so/{number}|Task {number}>" for number in range(200)]
        harness.source.reply(thread_id, "\n".join(lines), "key", is_retry=False)
        [answer] = harness.answers(thread_id)
        assert 3500 < len(answer) <= 4000
        assert answer.split("\n")[:-1] == lines[: answer.count("\n")]
        assert answer.endswith("\n…")

    def test_an_answer_that_never_arrived_is_posted_again(self, harness: SlackHarness) -> None:
        """When the connection drops before the post, nothing is found, and it is posted."""
        thread_id = harness.thread()
        with harness.sandbox.fault(service="slack", match="chat.postMessage", kind="drop_before"):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.answers(thread_id) == ["Done"]

    @pytest.mark.parametrize("kind", ["drop_before", "html", "status"])
    def test_an_answer_that_cannot_be_posted_is_unanswered(self, harness: SlackHarness, kind: str) -> None:
        """After a second failure whoever plans the retry knows that the outcome is unknown."""
        thread_id = harness.thread()
        fault = {"service": "slack", "match": "chat.postMessage", "kind": kind, "times": None}
        before = harness.calls("chat.postMessage")
        with harness.sandbox.fault(**fault), pytest.raises(Unanswered):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.calls("chat.postMessage") - before == 2
        assert harness.answers(thread_id) == []

    def test_somebody_elses_key_is_not_ours(self, harness: SlackHarness) -> None:
        """Only the bot's own messages count, and only with the very key."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "Done", "key-1", is_retry=True)
        harness.source.reply(thread_id, "key-1 is done", "key", is_retry=True)
        assert harness.answers(thread_id) == ["Done", "key-1 is done"]

    def test_marks_use_the_agreed_reactions(self, harness: SlackHarness) -> None:
        """Eyes at the start, a check mark or a cross at the end, on each message that asked."""
        stamps = harness.say(harness.channel, ["One", "Two"])
        thread_id = f"{harness.channel}:{stamps[0]}"
        for mark in Mark:
            harness.source.mark(thread_id, stamps, mark)
        for ts in stamps:
            assert harness.marks(thread_id, ts) == ["eyes", "white_check_mark", "x"]

    def test_where_nobody_asked_the_root_is_marked(self, harness: SlackHarness) -> None:
        """A run that a person launched has no mention to react to."""
        stamps = harness.say(harness.channel, ["One", "Two"])
        harness.source.mark(f"{harness.channel}:{stamps[0]}", [], Mark.SEEN)
        assert [harness.marks(harness.channel, ts) for ts in stamps] == [["eyes"], []]

    def test_a_message_that_is_gone_needs_no_mark(self, harness: SlackHarness) -> None:
        """The others get theirs."""
        [ts] = harness.say(harness.channel, ["One"])
        thread_id = f"{harness.channel}:{ts}"
        harness.source.mark(thread_id, ["1600000000.000100", ts], Mark.DONE)
        assert harness.marks(thread_id, ts) == ["white_check_mark"]

    @pytest.mark.parametrize("thread_id", ["", "C1", "C1:", ":1763760000.000200"])
    def test_a_wrong_thread_id_is_malformed(self, harness: SlackHarness, thread_id: str) -> None:
        """The message says what a thread id looks like."""
        with pytest.raises(Permanent, match="malformed"):
            harness.source.fetch(thread_id, [])

    def test_an_unknown_thread_is_permanent(self, harness: SlackHarness) -> None:
        """A thread or channel that is not there stays away."""
        for thread_id, reason in (
            (f"{harness.channel}:1600000000.000100", "thread_not_found"),
            ("C0NOWHERE:1600000000.000100", "channel_not_found"),
        ):
            with pytest.raises(Permanent) as refused:
                harness.source.fetch(thread_id, [])
            assert refused.value.reason == reason

    def test_a_missing_scope_is_named(self, harness: SlackHarness) -> None:
        """The message says which scope to add."""
        thread_id = harness.thread()
        path = f"/slack/workspaces/{harness.team}"
        harness.sandbox.control("PATCH", path, {"scopes": ["users:read"]})
        try:
            with pytest.raises(Permanent) as refused:
                harness.source.fetch(thread_id, [])
        finally:
            harness.sandbox.control("PATCH", path, {"scopes": None})
        assert refused.value.reason == "missing_scope"
        assert "channels:history" in refused.value.message

    @pytest.mark.parametrize(
        ("code", "verdict"),
        [
            *[(code, Transient) for code in ("ratelimited", "internal_error", "fatal_error", "request_timeout")],
            *[(code, Transient) for code in ("service_unavailable", "team_added_to_org")],
            *[(code, Permanent) for code in ("not_authed", "account_inactive", "token_revoked", "token_expired")],
            *[(code, Permanent) for code in ("not_in_channel", "ekm_access_denied", "something_new")],
        ],
    )
    def test_error_codes_are_told_apart(
        self, harness: SlackHarness, code: str, verdict: type[Transient | Permanent]
    ) -> None:
        """The code is the reason; the message is for people and has no token in it."""
        thread_id = harness.thread()
        fault = {"service": "slack", "match": "conversations.replies", "kind": "error", "error": code}
        with harness.sandbox.fault(**fault), pytest.raises(verdict) as refused:
            harness.source.fetch(thread_id, [])
        assert refused.value.reason == code
        assert type(refused.value) is verdict
        assert harness.token not in str(refused.value)

    @pytest.mark.parametrize(("code", "posts"), [("fatal_error", 2), ("ratelimited", 1), ("is_archived", 1)])
    def test_only_an_unknown_outcome_is_looked_into(self, harness: SlackHarness, code: str, posts: int) -> None:
        """A post that was refused was not carried out: nothing is looked up, nothing posted twice."""
        thread_id = harness.thread()
        before = harness.calls("chat.postMessage"), harness.calls("conversations.replies")
        fault = {"match": "chat.postMessage", "kind": "error", "error": code, "times": None}
        with harness.sandbox.fault(service="slack", **fault), pytest.raises((Transient, Permanent)):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.calls("chat.postMessage") - before[0] == posts
        assert harness.calls("conversations.replies") - before[1] == posts - 1

    def test_an_outage_is_transient(self, harness: SlackHarness) -> None:
        """A gateway's page in place of Slack's answer is worth another try."""
        thread_id = harness.thread()
        harness.sandbox.control("PUT", "/services/slack", {"down": True})
        try:
            with pytest.raises(Transient) as refused:
                harness.source.fetch(thread_id, [])
        finally:
            harness.sandbox.control("PUT", "/services/slack", {"down": False})
        assert refused.value.reason == "slack_down"

    def test_every_call_is_paced(self, harness: SlackHarness) -> None:
        """The limiter is asked before each call."""
        paces: list[timedelta] = []
        url = f"{harness.sandbox.url}/slack/api/"
        with SlackSource(harness.config, url, lambda: paces.append(timedelta())) as source:
            source.fetch(harness.thread(), [])
        assert len(paces) == 3, "auth.test, conversations.replies, users.info"

    def test_a_source_needs_a_token(self) -> None:
        """Another tool's credentials are no way into Slack, nor is what no header can hold."""
        generic = config_of(SourceType.SLACK, GenericCredentials(signing_secret=SecretStr("whsec_")))
        for config in (generic, *map(slack_config, ("", " ", "xoxb-é", "xoxb-secret 1", "xoxb-\ud800"))):
            with pytest.raises(Permanent, match="not_configured") as refused:
                SlackSource(config, "http://127.0.0.1:9/")
            assert "secret" not in str(refused.value)

    def test_a_token_pasted_with_its_line_break_works(self, harness: SlackHarness) -> None:
        """Blanks around a token are no part of it."""
        assert harness.open_source(f" {harness.token}\n").fetch(harness.thread(), []).messages

    def test_names_are_looked_up_once_for_a_thread(self, harness: SlackHarness) -> None:
        """The cache may be a database: a long thread asks it once for each person."""
        people = CountingPeople()
        stamps = harness.say(harness.channel, [f"Hi <@{harness.people[0]}>" for _ in range(20)])
        with SlackSource(harness.config, f"{harness.sandbox.url}/slack/api/", cache=people) as source:
            source.fetch(f"{harness.channel}:{stamps[0]}", [])
        assert sorted(people.asked) == sorted(harness.people)
