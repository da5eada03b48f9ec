"""The supervisor of `discubot up` and `discubot demo`: starts programs in order, restarts what dies, stops all in
reverse order within a bound. It knows nothing of what the programs do.
"""

import contextlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from discubot_pipeline.cli.child import POLL, Child, Program, accepts, answers, call_briefly, nothing
from discubot_pipeline.cli.leftovers import end_leftovers, remember
from discubot_pipeline.cli.ports import StartupError, state_folder

__all__ = ["Event", "Program", "State", "Supervisor", "accepts", "answers"]

FIRST_DELAY = timedelta(seconds=0.5)
LONGEST_DELAY = timedelta(seconds=30)
REST = timedelta(seconds=10)  # between two looks at what rests
HEALTHY = timedelta(minutes=1)
RESERVED = timedelta(seconds=1)  # of the time to stop, for each program whose turn has not come

_log = logging.getLogger(__name__)


class State(StrEnum):
    """What a program has just become."""

    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Event:
    """News of one program: `took` is the time to become ready or to stop, `detail` how it died."""

    name: str
    state: State
    took: timedelta = timedelta()
    detail: str = ""

    def __str__(self) -> str:
        """Return the line for a person."""
        if self.detail:
            return f"{self.name} {self.detail}"
        return f"{self.name} {self.state}" + (f" in {self.took.total_seconds():.1f} s" if self.took else "")


class Post:
    """A place in the order and the child that fills it: when to restart it, how far its log was echoed."""

    def __init__(self, child: Child, healthy: timedelta = HEALTHY) -> None:
        self.child = child
        self._healthy = healthy
        self.name = child.program.name
        self.is_ready = False
        self.due: float | None = None
        self._deaths = 0
        self._echoed = 0

    def start(self) -> None:
        """Start the child anew."""
        self.due = None
        self.is_ready = False
        self.child.start()
        self._echoed = self.child.log_start

    def schedule(self) -> timedelta:
        """Plan the restart of a dead child: later with every death, unless it was healthy for a while."""
        self._deaths = 0 if self.child.age >= self._healthy else self._deaths
        delay: timedelta = min(FIRST_DELAY * 2 ** min(self._deaths, 10), LONGEST_DELAY)
        self._deaths += 1
        self.due = time.monotonic() + delay.total_seconds()
        return delay

    def new_lines(self) -> Iterator[str]:
        """Yield the complete lines that the child has written since the last call."""
        with contextlib.suppress(FileNotFoundError), self.child.log.open("rb") as file:
            file.seek(self._echoed)
            lines, newline, _ = file.read().rpartition(b"\n")
            self._echoed += len(lines + newline)
            yield from lines.decode(errors="replace").splitlines()


def ignore(event: Event) -> None:
    """Let an event pass."""


class Supervisor:
    """Keeps programs running.

    `run()` blocks until SIGINT or SIGTERM. As a context manager it starts them, restarts dead ones from its
    own thread and leaves the main thread free; a signal raises KeyboardInterrupt there. `start`, `tend` and
    `stop` are for callers that do it by hand. `before_stop` runs once before the first stop signal.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        state: Path,
        verbose: bool = False,
        before_stop: Callable[[], None] = nothing,
        on_event: Callable[[Event], None] = ignore,
        patience: timedelta = timedelta(seconds=10),
        rest: timedelta = REST,
    ) -> None:
        self._posts = [Post(Child(program, state / "logs")) for program in programs]
        self._state = state
        self._verbose = verbose
        self._before_stop = before_stop
        self._on_event = on_event
        self._patience = patience
        self._rest = rest.total_seconds()
        self._lock = threading.RLock()
        self._interrupted = threading.Event()
        self._stopped = threading.Event()
        self._tender: threading.Thread | None = None
        self._is_up = False
        self._handlers: dict[signal.Signals, signal._HANDLER] = {}

    def wait(self) -> None:
        """Block until a signal arrives; for the main thread, inside the `with` block."""
        self._stopped.wait()

    def run(self) -> None:
        """Start everything and return when a signal has stopped it all."""
        with contextlib.suppress(KeyboardInterrupt), self:
            self.wait()

    def start(self) -> None:
        """Start the programs in order, each when the one before is ready; StartupError when one cannot."""
        end_leftovers(state_folder(self._state))
        try:
            for post in self._posts:
                self._require_wanted()
                if not post.child.program.needed():
                    post.due = time.monotonic() + self._rest
                    continue
                with self._lock:
                    self._start(post)
                post.child.wait_until_ready(self._meanwhile)
                self._announce_ready(post)
        except BaseException:
            self.stop()
            raise

    def tend(self) -> None:
        """Look after each program once: restart a dead one whose time has come, notice who became ready."""
        with self._lock:
            if not (self._stopped.is_set() or self._interrupted.is_set()):
                for post in self._posts:
                    self._tend(post)
                self._echo()

    def stop(self) -> None:
        """Stop all in reverse order; whoever is not gone when the time is up is killed."""
        self._is_up = False
        with self._lock:
            if not self._stopped.is_set():
                self._stop_all()
                self._stopped.set()
                remember(self._state, [])
        if self._tender is not None:
            self._tender.join()

    def __enter__(self) -> Self:
        self._install_handlers()
        try:
            self.start()
            self._tender = threading.Thread(target=self._keep_tending, name="tender", daemon=True)
            self._tender.start()
            self._is_up = True
            self._require_wanted()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def _start(self, post: Post) -> None:
        self._tell(Event(post.name, State.STARTING))
        post.start()
        remember(self._state, [post.child.pid for post in self._posts if post.child.pid is not None])

    def _require_wanted(self) -> None:
        if self._interrupted.is_set():
            raise KeyboardInterrupt

    def _announce_ready(self, post: Post) -> None:
        post.is_ready = True
        self._tell(Event(post.name, State.READY, post.child.age))

    def _meanwhile(self) -> None:
        """Look after the programs that are already ready while the next one is starting."""
        self._require_wanted()
        with self._lock:
            for post in self._posts:
                if post.is_ready or post.due is not None:
                    self._tend(post)
            self._echo()

    def _tend(self, post: Post) -> None:
        if post.due is not None:
            if time.monotonic() >= post.due:
                self._restart(post)
        elif not post.child.is_alive:
            self._expect_restart(post, f"ended {post.child.verdict}")
        elif not post.is_ready and post.child.program.ready():
            self._announce_ready(post)
        elif not post.is_ready and post.child.is_late:
            self._expect_restart(post, "was not ready in time")

    def _restart(self, post: Post) -> None:
        if not post.child.program.needed():
            post.due = time.monotonic() + self._rest
            return
        try:
            self._start(post)
        except StartupError as error:
            self._expect_restart(post, str(error))

    def _expect_restart(self, post: Post, what: str) -> None:
        post.child.stop()
        delay = post.schedule()
        detail = f"{what}: starting again in {delay.total_seconds():.1f} s"
        _log.warning("program_died name=%s %s log=%s", post.name, detail, post.child.log)
        self._tell(Event(post.name, State.DIED, post.child.age, detail))

    def _stop_all(self) -> None:
        deadline = time.monotonic() + self._patience.total_seconds()
        call_briefly(self._before_stop)
        for post in self._posts:
            if post.child.program.stops_early:
                post.child.ask_to_stop()
        for waiting, post in reversed(list(enumerate(self._posts))):
            if post.child.pid is not None:
                left = timedelta(seconds=deadline - time.monotonic()) - RESERVED * waiting
                began = time.monotonic()
                post.child.stop(max(timedelta(), min(post.child.program.grace, left)))
                self._echo()
                self._tell(Event(post.name, State.STOPPED, timedelta(seconds=time.monotonic() - began)))

    def _keep_tending(self) -> None:
        """Tend until all is stopped: children started here must not outlive this thread, so it ends last."""
        while not self._stopped.wait(POLL):
            try:
                self.tend()
            except Exception:
                _log.exception("tending_failed")

    def _tell(self, event: Event) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody reads our output any more: no reason to stop
            self._on_event(event)

    def _echo(self) -> None:
        if self._verbose:
            with contextlib.suppress(BrokenPipeError):
                for post in (post for post in self._posts if post.child.pid is not None):
                    for line in post.new_lines():
                        sys.stdout.write(f"{post.name} | {line}\n")
                sys.stdout.flush()

    def _install_handlers(self) -> None:
        """Take the signals that mean stop; a hang-up only where it is not ignored, as under nohup."""
        if threading.current_thread() is not threading.main_thread():
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            wanted.append(signal.SIGHUP)
        self._handlers = {number: signal.signal(number, self._on_signal) for number in wanted}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Begin to stop; from the second signal on kill at once, which is all that a handler may do."""
        if self._interrupted.is_set():
            for post in self._posts:
                post.child.strike()
            return
        self._interrupted.set()
        if self._is_up:
            self._is_up = False
            raise KeyboardInterrupt
