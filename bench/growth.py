"""What a long past costs: latency and drain with a million old deliveries in the database, beside an empty one."""

import argparse
from datetime import timedelta
from statistics import median
from typing import Any

from bench.arena import Arena, add_options, arena, machine, tell
from bench.drain import LONGEST_SECONDS, drained
from bench.latency import timed
from bench.past import Past, remember

DELIVERIES, WEBHOOKS, FIRST = 300, 50, 10
"""The first webhooks are not measured: after so many new rows they find nothing where it was."""
GAP_SECONDS = (0.2, 4.0)
PAST = Past(deliveries=1_000_000, discussions=200_000, runs=50_000, age=timedelta(days=15))
"""Younger than what the clean-up takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "deliveries", DELIVERIES, has_peer=False)
    parser.add_argument(
        "--webhooks", type=int, default=WEBHOOKS, help=f"how many lone ones to send before ({WEBHOOKS})"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the past only (1.0)")


def run(options: argparse.Namespace) -> int:
    """Measure both, print, and write the figures. A ratio above 1 says how much longer it takes with the past."""
    past = PAST.scaled(options.scale)
    with arena() as place:
        empty = measured(place, options)
    with arena() as place:
        seconds = remember(place.here.engine, past)
        full = measured(place, options)
    figures = {
        "old_deliveries": past.deliveries,
        "old_discussions": past.discussions,
        "old_runs": past.runs,
        "seed_s": round(seconds, 1),
        **{f"empty_{name}": round(value, 3) for name, value in empty.items()},
        **{f"full_{name}": round(value, 3) for name, value in full.items()},
        "ratio_latency": round(full["p50_s"] / empty["p50_s"], 3),
        "ratio_drain": round(empty["jobs_per_s"] / full["jobs_per_s"], 3),
    }
    return tell(machine() | figures, options.json)


def measured(place: Arena, options: argparse.Namespace) -> dict[str, Any]:
    """Send lone webhooks, then many at once."""
    timed(place, range(FIRST), GAP_SECONDS)
    lone = timed(place, range(FIRST, FIRST + options.webhooks), GAP_SECONDS)
    rate = drained(place, options.deliveries, options.deliveries, LONGEST_SECONDS, FIRST + options.webhooks)
    return {"p50_s": median(lone.values()), "jobs_per_s": rate}
