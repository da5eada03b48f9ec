"""What happens to jobs, for all who listen in this process: each event is read once, whoever it concerns."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, Thread

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.domain.news import News, Place, Wanted
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.listener import Backlog, Listener
from discubot_pipeline.tracking.past import past, standing
from discubot_pipeline.tracking.watch import Watch

REMEMBERED = 5_000
"""Pieces of news that are kept in memory for those who come back."""
MOST_KEPT = 2_000
"""Pieces of news that are kept for a listener who does not take them."""
READERS = 4
"""Threads that read from the database what listeners have missed."""
START_SECONDS, LINGER_SECONDS = 5.0, 60.0
"""How long the first listener waits, and for how long nobody needs to listen before the thread ends."""


class Feed:
    """Gives news to listeners. Its thread begins with the first of them and ends a while after the last one."""

    def __init__(self, instance: Instance, dossiers: Dossiers, url: str, most_kept: int = MOST_KEPT) -> None:
        self._instance, self._dossiers, self._url, self._most_kept = instance, dossiers, url, most_kept
        self._lock = Lock()
        self._ready, self._closing = Event(), Event()
        self._thread: Thread | None = None
        self._listeners: set[Listener] = set()
        self._recent: deque[News] = deque()
        self._floor: int | None = None
        self._told = 0
        self._wanted_at = 0.0
        self.readers = ThreadPoolExecutor(READERS, "feed-reader")

    def listen(self, wanted: Wanted, after: Place | None = None) -> Listener:
        """Listen from a place on, or from now; Transient("database_down") when nobody can say where that is."""
        self._start()
        with self._lock:
            listener = Listener(wanted, after or Place(self._told), self._most_kept, self._leave)
            self._listeners.add(listener)
            told = self._told
            recent = list(self._recent) if after and after.number > (self._floor or 0) else None
        return listener.begin(self._backlog(wanted, after, told, recent)) if after else listener

    def close(self) -> None:
        """End it for everybody."""
        self._closing.set()
        with self._lock:
            thread, listeners = self._thread, list(self._listeners)
        for listener in listeners:
            listener.cut()
        if thread:
            thread.join()
        self.readers.shutdown(wait=False)

    def _start(self) -> None:
        with self._lock:
            self._wanted_at = time.monotonic()
            if self._thread is None and not self._closing.is_set():
                watch = Watch(self._instance, self._dossiers, self._url, self._tell, self._ready.set)
                self._thread = Thread(target=watch.run, args=(self._is_needed,), name="feed", daemon=True)
                self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._closing.is_set():
            raise Transient("database_down", "the events of jobs cannot be read just now")

    def _is_needed(self) -> bool:
        """Say whether the thread is to go on; when it is not, everything is as before it began."""
        with self._lock:
            now = time.monotonic()
            self._wanted_at = now if self._listeners else self._wanted_at
            if not self._closing.is_set() and now - self._wanted_at < LINGER_SECONDS:
                return True
            self._thread = None
            self._ready.clear()
            self._recent.clear()
            self._floor = None
            return False

    def _tell(self, news: Sequence[News], number: int) -> None:
        """Give news to those who want it; all events up to a number have been told now."""
        with self._lock:
            self._floor = number if self._floor is None else self._floor
            self._told = number
            self._recent += [each for each in news if each.place]
            while len(self._recent) > REMEMBERED:
                dropped = self._recent.popleft()
                self._floor = dropped.place.number if dropped.place else self._floor
            for listener in self._listeners:
                listener.offer(news)

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def _backlog(self, wanted: Wanted, after: Place, until: int, recent: Sequence[News] | None) -> Backlog:
        """Give what was told between two places, then how the job stands that somebody listens to."""
        if recent is None:
            with self._instance.reading() as instance:
                yield from past(instance, self._dossiers, wanted, after, until)
        else:
            yield [each for each in recent if wanted.fits(each)]
        if wanted.job_id:
            with self._instance.reading() as instance:
                yield standing(instance, self._dossiers, wanted.job_id, until)
