"""How many signed Slack events a second the receiver commits, beside what pgbench commits on the same server."""

import argparse
import http.client
import json
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from bench.memory import TICKS, ticks
from discubot_pipeline.cli.child import Child, Program
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.cli.processes import answers
from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings, inherited_environment
from discubot_pipeline.store.migrate import migrate
from discubot_pipeline.wiring import build

CONNECTIONS = 16
DUPLICATE_EVERY = 20
SECRET = "bench-secret"
PEER = 'INSERT INTO bench_peer (payload) VALUES (\'{"text": "one row"}\');'
PEER_SECONDS = 10
Event = tuple[bytes, dict[str, str]]
"""A body and its headers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--requests", type=int, default=20_000, help="how many events to send (20000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures."""
    figures = {"bench": "receive", "python": platform.python_version()} | compare(options.requests)
    for name, value in figures.items():
        print(f"{name:<16} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def compare(requests: int) -> dict[str, Any]:
    """Measure both on one server; gives per_s, p99_ms, ratio_pgbench and what was seen."""
    with tempfile.TemporaryDirectory(prefix="discubot-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        try:
            postgres.start()
            settings = Settings(home=Path(folder), database_url=SecretStr(postgres.url()), receiver_port=free_port())
            return measure(settings, postgres, requests)
        finally:
            postgres.remove()


def measure(settings: Settings, postgres: EmbeddedPostgres, requests: int) -> dict[str, Any]:
    """Send the requests, then let pgbench commit single rows over as many connections."""
    here = build(settings)
    migrate(here.engine)
    credentials = SlackCredentials(signing_secret=SecretStr(SECRET), bot_token=SecretStr("xoxb-bench"))
    team = here.stores.configs.add_team("bench", "bench")
    config = here.stores.configs.add_source(team, SourceType.SLACK, "slack", credentials, "bench", workspace="T1")
    with receiver(settings) as pid:
        shares = [range(start, requests, CONNECTIONS) for start in range(CONNECTIONS)]
        prepared = [[event(number) for number in share] for share in shares]
        before = used(pid, postgres)
        seconds, latencies, statuses = send(settings, config, prepared)
        spent = {name: after - before[name] for name, after in used(pid, postgres).items()}
    rows = len(here.stores.inboxes[SourceType.SLACK].due(requests))
    here.engine.dispose()
    peer = pgbench(postgres)
    per_s = requests / seconds
    return {
        "per_s": round(per_s, 1),
        "p50_ms": round(quantiles(latencies, n=100)[49] * 1000, 2),
        "p99_ms": round(quantiles(latencies, n=100)[98] * 1000, 2),
        "pgbench_per_s": round(peer, 1),
        "ratio_pgbench": round(per_s / peer, 3),
        **{f"{name}_cpu_ms": round(1000 * each / requests, 3) for name, each in spent.items()},
        "requests": requests,
        "rows": rows,
        "statuses": statuses,
    }


@contextmanager
def receiver(settings: Settings) -> Iterator[int]:
    """Run the receiver as `discubot up` does; gives its process."""
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    env = inherited_environment() | {
        "DISCUBOT_HOME": str(settings.home),
        "DISCUBOT_DATABASE_URL": url,
        "DISCUBOT_RECEIVER_PORT": str(settings.receiver_port),
    }
    ready = answers(f"http://{settings.host}:{settings.receiver_port}/readyz")
    child = Child(Program("receiver", [sys.executable, "-m", "discubot_pipeline.web"], env, ready), settings.home)
    child.start()
    try:
        child.wait_until_ready()
        yield child.pid or 0
    finally:
        child.stop()


def used(receiver: int, postgres: EmbeddedPostgres) -> dict[str, float]:
    """Tell how much processor time each side has used, in seconds: what is used a request shows where the floor is."""
    main = int((postgres.data / "postmaster.pid").read_text().split()[0])
    backends = [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]
    return {
        "receiver": ticks(Path(f"/proc/{receiver}")) / TICKS,
        "clients": time.process_time(),
        "postgres": sum(ticks(Path(f"/proc/{pid}")) for pid in (main, *backends)) / TICKS,
    }


def send(
    settings: Settings, config: SourceConfig, shares: list[list[Event]]
) -> tuple[float, list[float], dict[int, int]]:
    """Post each share over a connection of its own; gives seconds, latencies and counts of statuses."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}

    def work(events: list[Event]) -> None:
        connection = http.client.HTTPConnection(settings.host, settings.receiver_port)
        for body, headers in events:
            began = time.perf_counter()
            connection.request("POST", f"/hooks/slack/{config.hook}", body, headers)
            answer = connection.getresponse()
            answer.read()
            latencies.append(time.perf_counter() - began)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
        connection.close()

    threads = [threading.Thread(target=work, args=(events,)) for events in shares]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, latencies, statuses


def event(number: int) -> Event:
    """Sign an app_mention; every twentieth is a delivery that was sent before."""
    same = number - CONNECTIONS if number % DUPLICATE_EVERY == 0 and number >= CONNECTIONS else number
    ts = f"17637{same:05d}.000100"
    inner = {"type": "app_mention", "user": "U1", "text": "<@UBOT> fix it", "channel": "C1", "ts": ts, "event_ts": ts}
    envelope = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{same}", "event": inner, "event_time": 1}
    body, now = json.dumps(envelope), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=now, body=body) or ""
    headers = {"content-type": "application/json", "x-slack-request-timestamp": now, "x-slack-signature": signature}
    return body.encode(), headers


def pgbench(postgres: EmbeddedPostgres) -> float:
    """Let pgbench commit one row a transaction over as many connections; gives commits a second."""
    env = inherited_environment() | postgres.env()
    psql, bench = str(postgres.binary("psql")), str(postgres.binary("pgbench"))
    table = "CREATE TABLE bench_peer (id bigserial PRIMARY KEY, payload jsonb NOT NULL)"
    subprocess.run([psql, "-q", "-c", table], env=env, check=True)
    script = postgres.state / "peer.sql"
    script.write_text(PEER)
    words = [bench, "-n", "-c", str(CONNECTIONS), "-j", "2", "-T", str(PEER_SECONDS), "-f", str(script)]
    printed = subprocess.run(words, env=env, check=True, capture_output=True, text=True).stdout
    line = next(line for line in printed.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])
