"""How long a page of a team's jobs takes with 50,000 runs, beside Dagster's own list of the same runs by GraphQL."""

import argparse
import http.client
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from urllib.parse import quote

from bench.arena import Arena, add_options, arena, machine, tell
from bench.past import Past, remember
from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.store.tables import Role

LOOKS = 20
PAGES = 3
PAST = Past(deliveries=1_000, discussions=1_000, runs=50_000, age=timedelta(days=2))
ASKED = {
    "all": "",
    "completed": "status=completed",
    "failed": "status=failed",
    "processing": "status=processing",
    "source": "source=slack",
    "stage": "stage=notification",
    "until": f"until={(datetime.now(UTC) - PAST.age - timedelta(hours=5)).strftime('%Y-%m-%dT%H:%M:%SZ')}",
}
"""What is asked for; the last begins in the middle of the past."""
PEER = """
query Runs($filter: RunsFilter!, $cursor: String) {
  runsOrError(filter: $filter, cursor: $cursor, limit: 50) {
    ... on Runs { results { runId status jobName creationTime startTime endTime tags { key value } } }
  }
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_options(parser, "looks", LOOKS, has_peer=False)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the runs only (1.0)")


def run(options: argparse.Namespace) -> int:
    """Measure both, print, and write the figures: of each list the first pages, all looked at so many times."""
    past = PAST.scaled(options.scale)
    with arena() as place:
        seconds = remember(place.here.engine, past)
        lists = {name: ours(place, asked, options.looks) for name, asked in ASKED.items()}
        peer = median(theirs(place, options.looks))
    taken = [each for times in lists.values() for each in times]
    figures = {f"{name}_p50_ms": median(times) for name, times in lists.items()}
    figures |= {"p50_ms": median(taken), "p95_ms": quantiles(taken, n=100)[94], "dagster_p50_ms": peer}
    rounded = {name: round(value, 1) for name, value in figures.items()}
    size = {"runs": past.runs, "seed_s": round(seconds, 1)}
    return tell(machine() | size | rounded | {"ratio_dagster": round(median(taken) / peer, 2)}, options.json)


def ours(place: Arena, asked: str, looks: int) -> list[float]:
    """Look at a team's list through the API; gives how many milliseconds each page took."""
    token = place.here.stores.tokens.make(place.teams[0].source.team_id, "bench", Role.MEMBER, "bench")
    settings = place.here.settings
    connection = http.client.HTTPConnection(settings.host, settings.receiver_port)

    def page(cursor: str | None) -> str | None:
        after = f"&after={quote(cursor)}" if cursor else ""
        connection.request("GET", f"/api/jobs?{asked}{after}", headers={"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"the API answered {answer.status}: {told}")
        there: str | None = told["next"]
        return there

    return timed(page, looks)


def theirs(place: Arena, looks: int) -> list[float]:
    """Look at the same team's runs as Dagster's UI does."""
    tag = {"key": "discubot/team_id", "value": str(place.teams[0].source.team_id)}
    with DagsterWeb(place.system.settings.web_url) as web:

        def page(cursor: str | None) -> str | None:
            told = web.ask(PEER, filter={"tags": [tag]}, cursor=cursor)["runsOrError"]["results"]
            return str(told[-1]["runId"]) if told else None

        return timed(page, looks)


def timed(page: Callable[[str | None], str | None], looks: int) -> list[float]:
    """Turn the first pages again and again."""
    taken = []
    for _ in range(looks):
        cursor: str | None = None
        for _ in range(PAGES):
            began = time.perf_counter()
            cursor = page(cursor)
            taken.append((time.perf_counter() - began) * 1_000)
            if cursor is None:
                break
    return taken
