"""The broker: one thread, no database connection. It has imported everything, forks workers and looks after them.

A worker may outlive it: the next broker finds it by the ledger, and so does one that takes its place by `exec`.
"""

import json
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from discubot_pipeline.warm.children import fork, identity_of, reaped
from discubot_pipeline.warm.hand import Hand
from discubot_pipeline.warm.ledger import Entry, Ledger
from discubot_pipeline.warm.wire import reply, send
from discubot_pipeline.warm.worker import Bounds, Worker, report_death

IDLE_SECONDS = 60.0
"""How long more workers than the spare ones may rest before they go."""
REPORT_AGAIN_SECONDS = 5.0
FORK_AGAIN_SECONDS = 1.0
"""How long a spare worker is waited for after one has died, so that one that cannot live costs little."""
QUESTION_SECONDS = 2.0
NOTHING = b'{"do": "nothing"}'  # whoever only looks whether the door is open
STOPPING = {"is_away": "the broker of warm runs is about to stop"}

logger = logging.getLogger(__name__)


class Broker:
    """Answers on a listening socket: `launch`, `find`, `interrupt`, `status`.

    `spare` workers are always ready. SIGTERM stops it: no more launches, `drain` seconds for the runs at work, then
    they are killed, to be reported by the next broker. SIGHUP lets it load its code anew, in the same process.
    """

    def __init__(self, listener: socket.socket, ledger: Ledger, spare: int, drain: float, bounds: Bounds) -> None:
        self._listener, self._ledger = listener, ledger
        self._spare, self._drain, self._bounds = spare, drain, bounds
        self._selector = selectors.DefaultSelector()
        self._hands: dict[int, Hand] = {}
        self._watched: dict[int, int] = {}
        self._deaths: dict[str, tuple[float, str]] = {}
        self._reporters: dict[int, str] = {}
        self._next_spare = 0.0
        self._stop_at: float | None = None
        self._is_reloading = False

    def run(self) -> None:
        """Work until SIGTERM has been seen to; returns on SIGHUP too, when it is time to load the code anew."""
        self._take_signals()
        self._listen()
        for entry in self._ledger.entries():
            self._adopt(entry)
        while not self._is_over():
            self._tend()
            for key, _ in self._selector.select(self._pause()):
                key.data()
        for hand in self._resting():
            self._dismiss(hand)
            reaped(hand.identity.pid)

    @property
    def is_reloading(self) -> bool:
        """Say whether it ended to load its code anew."""
        return self._is_reloading

    def _listen(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _take_signals(self) -> None:
        heard, told = socket.socketpair()
        heard.setblocking(False)
        told.setblocking(False)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        self._bell = (heard, told)
        self._selector.register(heard, selectors.EVENT_READ, lambda: heard.recv(100))
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGINT, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "_is_reloading", True))

    def _stop(self) -> None:
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._drain

    def _is_over(self) -> bool:
        """Say whether to leave the loop; when stopping, not before every worker has ended its run or its time is up."""
        if self._stop_at is None:
            return self._is_reloading
        at_work = any(entry.worker.is_alive for entry in self._ledger.entries())
        if at_work and time.monotonic() < self._stop_at:
            return False
        for pid in [*self._watched]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in [*self._hands, *self._reporters]:
            os.waitpid(pid, 0)
        return True

    def _pause(self) -> float | None:
        """Say how long nothing will be due, in seconds."""
        now = time.monotonic()
        dues = [due for due, _ in self._deaths.values()]
        dues += [self._stop_at] if self._stop_at else []
        dues += [self._next_spare] if self._next_spare > now else []
        surplus = [hand.resting_since for hand in self._resting()][: -self._spare or None]
        dues += [min(surplus) + IDLE_SECONDS] if surplus else []
        return max(min(dues) - now, 0.0) if dues else None

    def _tend(self) -> None:
        """Keep the spare workers, let go those that are too many, and report who died."""
        if self._stop_at is None:
            resting = self._resting()
            for hand in resting[: -self._spare or None]:
                if time.monotonic() - hand.resting_since >= IDLE_SECONDS:
                    self._dismiss(hand)
            for _ in range(self._spare - len(resting) if time.monotonic() >= self._next_spare else 0):
                self._fork()
        for run_id, (due, how) in [*self._deaths.items()]:
            if time.monotonic() >= due and run_id not in self._reporters.values():
                self._report(run_id, how)

    def _resting(self) -> list[Hand]:
        """List the workers without a run, who rested longest first."""
        return sorted((hand for hand in self._hands.values() if not hand.run_id), key=lambda hand: hand.resting_since)

    def _dismiss(self, hand: Hand) -> None:
        """Let a worker end: it does when its channel is closed."""
        del self._hands[hand.identity.pid]
        self._forget_channel(hand)

    # what is asked

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.settimeout(QUESTION_SECONDS)
            try:
                with client.makefile("rb") as questions:
                    question = questions.readline()
                self._answer(client, json.loads(question or NOTHING))
            except (OSError, ValueError, KeyError) as error:
                logger.warning("bad_question error=%r", error)
                client.close()

    def _answer(self, client: socket.socket, question: dict[str, Any]) -> None:
        match question["do"]:
            case "launch":
                self._launch(client, question["run_id"], question["instance"])
            case "find":
                reply(client, self._find(question["run_id"]))
            case "interrupt":
                reply(client, {"found": self._interrupt(question["run_id"])})
            case "status":
                runs = sorted(entry.run_id for entry in self._ledger.entries())
                known = {"workers": sorted(self._hands), "resting": len(self._resting()), "runs": runs}
                reply(client, known | {"is_stopping": self._stop_at is not None})
            case "nothing":
                client.close()
            case other:
                raise ValueError(f"nobody knows how to {other!r}")

    def _launch(self, client: socket.socket, run_id: str, instance: str) -> None:
        """Give a run to a worker; the answer comes when it has begun. One that is at work is not begun again."""
        known = self._ledger.find(run_id)
        waiting = [hand for hand in self._hands.values() if hand.run_id == run_id and hand.client]
        if known and known.worker.is_alive:
            reply(client, {"worker": str(known.worker.pid)})
        elif self._stop_at or waiting:
            reply(client, STOPPING)
        else:
            resting = self._resting()
            hand = resting[-1] if resting else self._fork(client)
            hand.run_id, hand.client = run_id, client
            with suppress(OSError):  # of one that has just died: `_bury` answers
                send(hand.channel, {"run_id": run_id, "instance": instance})

    def _find(self, run_id: str) -> dict[str, Any]:
        entry = self._ledger.find(run_id)
        is_alive = entry is not None and entry.worker.is_alive
        return {"is_alive": is_alive, "worker": str(entry.worker.pid) if entry else None}

    def _interrupt(self, run_id: str) -> bool:
        entry = self._ledger.find(run_id)
        if entry is None or not entry.worker.is_alive:
            return False
        os.kill(entry.worker.pid, signal.SIGINT)
        return True

    # workers

    def _fork(self, *unwanted: socket.socket) -> Hand:
        ours, theirs = socket.socketpair()
        pid = fork(lambda: self._become(lambda: Worker(theirs, self._ledger, self._bounds).serve(), ours, *unwanted))
        theirs.close()
        hand = Hand(identity_of(pid), ours)
        self._hands[pid] = hand
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(hand))
        self._watch(pid)
        return hand

    def _become(self, work: Callable[[], None], *unwanted: socket.socket) -> None:
        """Turn this copy of the broker into something else: none of the broker's files stay open in it."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        clients = [hand.client for hand in self._hands.values() if hand.client]
        channels = [hand.channel for hand in self._hands.values()]
        for each in (self._listener, *self._bell, *unwanted, *clients, *channels):
            each.close()
        self._selector.close()
        for descriptor in self._watched.values():
            os.close(descriptor)
        work()

    def _hear(self, hand: Hand) -> None:
        """Take what a worker says; a closed channel says nothing, its end is watched."""
        try:
            heard = hand.channel.recv(65_536)
        except OSError:
            heard = b""
        if not heard:
            self._forget_channel(hand)
            return
        *lines, hand.unread = (hand.unread + heard).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "begun" in told and hand.client:
                reply(hand.client, {"worker": str(hand.identity.pid)})
                hand.client = None
            elif "ended" in told:
                hand.run_id, hand.resting_since = None, time.monotonic()
                if told["is_leaving"]:
                    self._dismiss(hand)

    def _forget_channel(self, hand: Hand) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(hand.channel)
        hand.channel.close()

    # deaths

    def _adopt(self, entry: Entry) -> None:
        """Look after the worker of an earlier broker."""
        if entry.worker.is_alive:
            self._watch(entry.worker.pid)
        else:
            self._deaths[entry.run_id] = (0.0, "The run's process died while nobody looked after it.")

    def _watch(self, pid: int) -> None:
        if pid not in self._watched:
            descriptor = os.pidfd_open(pid)
            self._watched[pid] = descriptor
            self._selector.register(descriptor, selectors.EVENT_READ, lambda: self._bury(pid))

    def _bury(self, pid: int) -> None:
        """See what a process that has ended leaves behind."""
        descriptor = self._watched.pop(pid)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        how = reaped(pid)
        hand = self._hands.pop(pid, None)
        if hand:
            self._next_spare = time.monotonic() + FORK_AGAIN_SECONDS
            self._forget_channel(hand)
            if hand.client:
                reply(hand.client, {"is_away": "the worker died before it began"})
        if run_id := self._reporters.pop(pid, None):
            if self._ledger.find(run_id):
                self._deaths[run_id] = (time.monotonic() + REPORT_AGAIN_SECONDS, self._deaths[run_id][1])
            else:
                del self._deaths[run_id]
        for entry in self._ledger.entries():
            if entry.worker.pid == pid:
                logger.warning("worker_died pid=%s run_id=%s %s", pid, entry.run_id, how)
                self._deaths[entry.run_id] = (0.0, f"The run's process (pid {pid}) {how}.")

    def _report(self, run_id: str, how: str) -> None:
        """Let a short-lived child tell Dagster of a death, so that this process stays without connections."""
        entry = self._ledger.find(run_id)
        if entry is None:
            del self._deaths[run_id]
            return

        def tell() -> None:
            report_death(run_id, entry.instance, how)
            self._ledger.end(run_id)

        pid = fork(lambda: self._become(tell))
        self._reporters[pid] = run_id
        self._watch(pid)
