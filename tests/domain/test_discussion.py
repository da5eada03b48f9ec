"""A thread has one id for ever, and a title that fits."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import (
    TITLE_LENGTH,
    Author,
    ConfiguredDiscussion,
    Message,
    ParsedDiscussion,
    Thread,
    ThreadRef,
    discussion_id,
    title_of,
)

TEAM = UUID(int=1)
SPACED = st.text(st.sampled_from("ab .,;:–-\n\té🎉"), max_size=200)


class TestDiscussionId:
    """The id before there is a row."""

    def test_it_does_not_change(self) -> None:
        """The id is stored and stands in run tags: this very value must come out for ever."""
        found = discussion_id(TEAM, SourceType.SLACK, "C1:1763760000.000100")
        assert found == UUID("5e290ff7-409d-54cc-adff-ac1d8a094e20")

    def test_it_is_of_team_source_and_thread(self) -> None:
        """A thread of the same name elsewhere is another discussion."""
        teams, threads = (TEAM, uuid4()), ("C1:1", "C1:2")
        ids = {discussion_id(team, source, thread) for team in teams for source in SourceType for thread in threads}
        assert len(ids) == 2 * len(SourceType) * 2

    @given(st.sets(st.text(max_size=20), min_size=2, max_size=5))
    def test_different_threads_have_different_ids(self, threads: set[str]) -> None:
        """No two thread ids collide, line breaks in them or not."""
        assert len({discussion_id(TEAM, SourceType.SLACK, thread) for thread in threads}) == len(threads)


class TestTitle:
    """A title made of what was said first."""

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("Fix the header", "Fix the header"),
            ("\n  \n Fix the header \nIt breaks.", "Fix the header"),
            ("", "Discussion without text"),
            (" \n\t\n", "Discussion without text"),
            ("word " * 30, "word " * 14 + "word…"),
            ("x" * 80, "x" * 80),
            ("x" * 81, "x" * 79 + "…"),
            ("x" * 70 + " it is, – broken", "x" * 70 + " it is…"),
        ],
    )
    def test_it_is_the_first_line_with_words(self, text: str, title: str) -> None:
        """Cut at a word's end, without the punctuation before the cut."""
        assert title_of(text) == title

    def test_a_fallback_may_be_named(self) -> None:
        """Who knows better says what to call a thread without words."""
        assert title_of("  ", "Comment on a frame") == "Comment on a frame"

    @given(st.text(max_size=300) | SPACED)
    @example("- " * 60)
    @example("🎉" * 100)
    def test_it_always_fits_one_line(self, text: str) -> None:
        """Never empty, never too long, never broken; a short text is not cut."""
        title = title_of(text)
        assert 0 < len(title) <= TITLE_LENGTH
        assert len(title.splitlines()) == 1
        assert title == title.strip()
        assert title.endswith("…") or title == "Discussion without text" or title in text


def thread(*authors: Author) -> Thread:
    """Make a thread in which people speak in turn."""
    parsed = ParsedDiscussion(
        team_id=TEAM,
        team_name="acme",
        discussion_id=TEAM,
        ref=ThreadRef(source=SourceType.SLACK, thread_id="C1:1", source_config_id=TEAM),
        trigger="webhook",
    )
    at = datetime(2026, 11, 21, tzinfo=UTC)
    said = tuple(Message(id=str(number), author=who, text="x", sent_at=at) for number, who in enumerate(authors))
    return Thread(configured=ConfiguredDiscussion(parsed=parsed, config_version=1), title="t", url=None, messages=said)


def test_participants_are_listed_once_in_order_of_first_word() -> None:
    """Who changes their name on the way is still one person."""
    anna, ben = Author(id="U1", name="Anna"), Author(id="U2", name="Ben")
    found = thread(ben, anna, ben, anna.model_copy(update={"name": "Anna B."})).participants
    assert [person.id for person in found] == ["U2", "U1"]
    assert found[1].name == "Anna B."


def test_values_are_frozen() -> None:
    """What crosses between ops cannot be changed on the way."""
    with pytest.raises(ValidationError, match="frozen"):
        thread().title = "other"  # type: ignore[misc]
