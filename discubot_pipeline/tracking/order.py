"""The order in which events may be told, so that `everything up to here` is true of whoever has heard one."""

from collections.abc import Callable, Sequence

GRACE = 0.8
"""Seconds to wait for what must come first: an insert takes milliseconds, and one that was undone never comes."""


class Order:
    """Lets numbered events pass one after the other.

    Postgres gives the numbers out before it commits, so a smaller one may show up later: where one is missing the
    larger ones wait, and so they do behind one that is not whole yet. After `GRACE` what was there passes all the same.
    """

    def __init__(self, last: int, newest: int, now: float) -> None:
        self.last = last
        self._trusted = last
        self._mark, self._due = newest, now + GRACE

    @property
    def is_waiting(self) -> bool:
        """Say whether something is held back."""
        return self.last < self._mark

    def passing(self, numbers: Sequence[int], is_whole: Callable[[int], bool], now: float) -> list[int]:
        """Give those of some new events, in their order, that may be told now."""
        if now >= self._due:
            self._trusted = self._mark
        passed: list[int] = []
        for number in numbers:
            if number > self._trusted and (number != self.last + 1 or not is_whole(number)):
                self._wait_for(numbers[-1], now)
                break
            self.last = number
            passed.append(number)
        if not numbers:
            self.last = max(self.last, self._trusted)
        return passed

    def _wait_for(self, newest: int, now: float) -> None:
        if self._mark <= max(self.last, self._trusted):
            self._mark, self._due = newest, now + GRACE
