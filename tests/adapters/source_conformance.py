"""What every source must do, whatever tool it speaks for. A source's tests subclass it, with a harness."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from discubot_pipeline.domain.delivery import Arrival, Challenge, Delivery
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.ports import FetchedThread, Mark
from tests.adapters.source_harness import (
    FUZZ,
    JSON,
    NOW,
    WINDOW,
    Harness,
    delivery_of,
    is_storable,
    planted,
    spots,
)


class SourceConformance:
    """The suite. A subclass has a fixture `harness`, of class scope or wider."""

    def test_a_signed_request_is_accepted(self, harness: Harness) -> None:
        """What the service signed a moment ago passes."""
        body = harness.ask(["One"], None)
        harness.door.verify(harness.config, harness.sign(body, NOW), body, NOW)

    @pytest.mark.parametrize("seconds", [-300, -299, 299, 300])
    def test_the_window_is_five_minutes_both_ways(self, harness: Harness, seconds: int) -> None:
        """A request passes up to five minutes after it was signed, and before, since clocks differ."""
        headers = harness.sign(b"{}", NOW + timedelta(seconds=seconds))
        harness.door.verify(harness.config, headers, b"{}", NOW)

    @pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
    def test_outside_the_window_is_stale(self, harness: Harness, seconds: int) -> None:
        """A replayed request is refused, however good its signature."""
        headers = harness.sign(b"{}", NOW + timedelta(seconds=seconds))
        with pytest.raises(Permanent) as refused:
            harness.door.verify(harness.config, headers, b"{}", NOW)
        assert refused.value.reason == "stale"

    def test_a_changed_body_is_refused(self, harness: Harness) -> None:
        """The signature covers every byte."""
        headers = harness.sign(b'{"a": 1}', NOW)
        with pytest.raises(Permanent) as refused:
            harness.door.verify(harness.config, headers, b'{"a": 2}', NOW)
        assert refused.value.reason == "signature"

    def test_no_header_can_be_left_out_or_changed(self, harness: Harness) -> None:
        """Each header that carries the proof is needed, as it is."""
        good = harness.sign(b"{}", NOW)
        for name in good:
            for bad in ("", "x", good[name] + "0", good[name].swapcase() + "é", "\ud800", "0", "-1", "٣"):
                with pytest.raises(Permanent) as refused:
                    harness.door.verify(harness.config, good | {name: bad}, b"{}", NOW)
                assert refused.value.reason in {"signature", "stale"}
            with pytest.raises(Permanent):
                harness.door.verify(harness.config, {k: good[k] for k in good if k != name}, b"{}", NOW)

    def test_garbage_is_refused_and_nothing_else(self, harness: Harness) -> None:
        """Whatever a stranger sends ends in a verdict, never in another exception."""
        good = harness.sign(b"{}", NOW)
        any_headers = st.fixed_dictionaries({name: st.text() | st.just(good[name]) for name in good})

        @FUZZ
        @given(any_headers, st.binary(max_size=200))
        def is_refused(headers: dict[str, str], body: bytes) -> None:
            assume(headers != good or body != b"{}")
            with pytest.raises(Permanent) as refused:
                harness.door.verify(harness.config, headers, body, NOW)
            assert refused.value.reason in {"signature", "stale"}

        is_refused()

    def test_a_strange_body_is_malformed(self, harness: Harness) -> None:
        """A signed body that is no message ends in a verdict, never in another exception."""
        headers = harness.sign(b"{}", NOW)

        @FUZZ
        @given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
        def is_malformed(body: bytes) -> None:
            with pytest.raises(Permanent) as refused:
                harness.door.open(harness.config, headers, body)
            assert refused.value.reason == "malformed"

        is_malformed()

    @pytest.mark.parametrize("body", [b"[" * 100_000, b'{"type":' * 50_000, b"1" * 10_000, b"\xff\xfe{}", b""])
    def test_a_hostile_body_is_malformed(self, harness: Harness, body: bytes) -> None:
        """Depth, size and broken encodings are refused like any other nonsense."""
        with pytest.raises(Permanent) as refused:
            harness.door.open(harness.config, harness.sign(b"{}", NOW), body)
        assert refused.value.reason == "malformed"

    def test_one_wrong_field_breaks_nothing(self, harness: Harness) -> None:
        """Any field may hold anything: it ends in an arrival that can be stored, or as malformed."""
        headers, good = harness.sign(b"{}", NOW), json.loads(harness.ask(["One"], "do it"))

        @FUZZ
        @given(st.sampled_from(list(spots(good))), JSON)
        def is_handled(spot: tuple[str | int, ...], new: object) -> None:
            body = json.dumps(planted(good, spot, new)).encode()
            try:
                arrival = harness.door.open(harness.config, headers, body)
            except Permanent as refused:
                fine = refused.reason == "malformed"
            else:
                fine = isinstance(arrival, Challenge) or is_storable(arrival, harness.door.kind)
            assert fine

        is_handled()

    def test_the_same_request_has_the_same_keys(self, harness: Harness) -> None:
        """A redelivery, signed anew, is the same arrival."""
        body = harness.ask(["One"], "do it")
        first = harness.door.open(harness.config, harness.sign(body, NOW), body)
        again = harness.door.open(harness.config, harness.sign(body, NOW + WINDOW), body)
        assert first == again
        assert isinstance(first, Arrival)
        assert first.reason is None
        assert first.thread_id
        assert first.payload

    def test_a_foreign_link_is_no_thread(self, harness: Harness) -> None:
        """Links of other tools, and what is no link at all, lead to no thread."""
        for url in (
            "",
            "hello",
            "https://example.com/archives/C1/p1763760000000200",
            "http://[",
            "https://a\0b",
        ):
            assert harness.door.locate(harness.config, url) is None

    def test_words_beside_the_mention_are_the_instruction(self, harness: Harness) -> None:
        """What people write beside the mention is read from the delivery, and found in the thread."""
        delivery = self._deliver(harness, ["The header is broken"], "fix the header")
        mention = harness.source.read(delivery)
        thread = harness.source.fetch(mention.thread_id, [delivery])
        assert mention.thread_id == delivery.thread_id
        assert mention.instruction == "fix the header"
        assert [(one.id, one.text) for one in thread.mentions] == [(mention.message_id, "fix the header")]

    def test_a_bare_mention_adds_nothing(self, harness: Harness) -> None:
        """A mention without words asks to read the thread; it is no message of it."""
        delivery = self._deliver(harness, ["The header is broken", "And the footer"], None)
        thread = harness.source.fetch(str(delivery.thread_id), [delivery])
        assert harness.source.read(delivery).instruction is None
        assert thread.mentions == ()
        assert [one.text for one in thread.messages] == ["The header is broken", "And the footer"]
        assert thread.title == "The header is broken"

    def test_a_long_thread_is_complete_and_in_order(self, harness: Harness) -> None:
        """Every page is read; each message comes once, oldest first, with its author and address."""
        texts = [f"Message number {number}" for number in range(250)]
        thread = self._fetch(harness, texts)
        assert [one.text for one in thread.messages] == texts
        assert len({one.id for one in thread.messages}) == 250
        assert [one.sent_at for one in thread.messages] == sorted(one.sent_at for one in thread.messages)
        assert all(one.author.name and one.author.email and one.url for one in thread.messages)
        assert all(one.sent_at.utcoffset() == timedelta() for one in thread.messages)
        assert thread.url

    def test_text_is_decoded(self, harness: Harness) -> None:
        """Messages are plain text: names for ids, addresses for links, no entities of the source's."""
        thread = self._fetch(harness, list(harness.samples))
        assert [one.text for one in thread.messages] == list(harness.samples.values())

    def test_an_answer_is_posted_once_for_its_key(self, harness: Harness) -> None:
        """A retry finds the answer that is there; another key is another answer."""
        thread_id = self._thread(harness)
        harness.source.reply(thread_id, "Made 2 tasks", "key-1", is_retry=False)
        harness.source.reply(thread_id, "Made 2 tasks", "key-1", is_retry=True)
        harness.source.reply(thread_id, "Made 1 task more", "key-2", is_retry=True)
        assert harness.answers(thread_id) == ["Made 2 tasks", "Made 1 task more"][: 2 * harness.answers_back]

    def test_a_lost_answer_is_not_posted_again(self, harness: Harness) -> None:
        """When the connection drops after the post, the post is found; a later retry finds it too."""
        thread_id = self._thread(harness)
        with harness.losing_the_answer():
            harness.source.reply(thread_id, "Made 2 tasks", "key-1", is_retry=False)
        harness.source.reply(thread_id, "Made 2 tasks", "key-1", is_retry=True)
        assert harness.answers(thread_id) == ["Made 2 tasks"][: harness.answers_back]

    def test_the_bots_own_answers_are_not_in_the_thread(self, harness: Harness) -> None:
        """What the bot says is neither message nor mention when the thread is read again."""
        delivery = self._deliver(harness, ["One"], "fix it")
        before = harness.source.fetch(str(delivery.thread_id), [delivery])
        harness.source.reply(str(delivery.thread_id), "Made 2 tasks", "key", is_retry=False)
        assert harness.source.fetch(str(delivery.thread_id), [delivery]) == before

    def test_marks_may_be_repeated(self, harness: Harness) -> None:
        """A mark that is there already is fine; each mark has its own reaction."""
        delivery = self._deliver(harness, ["One"], "fix it")
        message_id = harness.source.read(delivery).message_id
        for mark in (Mark.SEEN, Mark.SEEN, Mark.DONE, Mark.FAILED, Mark.DONE):
            harness.source.mark(str(delivery.thread_id), [message_id], mark)
        assert len(harness.marks(str(delivery.thread_id), message_id)) == 3 * harness.answers_back

    def test_plain_text_is_shown_literally(self, harness: Harness) -> None:
        """Nothing that people wrote turns into a mention, a link or an entity when the bot repeats it."""
        for text in ("a < b & c > d", "&amp; &lt;!here&gt;", "<!channel> <@U1> <https://evil.example|x>"):
            assert harness.shown(harness.source.plain(text)) == text

    def test_a_link_names_title_and_address(self, harness: Harness) -> None:
        """A link holds its title and leads to its address, whatever is in them."""
        link = harness.source.link("Fix <b> & co", "https://notion.so/a?b=1&c=2")
        shown = harness.shown(link)
        assert "Fix <b> & co" in shown
        assert "https://notion.so/a?b=1&c=2" in shown

    def test_a_rate_limit_names_the_pause(self, harness: Harness) -> None:
        """The pause that the service asks for reaches whoever plans the retry."""
        if not harness.answers_back:
            pytest.skip("there is no service behind this source")
        delivery = self._deliver(harness, ["One"], None)
        with harness.rate_limited(7), pytest.raises(Transient) as refused:
            harness.source.fetch(str(delivery.thread_id), [delivery])
        assert refused.value.reason == "rate_limited"
        assert refused.value.retry_after == timedelta(seconds=7)

    def test_a_revoked_token_is_permanent(self, harness: Harness) -> None:
        """No retry helps against a token that does not count; the message says what to do."""
        if not harness.answers_back:
            pytest.skip("there is no service behind this source")
        delivery = self._deliver(harness, ["One"], None)
        with pytest.raises(Permanent) as refused:
            harness.revoked().fetch(str(delivery.thread_id), [delivery])
        assert refused.value.reason in {"invalid_auth", "token_revoked", "unauthorized"}
        assert "token" in refused.value.message

    def _deliver(self, harness: Harness, texts: Sequence[str], words: str | None) -> Delivery:
        body = harness.ask(texts, words)
        headers = harness.sign(body, NOW)
        harness.door.verify(harness.config, headers, body, NOW)
        arrival = harness.door.open(harness.config, headers, body)
        assert isinstance(arrival, Arrival)
        return delivery_of(arrival, harness.door.kind)

    def _fetch(self, harness: Harness, texts: Sequence[str]) -> FetchedThread:
        delivery = self._deliver(harness, texts, None)
        return harness.source.fetch(str(delivery.thread_id), [delivery])

    def _thread(self, harness: Harness) -> str:
        return str(self._deliver(harness, ["One"], None).thread_id)
