"""How long a lone webhook takes to a finished job: from the HTTP request to the job's end, beside stock Dagster."""

import argparse
import random
import time
from functools import partial
from statistics import quantiles
from typing import Any

from bench.arena import Arena, add_options, arena, machine, tell
from bench.stock.system import StockSystem

WEBHOOKS = 50
PEER_WEBHOOKS = 10
GAP_SECONDS = (0.2, 10.0)
SEED = 20_260_301
LONGEST_SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "webhooks", WEBHOOKS)


def run(options: argparse.Namespace) -> int:
    """Measure ours and the peer, print, and write the figures."""
    with arena() as ours:
        figures = machine() | {"webhooks": options.webhooks} | summed(latencies(ours, options.webhooks))
    if not options.no_peer:
        with arena(partial(StockSystem, executor="in_process")) as peer:
            theirs = summed(latencies(peer, PEER_WEBHOOKS))
        figures |= {f"stock_{name}": value for name, value in theirs.items()}
        figures["ratio_stock_p50"] = round(theirs["p50_s"] / figures["p50_s"], 1)
    return tell(figures, options.json)


def latencies(place: Arena, webhooks: int) -> list[float]:
    """Send webhooks one by one; gives how long each took, in seconds."""
    return list(timed(place, range(webhooks), GAP_SECONDS).values())


def timed(place: Arena, numbers: range, gaps: tuple[float, float]) -> dict[float, float]:
    """Send webhooks with gaps drawn by a seeded generator; gives when each was sent, and how long it took."""
    draw = random.Random(SEED)
    waiting = [place.mention(number) for number in numbers]
    before = place.pages(), place.answers()
    sent = {}
    for webhook in waiting:
        time.sleep(draw.uniform(*gaps))
        sent[webhook.discussion] = place.send(webhook)
    ends = place.ends(list(sent), LONGEST_SECONDS)
    pages, answers = place.pages() - before[0], place.answers() - before[1]
    if min(len(ends), pages, answers) < len(sent):
        raise SystemExit(f"{len(ends)} of {len(sent)} ended, with {pages} pages, {answers} answers")
    return {at: ends[id] - at for id, at in sent.items()}


def summed(seconds: list[float]) -> dict[str, Any]:
    """Sum latencies up."""
    cuts = quantiles(seconds, n=100)
    return {"p50_s": round(cuts[49], 3), "p95_s": round(cuts[94], 3), "max_s": round(max(seconds), 3)}
