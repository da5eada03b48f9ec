"""What Notion's source answers in a discussion, and how it knows that it has."""

from collections.abc import Iterator

import pytest

from discubot_pipeline.domain.errors import Unanswered
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_comments import NotionHarness


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[NotionHarness]:
    """Make a connection of these tests' own."""
    harness = NotionHarness(sandbox)
    yield harness
    harness.close()


class TestAnswer:
    """The answer in the discussion."""

    def test_links_become_links(self, harness: NotionHarness) -> None:
        """A title with brackets stays whole; an address that Notion would refuse is left out."""
        thread_id, source = harness.thread(), harness.source
        link = source.link("Fix [it] (now) \\", "https://notion.so/a(b)?c=[d]")
        source.reply(thread_id, f"✅ 1 task (new)\n1. {link} {source.link('evil', 'javascript:alert(1)')}", "k", False)
        [answer] = harness.posted(thread_id)
        assert answer["text"] == "✅ 1 task (new)\n1. Fix [it] (now) \\ evil"
        links = [piece["href"] for piece in answer["rich_text"] if piece["href"]]
        assert links == ["https://notion.so/a(b)?c=[d]"]

    def test_a_long_answer_is_cut(self, harness: NotionHarness) -> None:
        """Notion takes a hundred pieces of text in one comment."""
        thread_id, source = harness.thread(), harness.source
        lines = [f"{number}. {source.link(f'Task {number}', 'https://notion.so/1')}" for number in range(80)]
        source.reply(thread_id, "\n".join(lines), "k", is_retry=False)
        [answer] = harness.posted(thread_id)
        assert len(answer["rich_text"]) == 100
        assert answer["text"].endswith("…")

    def test_the_same_words_after_another_call_are_another_answer(self, harness: NotionHarness) -> None:
        """What was said before the latest call of a person answers an earlier one."""
        thread_id = harness.thread()
        for _ in range(2):
            harness.call("@discubot", thread_id.partition(":")[2])
            harness.source.reply(thread_id, "Nothing new", "k", is_retry=True)
            harness.source.reply(thread_id, "Nothing new", "k", is_retry=True)
        assert harness.answers(thread_id) == ["Nothing new", "Nothing new"]

    def test_somebody_elses_words_are_not_ours(self, harness: NotionHarness) -> None:
        """A person who repeats the bot does not keep it from answering."""
        thread_id = harness.thread("Done")
        harness.source.reply(thread_id, "Done", "k", is_retry=True)
        assert harness.answers(thread_id) == ["Done"]

    @pytest.mark.parametrize("kind", ["drop_before", "html", "saved_503_silent"])
    def test_an_unknown_outcome_is_said(self, harness: NotionHarness, kind: str) -> None:
        """Nothing is posted a second time at once: whoever retries looks again first."""
        thread_id = harness.thread()
        with harness.sandbox.fault(service="notion", match="POST /comments", kind=kind):
            if kind == "saved_503_silent":
                harness.source.reply(thread_id, "Done", "k", is_retry=False)
            else:
                with pytest.raises(Unanswered):
                    harness.source.reply(thread_id, "Done", "k", is_retry=False)
        harness.source.reply(thread_id, "Done", "k", is_retry=True)
        assert harness.answers(thread_id) == ["Done"]

    def test_an_answer_that_notion_says_is_saved_is_saved(self, harness: NotionHarness) -> None:
        """Some 503 are successes."""
        thread_id, before = harness.thread(), harness.calls("GET /comments$")
        with harness.sandbox.fault(service="notion", match="POST /comments", kind="saved_503"):
            harness.source.reply(thread_id, "Done", "k", is_retry=False)
        assert harness.answers(thread_id) == ["Done"]
        assert harness.calls("GET /comments$") == before
