"""Children of a supervisor that was killed: they end, by themselves or by the next supervisor."""

import subprocess
from pathlib import Path

from discubot_pipeline.cli.processes import Supervisor
from tests.cli.real import STUBBORN, child_of, eventually, is_running, own, shell


def test_children_die_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """A kill -9 of the supervisor ends its children by their own stop signal."""
    script = "trap 'echo bye; exit' TERM; touch $0; while :; do sleep 0.02; done"
    with own(tmp_path, script) as owner:
        child = child_of(tmp_path)
        owner.kill()
    eventually(lambda: not is_running(child))
    assert (tmp_path / "logs" / "child.log").read_text() == "bye\n"


def test_stubborn_child_of_a_killed_supervisor_is_ended_by_the_next(tmp_path: Path) -> None:
    """A child that ignores the signal is found and killed by the next supervisor in the same state folder."""
    with own(tmp_path, STUBBORN) as owner:
        child = child_of(tmp_path)
        owner.kill()
    assert is_running(child)
    with Supervisor([shell("any", "exec sleep 60")], state=tmp_path):
        assert not is_running(child)


def test_record_of_children_spares_a_process_with_the_same_number(tmp_path: Path) -> None:
    """A process that was born at another time than the record says is somebody else's."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as innocent:
        (tmp_path / "children").write_text(f'{{"{innocent.pid}": "1"}}')
        with Supervisor([], state=tmp_path):
            assert is_running(innocent.pid)
        innocent.kill()
