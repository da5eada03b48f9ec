"""A clock whose hands a test moves: nothing here waits."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Call:
    """A call that is to be made at some time."""

    at: float
    make: Callable[[], None]
    is_off: bool = False

    def cancel(self) -> None:
        """Forget it."""
        self.is_off = True


@dataclass
class Time:
    """A clock that goes on by hand, and makes the calls that have become due."""

    now: float = 100.0
    calls: list[Call] = field(default_factory=list)

    def later(self, seconds: float, make: Callable[[], None]) -> Call:
        """Note a call."""
        self.calls.append(Call(self.now + seconds, make))
        return self.calls[-1]

    def pass_to(self, at: float) -> None:
        """Let time go by."""
        while due := sorted((call for call in self.calls if not call.is_off and call.at <= at), key=lambda c: c.at):
            self.now = due[0].at
            due[0].is_off = True
            due[0].make()
        self.now = at
