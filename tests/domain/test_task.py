"""The same task is known again, however it is written; another one never is."""

import unicodedata
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.domain.analysis import Analysis, Findings
from discubot_pipeline.domain.task import CreatedTasks, MadeTask, Page, TaskRow, fingerprint, task_key

DISCUSSION, OUTPUT = UUID(int=1), UUID(int=2)


class TestFingerprint:
    """A title reduced to its words."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Fix the header", "  fix THE header!! "),
            ("Fix: header/footer", "fix header, footer"),
            ("Straße sperren", "STRASSE sperren"),
            ("Café öffnen", unicodedata.normalize("NFD", "Café öffnen")),
            ("Ship it ✔️", "Ship it ✔"),
            ("Ｆｉｘ １", "fix 1"),
        ],
    )
    def test_writings_of_one_title_are_the_same(self, one: str, other: str) -> None:
        """Case, punctuation, emoji and ways to encode a letter make no difference."""
        assert fingerprint(one) == fingerprint(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Fix the header", "Fix the footer"),
            ("Release 2.1", "Release 21"),
            ("ซื้อไม้", "ซื้อไม่"),
            ("राम का काम", "राम की काम"),
            ("🐛", "🎨"),
            ("→", "!!!"),
            ("修复标题", "修复页脚"),
        ],
    )
    def test_different_titles_stay_different(self, one: str, other: str) -> None:
        """Vowel and tone marks are part of a word, and a title without words is not just any other."""
        assert fingerprint(one) != fingerprint(other)

    @given(st.text(max_size=30))
    def test_a_fingerprint_is_its_own(self, title: str) -> None:
        """Taking it twice is taking it once, and only blanks have none."""
        once = fingerprint(title)
        assert fingerprint(once) == once
        assert bool(once) == bool(unicodedata.normalize("NFKC", title).strip())

    @given(st.text(max_size=30))
    def test_case_and_space_around_do_not_count(self, title: str) -> None:
        """However loud a title is, it is the same one."""
        assert fingerprint(f"  {title.casefold()} \n") == fingerprint(title)


class TestTaskKey:
    """The name of a page before it exists."""

    def test_it_does_not_change(self) -> None:
        """The key is stored and written on pages: this very value must come out for ever."""
        assert task_key(DISCUSSION, OUTPUT, "Fix the header") == "5853f509-adac-5c32-9b0f-3a0df86da80a"

    def test_it_is_of_one_discussion_and_one_output(self) -> None:
        """The same title elsewhere is another page."""
        keys = {task_key(one, other, "Fix it") for one in (DISCUSSION, OUTPUT) for other in (DISCUSSION, OUTPUT)}
        assert len(keys) == 4

    @given(st.text(max_size=300))
    def test_it_fits_everywhere(self, title: str) -> None:
        """Thirty-six plain characters, whatever the title."""
        assert len(task_key(DISCUSSION, OUTPUT, title)) == 36


def made(title: str, is_new: bool) -> MadeTask:
    """Make a task that stands in the tracker."""
    return MadeTask(title=title, page_id=title, url=f"https://notion.example/{title}", is_new=is_new)


def test_new_tasks_are_those_of_this_job() -> None:
    """What an earlier run made is listed, and not called new."""
    analysis = Analysis(discussion_id=DISCUSSION, findings=Findings(summary=""), analyst="rules")
    created = CreatedTasks(analysis=analysis, made=(made("a", False), made("b", True)))
    assert [task.title for task in created.new] == ["b"]


def test_a_row_has_a_page_once_all_of_it_is_known() -> None:
    """Id, address and time belong together."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    known = {"page_id": "p", "page_url": "https://notion.example/p", "page_created_at": at}
    row = TaskRow(
        id=uuid4(),
        key="k",
        state="creating",
        output_id=None,
        run_id=None,
        task_index=0,
        title="t",
        created_at=at,
    )
    assert row.model_copy(update=known).page == Page(id="p", url="https://notion.example/p", created_at=at)
    for name in known:
        assert row.model_copy(update=known | {name: None}).page is None
