"""The supervisor with real children: order, restart, bounded stop, signals, death of its own."""

import os
import re
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from discubot_pipeline.cli.child import Child
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.cli.processes import Event, Post, Program, State, Supervisor
from tests.cli.real import ENV, STUBBORN, child_of, eventually, is_running, own, shell


def test_each_program_starts_when_the_one_before_is_ready(tmp_path: Path) -> None:
    """The second program finds what the first one made, and the events tell the order."""
    made, found = tmp_path / "made", tmp_path / "found"
    first = replace(shell("first", "sleep 0.3; touch $0; exec sleep 60", made), ready=made.exists)
    second = replace(shell("second", 'mv "$0" "$1"; exec sleep 60', made, found), ready=found.exists)
    events: list[Event] = []
    with Supervisor([first, second], state=tmp_path, on_event=events.append):
        assert found.exists()
    told = [f"{event.name} {event.state}" for event in events]
    ups = ["first starting", "first ready", "second starting", "second ready"]
    assert told == [*ups, "second stopped", "first stopped"]
    assert re.fullmatch(r"first ready in 0\.[3-9] s", str(events[1]))


def test_program_that_dies_before_it_is_ready_shows_its_log(tmp_path: Path) -> None:
    """A failed start ends at once with the last lines of this start, and nothing is left running."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "broken.log").write_text("from an earlier run\n")
    fine = shell("fine", "exec sleep 60")
    broken = replace(shell("broken", "echo the key is wrong; exit 7"), ready=lambda: False)
    supervisor = Supervisor([fine, broken], state=tmp_path)
    with pytest.raises(StartupError, match="broken ended with exit code 7") as caught:
        supervisor.start()
    assert str(caught.value).endswith("the key is wrong")
    assert "earlier run" not in str(caught.value)
    assert (tmp_path / "children").read_text() == "{}"


def test_program_that_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    """A command that cannot be run names the program."""
    with pytest.raises(StartupError, match="ghost cannot be started"):
        Supervisor([Program("ghost", ["/does/not/exist"], ENV)], state=tmp_path).start()


def test_killed_program_is_restarted_while_we_do_other_work(tmp_path: Path) -> None:
    """Within a second of its death a program runs again, without any call from the main thread."""
    mark = tmp_path / "mark"
    program = replace(shell("worker", "echo $$ > $0.new; mv $0.new $0; exec sleep 60", mark), ready=mark.exists)
    events: list[Event] = []
    with Supervisor([program], state=tmp_path, on_event=events.append):
        first = int(mark.read_text())
        os.kill(first, signal.SIGKILL)
        eventually(lambda: int(mark.read_text()) != first)
        eventually(lambda: events[-1].state is State.READY)
    died = next(event for event in events if event.state is State.DIED)
    assert str(died) == "worker ended by SIGKILL: starting again in 0.5 s"


def test_delay_before_a_restart_doubles(tmp_path: Path) -> None:
    """A program that keeps dying is restarted after 0.5, 1, 2 ... seconds, never more than 30."""
    post = Post(Child(shell("any", "exec sleep 60"), tmp_path))
    post.child.start()
    assert [post.schedule().total_seconds() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    post.child.stop()


def test_delay_begins_anew_after_healthy_times(tmp_path: Path) -> None:
    """A program that ran for a while (a minute, here less) before it died is restarted soon."""
    post = Post(Child(shell("any", "exec sleep 60"), tmp_path), healthy=timedelta(seconds=0.5))
    post.child.start()
    assert [post.schedule().total_seconds() for _ in range(3)] == [0.5, 1, 2]
    eventually(lambda: post.child.age > timedelta(seconds=0.5))
    assert post.schedule().total_seconds() == 0.5
    post.child.stop()


def test_restart_by_hand(tmp_path: Path) -> None:
    """Who does without the thread calls tend, which restarts the dead; after stop it does nothing."""
    starts = tmp_path / "starts"
    program = replace(shell("worker", "echo $$ >> $0; exec sleep 60", starts), ready=starts.exists)
    supervisor = Supervisor([program], state=tmp_path)
    supervisor.start()
    eventually(lambda: starts.read_text().endswith("\n"))
    os.kill(int(starts.read_text()), signal.SIGKILL)

    def has_started_twice() -> bool:
        supervisor.tend()
        return starts.read_text().count("\n") == 2

    eventually(has_started_twice)
    supervisor.stop()
    supervisor.tend()
    assert not is_running(int(starts.read_text().split()[-1]))


def test_stop_goes_in_reverse_order_after_the_hook(tmp_path: Path) -> None:
    """First the hook, then the last program with its wake-up, then the one before it."""
    story = tmp_path / "story"
    script = 'trap "echo $1 >> $0; exit" TERM; touch $1; while :; do sleep 0.02; done'

    def program(name: str) -> Program:
        mark = tmp_path / name
        return replace(shell(name, script, story, mark), ready=mark.exists)

    def tell(words: str) -> None:
        with story.open("a") as file:
            file.write(f"{words}\n")

    def wake() -> None:
        eventually(lambda: "second" in story.read_text())
        tell("woken")

    programs = [program("first"), replace(program("second"), wake=wake)]
    with Supervisor(programs, state=tmp_path, before_stop=lambda: tell("hook")):
        pass
    assert story.read_text().split() == ["hook", str(tmp_path / "second"), "woken", str(tmp_path / "first")]


def test_one_that_stops_early_is_told_before_the_others(tmp_path: Path) -> None:
    """It ends while those after it still run, and before their turn."""
    story = tmp_path / "story"
    early = replace(shell("early", 'trap "echo early >> $0; exit" TERM; touch $1; while :; do sleep 0.02; done', story,
                          tmp_path / "ready"), ready=(tmp_path / "ready").exists, stops_early=True)  # fmt: skip

    def wake() -> None:
        eventually(lambda: story.exists() and "early" in story.read_text())

    late = replace(shell("late", "exec sleep 60"), wake=wake)
    with Supervisor([early, late], state=tmp_path):
        pass
    assert story.read_text().split() == ["early"]


def test_stop_is_bounded(tmp_path: Path) -> None:
    """Programs that ignore the signal, and a hook that hangs, are not waited for longer than the patience."""
    marks = [tmp_path / name for name in ("one", "two", "three")]
    programs = [replace(shell(mark.name, STUBBORN, mark), ready=mark.exists) for mark in marks]
    forever = threading.Event()

    def hang() -> None:
        forever.wait()

    supervisor = Supervisor(programs, state=tmp_path, patience=timedelta(seconds=3), before_stop=hang)
    supervisor.start()
    children = [post.child.pid for post in supervisor._posts]
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 4
    assert not any(is_running(child) for child in children)
    forever.set()


def test_hook_that_fails_does_not_hold_up_the_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the hook is logged by its kind and the programs are stopped."""

    def fail() -> None:
        raise ConnectionError("postgresql://user:secret@/")

    supervisor = Supervisor([shell("any", "exec sleep 60")], state=tmp_path, before_stop=fail)
    supervisor.start()
    supervisor.stop()
    assert "stop_hook_failed error=ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_stop_takes_the_whole_group(tmp_path: Path) -> None:
    """What a program has started itself and left behind ends with it."""
    mark = tmp_path / "mark"
    script = "trap '' TERM; sleep 60 & echo $! > $0.new; mv $0.new $0; trap 'exit' TERM; while :; do sleep 0.02; done"
    with Supervisor([replace(shell("parent", script, mark), ready=mark.exists)], state=tmp_path):
        grandchild = int(mark.read_text())
        assert is_running(grandchild)
    eventually(lambda: not is_running(grandchild))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_everything_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """A signal to the supervisor stops its child properly and ends run() normally."""
    script = "trap 'echo bye; exit' TERM; touch $0; while :; do sleep 0.02; done"
    with own(tmp_path, script) as owner:
        owner.send_signal(number)
        told, _ = owner.communicate(timeout=10)
    assert told.splitlines()[-1] == "done"
    assert owner.returncode == 0
    assert (tmp_path / "logs" / "child.log").read_text() == "bye\n"


def test_interrupt_in_the_terminal_reaches_only_the_supervisor(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole foreground group: the child is not in it, and is told by us."""
    script = "trap 'echo int' INT; trap 'echo term; exit' TERM; touch $0; while :; do sleep 0.02; done"
    with own(tmp_path, script) as owner:
        os.killpg(owner.pid, signal.SIGINT)
        owner.communicate(timeout=10)
    assert (tmp_path / "logs" / "child.log").read_text() == "term\n"


def test_second_interrupt_kills_at_once(tmp_path: Path) -> None:
    """While a stubborn child is being stopped another Ctrl-C ends the wait."""
    script = "trap 'echo asked' TERM; touch $0; while :; do sleep 0.02; done"
    with own(tmp_path, script) as owner:
        child = child_of(tmp_path)
        owner.send_signal(signal.SIGINT)
        eventually(lambda: "asked" in (tmp_path / "logs" / "child.log").read_text())
        owner.send_signal(signal.SIGINT)
        told, _ = owner.communicate(timeout=10)
    assert told.splitlines()[-1] == "done"
    assert not is_running(child)


def test_signal_during_the_start_stops_it(tmp_path: Path) -> None:
    """Ctrl-C while a program is still starting gives up the start and ends what was started."""
    main = threading.get_ident()

    def interrupt() -> bool:
        signal.pthread_kill(main, signal.SIGINT)
        return False

    program = replace(shell("slow", "exec sleep 60"), ready=interrupt)
    supervisor = Supervisor([program], state=tmp_path)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), supervisor:
        pass
    assert not is_running(supervisor._posts[0].child.pid)
    assert signal.getsignal(signal.SIGINT) is before


def test_signal_interrupts_the_main_thread(tmp_path: Path) -> None:
    """Whoever works while the programs run is interrupted, and the programs are stopped."""
    supervisor = Supervisor([shell("any", "exec sleep 60")], state=tmp_path)
    later = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
    later.start()
    with pytest.raises(KeyboardInterrupt), supervisor:
        supervisor.wait()
    later.join()
    assert not is_running(supervisor._posts[0].child.pid)


def test_verbose_prints_each_line_with_its_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of this run, and only these, appear on standard output behind the name."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "talker.log").write_text("from an earlier run\n")
    mark = tmp_path / "mark"
    program = replace(shell("talker", "echo one; echo two; touch $0; exec sleep 60", mark), ready=mark.exists)
    with Supervisor([program], state=tmp_path, verbose=True):
        pass
    assert capsys.readouterr().out == "talker | one\ntalker | two\n"


def test_a_program_that_is_not_needed_rests_until_it_is(tmp_path: Path) -> None:
    """It is passed over at the start, nobody hears of it, and it is started when it is asked for."""
    mark, wish = tmp_path / "mark", tmp_path / "wish"
    resting = replace(shell("resting", "touch $0; exec sleep 60", mark), needed=wish.exists, ready=mark.exists)
    last, events = shell("last", "exec sleep 60"), []
    with Supervisor([resting, last], state=tmp_path, on_event=events.append, rest=timedelta(seconds=0.05)):
        assert {event.name for event in events} == {"last"}
        wish.touch()
        eventually(lambda: str(events[-1]).startswith("resting ready"))
    assert not any(event.state is State.DIED for event in events)
