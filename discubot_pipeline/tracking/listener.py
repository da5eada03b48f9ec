"""One who listens to jobs: what was missed, then what comes. Made by `feed`, used by `web` and `cli`."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Lock

from discubot_pipeline.domain.news import ENDS, News, Place, Wanted

Backlog = Iterator[Sequence[News] | None]
"""What was told before, a portion at a time; None says that nothing will follow."""


class Listener:
    """Takes news from the feed's thread, and gives it to one other thread.

    One who does not take for long is cut off: it is over for him when he has taken what was kept, and he may come
    again with the last place that he has got to. `wake` is called when there is something to take.
    """

    def __init__(self, wanted: Wanted, after: Place, most: int, leave: Callable[["Listener"], None]) -> None:
        self.wake: Callable[[], object] = _nothing
        self._wanted, self._after, self._most, self._leave = wanted, after, most, leave
        self._lock = Lock()
        self._kept: list[News] = []
        self._backlog: Backlog | None = None
        self._is_cut = self._is_done = False

    @property
    def after(self) -> Place:
        """Give the place from which on it listens."""
        return self._after

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will come."""
        return self._is_done or (self._is_cut and not self._kept and self._backlog is None)

    @property
    def has_backlog(self) -> bool:
        """Say whether `take` may have to read from the database."""
        return self._backlog is not None

    def begin(self, backlog: Backlog) -> "Listener":
        """Start with what was told before."""
        self._backlog = backlog
        return self

    def offer(self, news: Sequence[News]) -> None:
        """Keep what is wanted of some news, as far as there is room."""
        wanted = [each for each in news if self._wanted.fits(each)]
        if not wanted:
            return
        with self._lock:
            self._is_cut = self._is_cut or len(self._kept) + len(wanted) > self._most
            if not self._is_cut:
                self._kept += wanted
        self.wake()

    def take(self) -> list[News]:
        """Give what there is, without waiting for more."""
        if self._backlog is not None:
            portion = next(self._backlog, ())
            if portion is None:
                self._is_done = True
            elif portion:
                return self._up_to_the_end(portion)
            self._backlog = None
            return []
        with self._lock:
            kept, self._kept = self._kept, []
        return self._up_to_the_end(kept)

    def __iter__(self) -> Iterator[News]:
        """Give all news until it is over, and wait for it."""
        rung = Event()
        self.wake = rung.set
        while not self.is_over:
            rung.clear()
            news = self.take()
            yield from news
            if not news and not self.has_backlog and not self.is_over:
                rung.wait()

    def cut(self) -> None:
        """End it after what has been kept."""
        self._is_cut = True
        self.wake()

    def close(self) -> None:
        """Listen no more."""
        self._is_done = True
        self._leave(self)

    def _up_to_the_end(self, portion: Sequence[News]) -> list[News]:
        """Leave out what has been told; a job's end is the last that is told of it."""
        news = [each for each in portion if each.place is None or each.place > self._after]
        end = next((place for place, each in enumerate(news, 1) if each.kind in ENDS), None)
        if self._wanted.job_id and end:
            self._is_done = True
            return news[:end]
        return news


def _nothing() -> None:
    """Wake nobody."""
