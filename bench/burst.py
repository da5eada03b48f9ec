"""A hundred webhooks at once while the language model takes two seconds: how long, and how much memory a job takes."""

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from pydantic import SecretStr

from bench.arena import Arena, add_options, arena, machine, tell
from bench.memory import pss_mb
from discubot_pipeline.admin.teams import change
from discubot_pipeline.domain.changes import TeamChange
from discubot_pipeline.domain.preferences import AnalystKind

DELIVERIES = 100
MODEL_SECONDS = 2.0
LONGEST_SECONDS = 300.0
SENDERS = 16
LOOK_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "deliveries", DELIVERIES, has_peer=False)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures; beside them the model's time alone, were it asked one by one."""
    with arena() as place:
        choose_slow_model(place)
        waiting = [place.mention(number) for number in range(options.deliveries)]
        before, look = pss_mb(place.system), Look(place)
        began = time.time()
        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(place.send, waiting))
        ends = place.ends([webhook.discussion for webhook in waiting], LONGEST_SECONDS)
        look.stop()
    if len(ends) < options.deliveries:
        raise SystemExit(f"{len(ends)} of {options.deliveries} ended")
    seconds = max(ends.values()) - began
    figures = {
        "deliveries": options.deliveries,
        "seconds": round(seconds, 1),
        "model_seconds_one_by_one": options.deliveries * MODEL_SECONDS,
        "mb_per_job": round((look.peak_mb - before) / max(look.peak_runs, 1), 1),
        "peak_mb": round(look.peak_mb),
        "peak_runs": look.peak_runs,
    }
    return tell(machine() | figures, options.json)


def choose_slow_model(place: Arena) -> None:
    """Let the team read its threads with a model that takes two seconds for each."""
    key = place.stage.ask("GET", "/sandbox/defaults")["models"]["anthropic"]["api_key"]
    [team] = place.here.stores.configs.teams()
    wanted = TeamChange(
        preferences={"analyst": AnalystKind.ANTHROPIC, "model": "claude-sonnet-5"}, model_key=SecretStr(key)
    )
    change(place.here.stores, team, wanted, team.version, "bench")
    slow = {"service": "anthropic", "match": "", "kind": "slow", "seconds": MODEL_SECONDS, "times": None}
    place.stage.ask("POST", "/sandbox/faults", slow)


class Look:
    """Watches memory and running jobs from a thread of its own, twice a second."""

    def __init__(self, place: Arena) -> None:
        self.peak_mb, self.peak_runs = 0.0, 0
        self._place, self._over = place, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.peak_mb = max(self.peak_mb, pss_mb(self._place.system))
            self.peak_runs = max(self.peak_runs, len(list((self._place.system.home / "runs").glob("*.json"))))
