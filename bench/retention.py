"""How fast 50,000 old jobs are removed with all that was kept of them, and what deliveries notice of it meanwhile."""

import argparse
import math
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from bench.arena import Arena, add_options, arena, machine, tell
from bench.growth import FIRST, PAST
from bench.latency import timed
from bench.past import remember, runs
from discubot_pipeline.adapters.dagster import DagsterWeb

WEBHOOKS = 60
GAP_SECONDS = (0.1, 1.1)
OLD = replace(PAST, deliveries=PAST.runs, discussions=PAST.runs, age=timedelta(days=40))
LONGEST_SECONDS = 1_800.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "webhooks", WEBHOOKS, has_peer=False)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the old jobs only (1.0)")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures: latencies are of webhooks sent before the clean-up and during it."""
    old, count = OLD.scaled(options.scale), options.webhooks
    with arena() as place:
        seconds, there = remember(place.here.engine, old), old_runs(place)
        timed(place, range(FIRST), GAP_SECONDS)
        before = list(timed(place, range(FIRST, FIRST + count), GAP_SECONDS).values())
        run_id = launch(place)
        sent = timed(place, range(FIRST + count, FIRST + 2 * count), GAP_SECONDS)
        began, ended = times(place, run_id)
        removed = there - old_runs(place)
    meanwhile = [taken for at, taken in sent.items() if at < ended]
    if removed != old.runs or not meanwhile:
        raise SystemExit(f"{removed} of {old.runs} old jobs were removed, during {len(meanwhile)} webhooks")
    p95 = [percentile(each, 0.95) for each in (before, meanwhile)]
    figures = {
        "old_runs": old.runs,
        "seed_s": round(seconds, 1),
        "removal_s": round(ended - began, 1),
        "webhooks_meanwhile": len(meanwhile),
        "before_p95_s": round(p95[0], 3),
        "meanwhile_p95_s": round(p95[1], 3),
        "runs_per_s": round(removed / (ended - began), 1),
        "ratio_latency_p95": round(p95[1] / p95[0], 2),
    }
    return tell(machine() | figures, options.json)


def percentile(values: Iterable[float], part: float) -> float:
    """Give the least value that is not exceeded by a part of all: by one of one, too."""
    ranked = sorted(values)
    return ranked[math.ceil(part * len(ranked)) - 1]


def launch(place: Arena) -> str:
    """Start the clean-up; gives its run's id."""
    with DagsterWeb(place.system.settings.web_url) as web:
        return web.launch("retention_job")


def times(place: Arena, run_id: str) -> tuple[float, float]:
    """Wait for the clean-up's end; gives when it began and ended, in Unix time."""
    select = sa.select(runs.c.start_time, runs.c.end_time).where(runs.c.run_id == run_id, runs.c.status == "SUCCESS")
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with place.here.engine.connect() as connection:
            row = connection.execute(select).one_or_none()
        if row:
            return row.start_time, row.end_time
        time.sleep(1)
    raise SystemExit("the clean-up did not end well")


def old_runs(place: Arena) -> int:
    """Count the runs that the clean-up is to remove."""
    old = runs.c.update_timestamp < sa.func.now() - place.here.settings.keep_jobs
    with place.here.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(runs).where(old)).scalar_one()
