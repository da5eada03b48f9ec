"""Pages of lists: cursors are opaque, go through unharmed, and a wrong one is told from a right one."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.web.pages import cursor, cut, position
from discubot_pipeline.web.problems import verdict

Place = tuple[datetime, UUID]
PLACE = (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), UUID(int=7))


def test_a_cursor_leads_back_to_where_its_page_ended() -> None:
    """To the microsecond, and in characters that need no escaping in an address."""
    text = cursor(PLACE)
    assert position(text, Place) == PLACE
    assert text.replace("-", "").replace("_", "").isalnum()


def test_without_a_cursor_a_list_starts_at_its_beginning() -> None:
    """There is no position then."""
    assert position(None, Place) is None


@pytest.mark.parametrize(
    "after", ["", "x", "é", "a\0b", "bnVsbA", cursor(("soon", 1)), cursor(PLACE) + "!", "AAAA" * 99]
)
def test_a_cursor_of_no_page_is_refused(after: str) -> None:
    """With 422 and a sentence that says where cursors come from."""
    with pytest.raises(Permanent) as refused:
        position(after, Place)
    status, reason, detail = verdict(refused.value)
    assert (status, reason) == (422, "cursor")
    assert "`next`" in detail


@pytest.mark.parametrize(("rows", "page", "then"), [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], 2)])
def test_a_page_names_the_next_one_only_if_there_is_one(rows: list[int], page: list[int], then: int | None) -> None:
    """The caller reads one row more than it shows."""
    shown, following = cut(rows, 2, lambda row: row)
    assert list(shown) == page
    assert position(following, int) == then
