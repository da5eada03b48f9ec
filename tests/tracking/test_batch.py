"""Few writes for many changes: at most one in 250 ms by any clock, and always the last."""

import itertools
import threading
from dataclasses import dataclass, field

import pytest

from discubot_pipeline.tracking.batch import PAUSE, Batch
from tests.tracking.hands import Time


@dataclass
class Paper:
    """What has been written, and when."""

    time: Time = field(default_factory=Time)
    state: int = 0
    written: list[tuple[float, int]] = field(default_factory=list)
    troubles: int = 0

    def write(self) -> None:
        """Write the state of this moment."""
        if self.troubles:
            self.troubles -= 1
            raise OSError("the disk is full")
        self.written.append((self.time.now, self.state))

    def change(self, batch: Batch) -> None:
        """Change the state."""
        self.state += 1
        batch.touch()


@pytest.fixture
def paper() -> Paper:
    """Give an empty paper."""
    return Paper()


@pytest.fixture
def batch(paper: Paper) -> Batch:
    """Give a batch that writes on it."""
    return Batch(paper.write, paper.time.later)


def test_a_first_change_is_written_soon(paper: Paper, batch: Batch) -> None:
    """With those that come right after it; nobody waits to see that something has begun."""
    paper.change(batch)
    paper.time.pass_to(100.2)
    paper.change(batch)
    paper.time.pass_to(101)
    assert paper.written == [(100 + PAUSE, 2)]


def test_many_changes_are_one_write_in_each_pause(paper: Paper, batch: Batch) -> None:
    """A thousand changes in ten seconds make no more than forty writes, 250 ms apart, the last one included."""
    for number in range(1000):
        paper.time.pass_to(100 + number / 100)
        paper.change(batch)
    paper.time.pass_to(120)
    times = [at for at, _ in paper.written]
    assert len(times) <= 40
    assert all(later - earlier >= PAUSE - 1e-9 for earlier, later in itertools.pairwise(times))
    assert paper.written[-1][1] == 1000


def test_a_change_after_a_long_rest_is_written_soon(paper: Paper, batch: Batch) -> None:
    """It does not have to wait for others that might come."""
    paper.change(batch)
    paper.time.pass_to(105)
    paper.change(batch)
    paper.time.pass_to(106)
    assert paper.written == [(100 + PAUSE, 1), (105 + PAUSE, 2)]


def test_a_flush_writes_what_is_left_and_nothing_twice(paper: Paper, batch: Batch) -> None:
    """However short ago the last write was; what was planned for later is called off."""
    paper.change(batch)
    paper.time.pass_to(100.3)
    paper.change(batch)
    batch.flush()
    assert paper.written == [(100 + PAUSE, 1), (100.3, 2)]
    batch.flush()
    paper.time.pass_to(200)
    assert len(paper.written) == 2


def test_a_write_that_fails_raises_nothing_and_is_made_up_for(
    paper: Paper, batch: Batch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and comes with the next change or the flush."""
    paper.troubles = 2
    paper.change(batch)
    paper.time.pass_to(101)
    paper.change(batch)
    paper.time.pass_to(102)
    assert paper.written == []
    assert [record.getMessage() for record in caplog.records] == ["tracking_failed"] * 2
    batch.flush()
    assert paper.written == [(102, 2)]


def test_real_time_writes_in_the_background() -> None:
    """A change is written without anybody's doing, on a thread that keeps no process alive."""
    done, threads = threading.Event(), []

    def write() -> None:
        threads.append(threading.current_thread())
        done.set()

    Batch(write).touch()
    assert done.wait(10)
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon
