"""How fast waiting deliveries are worked off, beside stock Dagster with its in-process and its default executor."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.arena import Arena, add_options, arena, machine, tell
from bench.stock.system import StockSystem

DELIVERIES = 300
PEER_SECONDS = 180.0
PEER_DELIVERIES = {"in_process": 150, "default": 40}
"""More than fit into three minutes; at least 10 are waited for."""
PEER_LEAST = 10
LONGEST_SECONDS = 600.0
SENDERS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "deliveries", DELIVERIES)


def run(options: argparse.Namespace) -> int:
    """Measure ours and the peers, print, and write the figures."""
    with arena() as ours:
        rate = drained(ours, options.deliveries, options.deliveries, LONGEST_SECONDS)
    figures = machine() | {"deliveries": options.deliveries, "jobs_per_s": round(rate, 2)}
    for executor, deliveries in [] if options.no_peer else PEER_DELIVERIES.items():
        with arena(partial(StockSystem, executor=executor)) as peer:
            theirs = drained(peer, deliveries, PEER_LEAST, PEER_SECONDS)
        figures[f"stock_{executor}_jobs_per_s"] = round(theirs, 3)
        figures[f"ratio_stock_{executor}"] = round(rate / theirs, 1)
    return tell(figures, options.json)


def drained(place: Arena, deliveries: int, least: int, seconds: float, first: int = 0) -> float:
    """Send deliveries of as many threads as fast as they are taken; gives completed jobs a second.

    From the first request to the last end, or to the end of the time when not all end in it.
    """
    waiting = [place.mention(number) for number in range(first, first + deliveries)]
    before = place.pages(), place.answers()
    began = time.time()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(place.send, waiting))
    ids = [webhook.discussion for webhook in waiting]
    ends = place.ends(ids, seconds)
    if len(ends) < least:
        ends |= place.ends(ids[:least], LONGEST_SECONDS)
    pages, answers = place.pages() - before[0], place.answers() - before[1]
    if len(ends) < least or min(pages, answers) < len(ends):
        raise SystemExit(f"{len(ends)} of {deliveries} ended, with {pages} pages and {answers} answers")
    return len(ends) / (max(ends.values()) - began)
