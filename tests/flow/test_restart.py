"""Our own processes die while work is under way: the supervisor starts them again, and nothing is lost or doubled."""

import json
import os
import signal

from tests.flow.runs import eventually
from tests.flow.town import Town


def replace(town: Town, words: str) -> None:
    """Kill one of the system's processes and wait until the supervisor has started another."""
    [killed] = children(town, words)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: (now := children(town, words)) and now != [killed], f"another {words}")


def children(town: Town, words: str) -> list[int]:
    """Find the system's processes by words of their command."""
    remembered = json.loads((town.system.home / "children").read_text())
    return [int(pid) for pid in remembered if words in command(int(pid))]


def command(pid: int) -> str:
    """Give a process's command; nothing of one that has ended."""
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""


def test_a_run_that_dies_with_the_code_server_is_retried(town: Town) -> None:
    """Nobody else would ever end it, and its thread would be closed to every later mention."""
    with town.fault("slack", "conversations.replies", "slow", seconds=20) as slow:
        thread = town.team("restarted").thread("The gate is stuck", "@bot fix the gate")
        slow.strikes()
        replace(town, "defs.server")
    killed, retry = thread.settled(2)
    assert (killed.status, killed.tags["dagster/will_retry"]) == ("FAILURE", "true")
    assert (retry.status, retry.parent, retry.tags["discubot/outcome"]) == ("SUCCESS", killed.id, "completed")
    assert (thread.status, thread.titles, len(thread.replies)) == ("completed", ["Fix the gate"], 1)
    assert [(row.status, row.run_id) for row in thread.deliveries] == [("done", retry.id)]


def test_a_mention_after_the_daemon_came_back_is_not_held_up(town: Town) -> None:
    """The tick that the dead daemon left behind takes no delivery away from the new one."""
    replace(town, "defs.daemon")
    thread = town.team("patient").thread("The fence is low", "@bot fix the fence")
    [run] = thread.settled()
    assert (run.status, thread.titles) == ("SUCCESS", ["Fix the fence"])
