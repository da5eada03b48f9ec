"""The order in which events may be told."""

from collections.abc import Callable

from discubot_pipeline.tracking.order import GRACE, Order


def whole(*but: int) -> Callable[[int], bool]:
    """Say that all events are whole but some."""
    return lambda number: number not in but


def test_what_follows_passes_at_once() -> None:
    """Nothing is missing, so nothing waits."""
    order = Order(10, 10, 0)
    assert order.passing([11, 12, 13], whole(), 1) == [11, 12, 13]
    assert (order.last, order.is_waiting) == (13, False)


def test_behind_a_gap_events_wait_until_it_is_filled() -> None:
    """The number was given out, and its insert is about to be committed."""
    order = Order(10, 10, 0)
    assert order.passing([11, 13], whole(), 1) == [11]
    assert (order.last, order.is_waiting) == (11, True)
    assert order.passing([12, 13, 14], whole(), 1 + GRACE / 2) == [12, 13, 14]
    assert not order.is_waiting


def test_a_gap_that_stays_is_passed_in_the_end() -> None:
    """An insert that was undone: what came behind it waits no longer, what came behind a later one does."""
    order = Order(10, 10, 0)
    assert order.passing([12], whole(), 1) == []
    assert order.passing([12, 13, 15], whole(), 1 + GRACE / 2) == []
    assert order.passing([12, 13, 15], whole(), 1 + GRACE) == [12, 13]
    assert order.is_waiting
    assert order.passing([15], whole(), 1 + GRACE * 1.5) == []
    assert order.passing([15], whole(), 1 + GRACE * 2) == [15]


def test_what_is_not_whole_is_waited_for_as_well() -> None:
    """Dagster stores an end first, and then what it means for the run."""
    order = Order(10, 10, 0)
    assert order.passing([11, 12], whole(11), 1) == []
    assert order.passing([11, 12], whole(), 1.1) == [11, 12]
    assert order.passing([13, 14], whole(13), 2) == []
    assert order.passing([13, 14], whole(13), 2 + GRACE) == [13, 14]


def test_at_the_start_gaps_of_the_past_are_waited_for_once() -> None:
    """Old runs have been removed; what was being written just then is not missed."""
    order = Order(10, 30, 0)
    assert order.passing([15, 20, 30], whole(), 0.1) == []
    assert order.passing([15, 20, 29, 30], whole(), GRACE) == [15, 20, 29, 30]
    assert not order.is_waiting


def test_events_that_have_gone_are_not_waited_for_for_ever() -> None:
    """All of them were removed in the meantime."""
    order = Order(10, 30, 0)
    assert order.passing([], whole(), GRACE / 2) == []
    assert order.is_waiting
    assert order.passing([], whole(), GRACE) == []
    assert (order.last, order.is_waiting) == (30, False)
