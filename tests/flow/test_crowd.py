"""Many jobs, eight at a time, while fifty clients ask and listen: nobody ever sees anything that was not so."""

import os
import threading
from collections import Counter

import pytest

from tests.flow.desk import FINAL, Desk
from tests.flow.runs import Json, eventually
from tests.flow.team import Team
from tests.flow.town import TEAM_RUNS, Town
from tests.web.sse import Client

JOBS = int(os.environ.get("DISCUBOT_CROWD_JOBS", "16"))
TEAMS = 8 // TEAM_RUNS
CLIENTS = 50
RANKS = {"pending": 0, "processing": 1, "delayed": 1} | dict.fromkeys(FINAL, 2)
LONGEST_SECONDS = 60.0 + 3 * JOBS
pytestmark = [pytest.mark.processes, pytest.mark.timeout(120 + 4 * JOBS)]


class Poller:
    """Asks for a team's jobs again and again, and writes down whatever cannot be."""

    def __init__(self, desk: Desk) -> None:
        self.wrong: list[str] = []
        self.seen: dict[str, str] = {}
        self._desk = desk

    def work(self, over: threading.Event) -> None:
        """Ask once a second, and once more when it is over."""
        is_last = False
        while not is_last:
            is_last = over.wait(1)
            after = ""
            while True:
                page = self._desk("GET", f"/jobs?limit=200{after}")
                for job in page["jobs"]:
                    self._look(job)
                if not page["next"]:
                    break
                after = f"&after={page['next']}"

    def _look(self, job: Json) -> None:
        before, now = self.seen.get(job["job_id"], "pending"), job["status"]
        if RANKS[now] < RANKS[before] or (before in FINAL and now != before):
            self.wrong.append(f"{job['job_id']} went from {before} to {now}")
        times = [job[name] for name in ("created_at", "started_at", "finished_at") if job[name]]
        if times != sorted(times):
            self.wrong.append(f"{job['job_id']} has the times {times}")
        self.seen[job["job_id"]] = now


class Listener:
    """Counts the ends that a team's stream tells of."""

    def __init__(self, client: Client) -> None:
        self.ends: Counter[str] = Counter()
        self.is_there = threading.Event()
        self._client = client

    def work(self) -> None:
        """Listen for as long as the process lives."""
        with self._client.listening("/events") as said:
            self.is_there.set()
            for each in said:
                if each.kind in FINAL:
                    self.ends[each.data["job_id"]] += 1


def test_nobody_sees_what_is_not_so(town: Town) -> None:
    """No job goes back, no end changes, all times are in order, and every listener hears each end once."""
    teams = [town.team(f"crowd{number}") for number in range(TEAMS)]
    share = JOBS // TEAMS
    over = threading.Event()
    pollers = [Poller(Desk.of(teams[n % TEAMS], f"asks{n}")) for n in range(CLIENTS // 2)]
    listeners = [(teams[n % TEAMS], listener_of(teams[n % TEAMS], n)) for n in range(CLIENTS // 2)]
    asking = [threading.Thread(target=each.work, args=(over,), daemon=True) for each in pollers]
    hearing = [threading.Thread(target=each.work, daemon=True) for _, each in listeners]
    for thread in (*asking, *hearing):
        thread.start()
    assert all(each.is_there.wait(30) for _, each in listeners)
    try:
        threads = [team.thread(f"Lamp {n} is dark", f"@bot replace lamp {n}") for n in range(share) for team in teams]
        runs = {thread.team.name: set[str]() for thread in threads}
        for thread in threads:
            runs[thread.team.name] |= {run.id for run in thread.settled(1, LONGEST_SECONDS)}
        expected = {name: dict.fromkeys(ids, 1) for name, ids in runs.items()}
        eventually(
            lambda: all(dict(heard.ends) == expected[team.name] for team, heard in listeners), "all ends to be heard"
        )
    finally:
        over.set()
        for each in asking:
            each.join()
    assert sum(len(ids) for ids in runs.values()) == share * TEAMS
    assert all(set(poller.seen.values()) == {"completed"} and len(poller.seen) >= share for poller in pollers)
    assert [wrong for poller in pollers for wrong in poller.wrong] == []
    assert all(dict(heard.ends) == expected[team.name] for team, heard in listeners)


def listener_of(team: Team, number: int) -> Listener:
    """Let somebody of a team listen."""
    return Listener(Client(team.town.here.settings.receiver_url, Desk.of(team, f"hears{number}").token))
