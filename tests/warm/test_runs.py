"""Runs in warm workers: done, cancelled, killed, and done again after the broker was."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from dagster import DagsterEventType
from dagster import DagsterRunStatus as Status
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import LaunchRunContext, WorkerStatus

from discubot_pipeline.warm.launcher import LAUNCHED
from tests.waiting import until
from tests.warm.yard import Yard


def launching(yard: Yard, run_id: str) -> LaunchRunContext:
    """Make what Dagster's queue gives to a launcher."""
    return LaunchRunContext(yard.get(run_id), workspace=None)


def test_runs_share_a_worker(yard: Yard) -> None:
    """One after another they take the same process, which is not the broker."""
    pids = set()
    for _ in range(3):
        run_id = yard.launch()
        assert yard.ended(run_id) is Status.SUCCESS
        pids.add(yard.at_work(run_id))
        assert LAUNCHED in yard.get(run_id).tags
    assert len(pids) == 1
    assert yard.broker
    assert yard.broker.pid not in pids


def test_runs_at_once_have_workers_of_their_own(yard: Yard) -> None:
    """Twenty runs are in the middle of their op together."""
    runs = [yard.launch(wait=True) for _ in range(20)]
    assert len({yard.at_work(run_id) for run_id in runs}) == 20
    for run_id in runs:
        yard.release(run_id)
    assert {yard.ended(run_id) for run_id in runs} == {Status.SUCCESS}


def test_a_run_is_cancelled_and_its_worker_goes_on(yard: Yard) -> None:
    """The interrupt reaches the run, not the process, which takes the next one."""
    run_id = yard.launch(wait=True)
    pid = yard.at_work(run_id)
    assert yard.instance.run_launcher.terminate(run_id)
    assert yard.ended(run_id) is Status.CANCELED
    following = yard.launch()
    assert yard.ended(following) is Status.SUCCESS
    assert yard.at_work(following) == pid


def test_another_run_is_not_touched(yard: Yard) -> None:
    """Cancelling one leaves its neighbour alone; cancelling it again finds nothing."""
    first, second = yard.launch(wait=True), yard.launch(wait=True)
    yard.at_work(first), yard.at_work(second)
    assert yard.instance.run_launcher.terminate(first)
    assert yard.ended(first) is Status.CANCELED
    assert not yard.instance.run_launcher.terminate(first)
    yard.release(second)
    assert yard.ended(second) is Status.SUCCESS


def test_a_run_that_is_cancelled_before_it_starts_never_begins(yard: Yard) -> None:
    """It has no process yet, and gets none."""
    run_id = yard.make()
    run = yard.get(run_id)
    yard.instance.report_run_canceling(run)
    yard.instance.run_launcher.launch_run(launching(yard, run_id))
    assert yard.get(run_id).status is Status.CANCELED
    assert not (yard.folder / f"{run_id}.pid").exists()


def test_a_run_that_is_cancelled_in_the_hands_of_a_worker_never_begins(yard: Yard) -> None:
    """The worker has been given it, but has not looked at it yet."""
    workers = yard.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    run_id = yard.make()
    with ThreadPoolExecutor(1) as daemon:
        launched = daemon.submit(yard.instance.run_launcher.launch_run, launching(yard, run_id))
        until(lambda: yard.workers() - workers)  # one in place of the one that was given the run
        assert yard.instance.run_launcher.terminate(run_id)
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        launched.result()
    assert yard.ended(run_id) is Status.CANCELED
    assert not (yard.folder / f"{run_id}.pid").exists()


def test_a_run_is_not_begun_twice(yard: Yard) -> None:
    """A second launch finds it at work."""
    run_id = yard.launch(wait=True)
    pid = yard.at_work(run_id)
    yard.instance.run_launcher.launch_run(launching(yard, run_id))
    told = yard.told()
    assert told
    assert told["runs"] == [run_id]
    yard.release(run_id)
    assert yard.ended(run_id) is Status.SUCCESS
    assert yard.at_work(run_id) == pid


def test_a_killed_worker_is_reported(yard: Yard) -> None:
    """Dagster hears of it without its monitor, and how it ended."""
    run_id = yard.launch(wait=True)
    os.kill(yard.at_work(run_id), signal.SIGKILL)
    assert yard.ended(run_id) is Status.FAILURE
    [failure] = yard.instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE)
    assert "was killed by SIGKILL" in str(failure.dagster_event.message if failure.dagster_event else "")


def test_a_worker_killed_while_it_is_cancelled_is_a_cancellation(yard: Yard) -> None:
    """Whoever wanted it stopped has what they wanted."""
    run_id = yard.launch(wait=True)
    pid = yard.at_work(run_id)
    os.kill(pid, signal.SIGSTOP)
    assert yard.instance.run_launcher.terminate(run_id)
    os.kill(pid, signal.SIGKILL)
    assert yard.ended(run_id) is Status.CANCELED


def test_health_tells_the_living_from_the_dead(yard: Yard) -> None:
    """Also when the number of a dead process would name another; runs of other launchers are left alone."""
    health = yard.instance.run_launcher.check_run_worker_health
    run_id = yard.launch(wait=True)
    yard.at_work(run_id)
    assert health(yard.get(run_id)).status is WorkerStatus.RUNNING
    entry = yard.ledger.find(run_id)
    assert entry
    yard.ledger.begin(entry._replace(worker=entry.worker._replace(born="another boot:1")))
    assert health(yard.get(run_id)).status is WorkerStatus.FAILED
    yard.ledger.begin(entry)
    yard.release(run_id)
    yard.ended(run_id)
    assert health(yard.get(run_id)).status is WorkerStatus.SUCCESS
    assert health(yard.get(yard.make())).status is WorkerStatus.SUCCESS


def test_without_a_broker_dagster_is_told_to_come_again(shut_yard: Yard) -> None:
    """Launching, cancelling and asking fail with what Dagster knows as unreachable; nothing is marked."""
    run_id = shut_yard.make()
    launcher = shut_yard.instance.run_launcher
    with pytest.raises(DagsterUserCodeUnreachableError, match="does not answer"):
        launcher.launch_run(launching(shut_yard, run_id))
    with pytest.raises(DagsterUserCodeUnreachableError):
        launcher.check_run_worker_health(shut_yard.get(run_id))
    with pytest.raises(DagsterUserCodeUnreachableError):
        launcher.terminate(run_id)
    assert shut_yard.get(run_id).status is Status.STARTING


def test_a_killed_broker_leaves_runs_alone(yard: Yard) -> None:
    """The next one finds them: they end, are cancelled, or are reported as ever."""
    runs = [yard.launch(wait=True) for _ in range(3)]
    done, cancelled, killed = runs
    pids = [yard.at_work(run_id) for run_id in runs]
    yard.close(signal.SIGKILL)
    yard.open()
    assert yard.told() and sorted(runs) == sorted((yard.told() or {})["runs"])
    yard.release(done)
    assert yard.instance.run_launcher.terminate(cancelled)
    os.kill(pids[2], signal.SIGKILL)
    assert yard.ended(done) is Status.SUCCESS
    assert yard.ended(cancelled) is Status.CANCELED
    assert yard.ended(killed) is Status.FAILURE


def test_what_died_while_nobody_looked_is_reported_later(yard: Yard) -> None:
    """A run whose worker went with the broker fails when the next one starts."""
    run_id = yard.launch(wait=True)
    pid = yard.at_work(run_id)
    yard.close(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    yard.open()
    assert yard.ended(run_id) is Status.FAILURE


def test_an_orderly_stop_waits_for_what_ends_soon(shut_yard: Yard) -> None:
    """What does not is killed, and reported at the next start."""
    shut_yard.open("--drain", "60")
    quick = shut_yard.launch(wait=True)
    shut_yard.at_work(quick)
    assert shut_yard.broker
    shut_yard.broker.send_signal(signal.SIGTERM)
    until(lambda: (shut_yard.told() or {})["is_stopping"])
    shut_yard.release(quick)
    assert shut_yard.broker.wait(30) == 0
    assert shut_yard.ended(quick) is Status.SUCCESS
    shut_yard.open("--drain", "0")
    slow = shut_yard.launch(wait=True)
    pid = shut_yard.at_work(slow)
    assert shut_yard.close() == 0
    entry = shut_yard.ledger.find(slow)
    assert entry and entry.worker.pid == pid
    assert not entry.worker.is_alive
    shut_yard.open()
    assert shut_yard.ended(slow) is Status.FAILURE


def test_workers_are_replaced(shut_yard: Yard) -> None:
    """After so many runs, and when one has taken more memory than it may."""
    shut_yard.open("--runs", "2", "--growth-mb", "32")
    pids = []
    for _ in range(4):
        run_id = shut_yard.launch()
        assert shut_yard.ended(run_id) is Status.SUCCESS
        pids.append(shut_yard.at_work(run_id))
    assert pids[0] == pids[1] != pids[2] == pids[3]
    until(lambda: (shut_yard.told() or {"resting": 0})["resting"])
    fresh = (shut_yard.told() or {"workers": []})["workers"]
    assert shut_yard.ended(shut_yard.launch("greed")) is Status.SUCCESS
    until(lambda: not set(fresh) & set((shut_yard.told() or {"workers": fresh})["workers"]))


def test_code_is_loaded_anew_without_a_gap(yard: Yard) -> None:
    """The same process takes calls all the time; what is at work ends in its old worker, what comes in a new one."""
    before = yard.launch()
    yard.ended(before)
    old = yard.launch(wait=True)
    pid = yard.at_work(old)
    assert yard.broker
    yard.broker.send_signal(signal.SIGHUP)
    after = yard.launch()
    assert yard.ended(after) is Status.SUCCESS
    assert yard.at_work(after) != pid
    yard.release(old)
    assert yard.ended(old) is Status.SUCCESS
    assert yard.broker.poll() is None


def test_a_worker_outlives_the_database_connections_it_had(yard: Yard) -> None:
    """Between two runs all its connections are cut."""
    first = yard.launch()
    assert yard.ended(first) is Status.SUCCESS
    yard.cut_connections()
    second = yard.launch()
    assert yard.ended(second) is Status.SUCCESS
    assert yard.at_work(first) == yard.at_work(second)
