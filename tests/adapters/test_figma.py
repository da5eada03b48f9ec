"""Figma's source against the sandbox, with the real client in front."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from discubot_pipeline.adapters.figma import FigmaSource
from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.errors import Ignored, Permanent, Transient, Unanswered
from discubot_pipeline.ports import Mark
from tests.adapters.conftest import Sandbox
from tests.adapters.figma_file import DOOR, FigmaHarness, figma_config
from tests.adapters.source_conformance import BodyConformance, ThreadConformance
from tests.adapters.source_harness import config_of, delivery_of


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[FigmaHarness]:
    """Make a file of these tests' own."""
    harness = FigmaHarness(sandbox)
    yield harness
    harness.close()


class TestFigma(BodyConformance, ThreadConformance):
    """Figma passes the suite that every source passes; its passcode is no signature, and has tests of its own."""


class TestThreads:
    """Which comments make a thread, and how they are shown."""

    def test_a_thread_is_a_root_and_its_replies(self, harness: FigmaHarness) -> None:
        """Other threads of the file stay out, whichever comment of the thread is named."""
        root, reply, _ = harness.say(["One", "Two", "Three"])
        harness.say(["Elsewhere"])
        for id in (root, reply):
            thread = harness.source.fetch(f"{harness.file}:{id}", [])
            assert [one.text for one in thread.messages] == ["One", "Two", "Three"]
            assert harness.source.root(f"{harness.file}:{id}") == f"{harness.file}:{root}"

    def test_links_lead_to_the_comment_on_its_node(self, harness: FigmaHarness) -> None:
        """Replies have no place of their own: theirs is the root's. Every link leads back to its comment."""
        root, reply = harness.say(["One", "Two"], node_id="12:34")
        thread = harness.source.fetch(f"{harness.file}:{root}", [])
        site = f"{harness.sandbox.url}/figma"
        assert [one.url for one in thread.messages] == [
            f"{site}/design/{harness.file}/?node-id=12-34#{id}" for id in (root, reply)
        ]
        assert thread.url == thread.messages[0].url
        assert [harness.door.locate(harness.config, str(one.url)) for one in thread.messages] == [
            f"{harness.file}:{root}",
            f"{harness.file}:{reply}",
        ]

    def test_authors_are_known_by_their_accounts(self, harness: FigmaHarness) -> None:
        """The account's number never changes, its name may."""
        [root] = harness.say(["One"])
        author = harness.source.fetch(f"{harness.file}:{root}", []).messages[0].author
        assert (author.id, author.name, author.handle) == (harness.people[0], "Anna de Vries", "Anna de Vries")

    def test_what_the_owner_of_the_account_says_is_heard(self, harness: FigmaHarness) -> None:
        """The token may be a person's: only the bot's own answers are left out of the thread."""
        thread_id = harness.thread()
        root = thread_id.partition(":")[2]
        harness.say(["I say so myself"], root, user=harness.bot)
        harness.source.reply(thread_id, "Made 2 tasks", "key", is_retry=False)
        assert [one.text for one in harness.source.fetch(thread_id, []).messages] == ["One", "I say so myself"]

    @pytest.mark.parametrize("thread_id", ["", "abc", "abc:", ":12", "a/b:12", "abc:1/2"])
    def test_a_wrong_thread_id_is_malformed(self, harness: FigmaHarness, thread_id: str) -> None:
        """The message says what a thread id looks like, and nothing strange gets into a path."""
        with pytest.raises(Permanent, match="malformed"):
            harness.source.fetch(thread_id, [])

    def test_a_strange_comment_costs_its_own_thread_only(self, harness: FigmaHarness) -> None:
        """What Figma does not document makes a thread unreadable, since part of it would be missing."""
        whole, broken, unread = (harness.say(["One"])[0] for _ in range(3))
        [strange] = harness.say(["Two"], broken, more={"user": None})
        [root] = harness.say(["Three"], more={"created_at": "long ago"})
        assert [one.text for one in harness.source.fetch(f"{harness.file}:{whole}", []).messages] == ["One"]
        assert harness.source.root(f"{harness.file}:{unread}") == f"{harness.file}:{unread}"
        for id in (broken, root):
            with pytest.raises(Permanent, match="unexpected_answer"):
                harness.source.fetch(f"{harness.file}:{id}", [])
        for id in (strange, root):
            harness.control("DELETE", f"/files/{harness.file}/comments/{id}")

    def test_what_is_gone_is_permanent(self, harness: FigmaHarness) -> None:
        """A comment or a file that is not there stays away."""
        for thread_id, reason in ((f"{harness.file}:1", "thread_not_found"), ("nowhere:1", "not_found")):
            with pytest.raises(Permanent) as refused:
                harness.source.fetch(thread_id, [])
            assert refused.value.reason == reason


class TestReading:
    """What a stored webhook asks."""

    def test_the_bots_own_comments_ask_for_nothing(self, harness: FigmaHarness) -> None:
        """What the bot's own account posts comes as a webhook too, and is dropped."""
        arrival = self._arrival(harness, "@discubot fix it", user=harness.bot)
        with pytest.raises(Ignored, match="own_comment"):
            harness.source.read(delivery_of(arrival, SourceType.FIGMA))

    def test_a_reply_belongs_to_its_root(self, harness: FigmaHarness) -> None:
        """Thread, message and key are those of the comment that asked."""
        [root] = harness.say(["One"])
        arrival = self._arrival(harness, "@discubot fix it", root)
        mention = harness.source.read(delivery_of(arrival, SourceType.FIGMA))
        assert mention.thread_id == arrival.thread_id == f"{harness.file}:{root}"
        assert mention.message_key == arrival.message_key == f"{harness.file}:{mention.message_id}"
        assert mention.instruction == "fix it"

    def test_a_delivery_without_its_comment_is_malformed(self, harness: FigmaHarness) -> None:
        """Rows that are ignored, purged or of another kind are no mention."""
        for content in (None, {}, {"file_key": "x"}):
            with pytest.raises(Permanent, match="malformed"):
                harness.source.read(delivery_of(Arrival(delivery_key="x", payload=content), SourceType.FIGMA))

    def test_another_trigger_is_heard(self, harness: FigmaHarness) -> None:
        """The words that call the bot are the team's choice; the account's own name always counts."""
        source = harness.open_source(trigger="@robo")
        root, *_ = harness.say(["One", "@Robo: paint it", "@discubot mend it", "@robotics is fun"])
        thread = source.fetch(f"{harness.file}:{root}", [])
        assert [one.text for one in thread.mentions] == ["paint it", "mend it"]

    def _arrival(self, harness: FigmaHarness, text: str, parent: str | None = None, **more: object) -> Arrival:
        [asked] = harness.say([text], parent, **more)
        arrival = DOOR.open(harness.config, {}, json.dumps(harness.event(asked)).encode())
        assert isinstance(arrival, Arrival)
        return arrival


class TestAnswers:
    """Answers, reactions, and what may go wrong with them."""

    def test_the_answer_goes_to_the_root_with_a_reference(self, harness: FigmaHarness) -> None:
        """The reference is short, and the same for the same key."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "1. Fix it: https://notion.so/1", "key", is_retry=False)
        [post] = harness.posts(thread_id)
        assert post == "1. Fix it: https://notion.so/1\n[ref 2c70e12b7a]"

    def test_a_long_answer_is_cut_at_a_line_and_keeps_its_reference(self, harness: FigmaHarness) -> None:
        """What has no room is left out, so that the answer can be found again."""
        thread_id = harness.thread()
        harness.source.reply(
            thread_id, "\n".join(f"{n}: https://notion.so/{n}" for n in range(500)), "k", is_retry=False
        )
        [post] = harness.posts(thread_id)
        assert len(post) < 4100
        assert "\n…\n[ref " in post

    def test_somebody_elses_words_are_no_answer(self, harness: FigmaHarness) -> None:
        """Whoever quotes the reference does not stop the bot."""
        thread_id = harness.thread()
        harness.say(["Done\n[ref 2c70e12b7a]"], thread_id.partition(":")[2])
        harness.source.reply(thread_id, "Done", "key", is_retry=True)
        assert harness.answers(thread_id) == ["Done"]

    @pytest.mark.parametrize("kind", ["drop_before", "html", "status"])
    def test_an_answer_that_cannot_be_posted_is_unanswered(self, harness: FigmaHarness, kind: str) -> None:
        """After a second failure whoever plans the retry knows that the outcome is unknown."""
        thread_id = harness.thread()
        before = harness.calls("POST /files/" + harness.file + "/comments")
        fault = {"service": "figma", "match": "POST .*/comments$", "kind": kind, "times": None}
        with harness.sandbox.fault(**fault), pytest.raises(Unanswered):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.calls("POST /files/" + harness.file + "/comments") - before == 2
        assert harness.answers(thread_id) == []

    def test_marks_use_shortcodes_and_the_root_where_nobody_asked(self, harness: FigmaHarness) -> None:
        """Each mark has its emoji; a comment that is gone needs none."""
        root, reply = harness.say(["One", "Two"])
        thread_id = f"{harness.file}:{root}"
        for mark in Mark:
            harness.source.mark(thread_id, ["1", reply], mark)
        harness.source.mark(thread_id, [], Mark.SEEN)
        assert harness.marks(thread_id, reply) == [":eyes:", ":white_check_mark:", ":x:"]
        assert harness.marks(thread_id, root) == [":eyes:"]


class TestVerdicts:
    """What Figma's refusals mean."""

    @pytest.mark.parametrize(
        ("status", "words", "reason", "verdict"),
        [
            (400, "bad", "validation", Permanent),
            (403, "Invalid token", "invalid_auth", Permanent),
            (403, "Invalid scope", "forbidden", Permanent),
            (401, "", "invalid_auth", Permanent),
            (404, "Not found", "not_found", Permanent),
            (418, "teapot", "refused", Permanent),
            (500, "Internal", "figma_down", Transient),
        ],
    )
    def test_both_shapes_of_errors_are_read(
        self, harness: FigmaHarness, status: int, words: str, reason: str, verdict: type[Transient | Permanent]
    ) -> None:
        """A bad body says `message`, all else `err`; reading is never of unknown outcome."""
        thread_id = harness.thread()
        fault = {"service": "figma", "match": "GET .*/comments$", "kind": "status", "status": status, "error": words}
        with harness.sandbox.fault(**fault), pytest.raises(verdict) as refused:
            harness.source.fetch(thread_id, [])
        assert (refused.value.reason, type(refused.value)) == (reason, verdict)
        assert harness.token not in str(refused.value)

    def test_a_plans_token_cannot_answer(self, harness: FigmaHarness) -> None:
        """It may read comments, but speaks for nobody."""
        token = harness.control("POST", "/plan-tokens")["token"]
        with pytest.raises(Permanent, match=r"forbidden|invalid_auth"):
            harness.open_source(token).reply(harness.thread(), "Done", "key", is_retry=False)

    def test_a_seat_that_may_make_few_calls_is_named(self, harness: FigmaHarness) -> None:
        """The pause may be of days; the message says why."""
        thread_id = harness.thread()
        source = harness.open_source(self._limited(harness))
        source.root(thread_id)
        with pytest.raises(Transient, match="seat") as refused:
            source.root(thread_id)
        assert refused.value.retry_after == timedelta(days=3)

    def _limited(self, harness: FigmaHarness) -> str:
        token = str(harness.control("POST", "/plan-tokens")["token"])
        change = {"seat": "view", "per_minute": {"2": 1}, "retry_after": 3 * 86_400}
        harness.control("PATCH", f"/tokens/{token}", change)
        return token

    def test_every_call_is_paced(self, harness: FigmaHarness) -> None:
        """The limiter is asked before each call."""
        paces: list[timedelta] = []
        url = f"{harness.sandbox.url}/figma"
        with FigmaSource(harness.config, url, lambda: paces.append(timedelta())) as source:
            source.fetch(harness.thread(), [])
        assert len(paces) == 2, "me, comments"

    def test_a_source_needs_a_token(self) -> None:
        """Another tool's credentials are no way into Figma, nor is what no header can hold."""
        generic = config_of(SourceType.FIGMA, GenericCredentials(signing_secret=SecretStr("whsec_")))
        for config in (generic, *map(figma_config, ("", " ", "figd_é", "figd_ 1"))):
            with pytest.raises(Permanent, match="not_configured"):
                FigmaSource(config, "http://127.0.0.1:9/")
