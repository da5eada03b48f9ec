"""What a lone job costs the database: connections, statements, events, beside stock Dagster."""

import argparse
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from bench.arena import Arena, add_options, arena, machine, tell
from bench.latency import timed
from bench.past import events, runs
from bench.stock.system import StockSystem

WEBHOOKS, PEER_WEBHOOKS = 20, 5
GAP_SECONDS = (1.5, 3.0)
QUIET_SECONDS = 15.0
"""As long the system is left alone: what it does then is no job's. Postgres' counts are ten seconds old at most."""
LINE = re.compile(r"^(\d{4}-\d\d-\d\d [\d:.]+) UTC #.*?(?:statement|execute [^:]*): ", re.MULTILINE)
LOGGED = {"log_statement": "all", "log_line_prefix": "%m #", "log_parameter_max_length": "0"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "webhooks", WEBHOOKS)


def run(options: argparse.Namespace) -> int:
    """Measure ours and the peer, print, and write the figures: of a job, without what the system does anyway."""
    with arena() as ours:
        figures = machine() | {"webhooks": options.webhooks} | cost(ours, options.webhooks)
    if not options.no_peer:
        with arena(partial(StockSystem, executor="in_process")) as peer:
            figures |= {f"stock_{name}": value for name, value in cost(peer, PEER_WEBHOOKS).items()}
    return tell(figures, options.json)


def cost(place: Arena, webhooks: int) -> dict[str, float]:
    """Let the system rest, then do so many jobs; gives what one of them costs."""
    with written_down(place) as log:
        time.sleep(QUIET_SECONDS)
        moments = [counts(place)]
        time.sleep(QUIET_SECONDS)
        moments.append(counts(place))
        timed(place, range(webhooks), GAP_SECONDS)
        time.sleep(QUIET_SECONDS)
        moments.append(counts(place))
        said = [datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for at in LINE.findall(log.read_text())]
    rested, began, ended = (each | {"statements": between(said, 0, each["at"])} for each in moments)
    part = (ended["at"] - began["at"]) / (began["at"] - rested["at"])

    def each(name: str) -> float:
        return round((ended[name] - began[name] - part * (began[name] - rested[name])) / webhooks, 1)

    return {
        **{name: each(name) for name in ("connections", "statements")},
        **{f"statements_{step}": value for step, value in by_op(place, said, began["at"]).items()},
        "events": events_of(place, began["at"]),
    }


@contextmanager
def written_down(place: Arena) -> Iterator[Path]:
    """Let Postgres write down each statement that it is sent; gives where."""
    postgres = place.system.postgres
    if postgres is None:
        raise SystemExit("this is measured with the built-in PostgreSQL only")
    with (postgres.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in LOGGED.items())
    os.kill(int((postgres.data / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)
    yield place.system.home / "logs" / "postgres.log"


def counts(place: Arena) -> dict[str, float]:
    """Read what Postgres has counted up to now."""
    select = sa.text("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
    with place.here.engine.connect() as connection:
        return {"at": time.time(), "connections": connection.execute(select).scalar_one()}


def between(moments: list[float], start: float, end: float) -> int:
    """Count the moments of a span."""
    return sum(start <= moment < end for moment in moments)


def by_op(place: Arena, said: list[float], since: float) -> dict[str, float]:
    """Count, for each op, the statements from its start to its end; gives the medians."""
    e = events.c
    kinds = ("STEP_START", "STEP_SUCCESS")
    select = sa.select(e.run_id, e.step_key, e.dagster_event_type, e.timestamp).where(e.dagster_event_type.in_(kinds))
    with place.here.engine.connect() as connection:
        rows = connection.execute(select.order_by(e.id)).all()
    seen: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        seen.setdefault((row.step_key, row.run_id), []).append(row.timestamp.replace(tzinfo=UTC).timestamp())
    counted: dict[str, list[int]] = {}
    for (step, _), (start, *end) in seen.items():
        if end and start > since:
            counted.setdefault(step, []).append(between(said, start, end[0]))
    return {step: median(values) for step, values in counted.items()}


def events_of(place: Arena, since: float) -> float:
    """Count the events of each run since a moment; gives the median."""
    count = sa.select(sa.func.count()).where(events.c.run_id == runs.c.run_id).scalar_subquery()
    select = sa.select(count).where(runs.c.start_time > since, runs.c.pipeline_name == "discussion_job")
    with place.here.engine.connect() as connection:
        return float(median(connection.execute(select).scalars()))
