"""The whole system on this machine, started for one measurement: real processes, stand-ins that answer at once."""

import argparse
import compileall
import http.client
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster
import sqlalchemy as sa
from slack_sdk.signature import SignatureVerifier

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli import slackdemo
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.serve import running
from discubot_pipeline.cli.stage import Stage
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.tables import discussions
from discubot_pipeline.wiring import Services, build

POLL_SECONDS = 0.25
SAID = ("The sign above the door is loose", "It rattles when it is windy")
ASKED = "please fix the sign by Friday"


@dataclass(frozen=True)
class Webhook:
    """A mention that Slack has not told us of yet, and the discussion that it will be."""

    discussion: UUID
    body: bytes


@dataclass(frozen=True)
class Arena:
    """A running system with one team. `sent` and the ends of discussions are told by the same clock, in Unix time."""

    system: System
    here: Services
    stage: Stage
    source: SourceConfig

    def mention(self, number: int) -> Webhook:
        """Let people write a thread whose last message mentions the bot, and keep its event back."""
        channel, team = self.stage.slack["channels"][0]["id"], self.stage.slack["team_id"]
        user = self.stage.slack["users"][0]["id"]
        root: str | None = None
        text = f"<@{self.stage.slack['bot_user_id']}> {ASKED} (no. {number})"
        for line in (*SAID, text):
            message = {"channel": channel, "user": user, "text": line, "team_id": team, "thread_ts": root}
            said = self.stage.ask("POST", "/sandbox/slack/messages", message | {"quiet": True})
            root = root or said["ts"]
        inner = {"type": "app_mention", "user": user, "text": text, "channel": channel}
        inner |= {"ts": said["ts"], "event_ts": said["ts"], "thread_ts": root}
        event = {"type": "event_callback", "team_id": team, "event_id": f"Ev{number}", "event_time": 1, "event": inner}
        id = discussion_id(self.source.team_id, SourceType.SLACK, f"{channel}:{root}")
        return Webhook(id, json.dumps(event).encode())

    def send(self, webhook: Webhook) -> float:
        """Deliver a webhook as Slack does; gives when."""
        now = time.time()
        signer = SignatureVerifier(self.stage.slack["signing_secret"])
        signature = signer.generate_signature(timestamp=str(int(now)), body=webhook.body) or ""
        headers = {"content-type": "application/json", "x-slack-request-timestamp": str(int(now))}
        connection = http.client.HTTPConnection(self.here.settings.host, self.here.settings.receiver_port)
        path = f"/hooks/slack/{self.source.hook}"
        connection.request("POST", path, webhook.body, headers | {"x-slack-signature": signature})
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            raise SystemExit(f"the receiver answered {status}")
        return now

    def completed(self, ids: Sequence[UUID]) -> dict[UUID, tuple[str, float]]:
        """Give the run, and the end, of those discussions that are completed."""
        d = discussions.c
        done = sa.select(d.id, d.run_id, d.completed_at).where(d.id.in_(ids), d.status == "completed")
        with self.here.engine.connect() as connection:
            return {row.id: (row.run_id, row.completed_at.timestamp()) for row in connection.execute(done)}

    def ends(self, ids: Sequence[UUID], seconds: float) -> dict[UUID, float]:
        """Wait until discussions are completed and their jobs have ended, at most so long; gives when each was both."""
        deadline = time.monotonic() + seconds
        ends: dict[UUID, float] = {}
        while len(ends) < len(ids) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            for id, (run_id, at) in self.completed([id for id in ids if id not in ends]).items():
                run = self.here.dagster.run(run_id)
                if run and run.status == "SUCCESS" and run.ended_at:
                    ends[id] = max(at, run.ended_at)
        return ends

    def pages(self) -> int:
        """Count the pages in the stand-in of Notion."""
        return len(self.stage.ask("GET", "/sandbox/notion/pages")["pages"])

    def answers(self) -> int:
        """Count what the bot has posted in the stand-in of Slack."""
        calls = self.stage.ask("GET", "/sandbox/log?since=0")["calls"]
        return sum(call["path"].endswith("chat.postMessage") and call["status"] == 200 for call in calls)


@contextmanager
def arena(make: Callable[..., System] = System, **settings: Any) -> Iterator[Arena]:
    """Start a system with a team in a folder of its own, and remove it all."""
    compile_all()
    home = Path(tempfile.mkdtemp(prefix="discubot-bench-"))
    ports = {name: free_port() for name in ("web_port", "receiver_port", "sandbox_port")}
    system = make(Settings.model_validate({"home": home, **ports, **settings}), sandbox=True)
    try:
        with running(system, verbose=False):
            here = build(system.settings)
            with Service("The sandbox", system.sandbox_url, {}) as control:
                told = control.call("GET", "/sandbox/defaults").json()
                stage = Stage(control, told["slack"], told["notion"], told["figma"])
                source = slackdemo.set_up(here, stage)
                arena = Arena(system, here, stage, source)
                warm_up(arena)
                yield arena
            here.close()
    finally:
        if system.postgres:
            system.postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


def warm_up(arena: Arena) -> None:
    """Let one thread pass, so that nobody measures the first look at a database's columns."""
    first = arena.mention(999_999)
    arena.send(first)
    if not arena.ends([first.discussion], 120):
        raise SystemExit("the first thread was not completed in two minutes")


def compile_all() -> None:
    """Compile all bytecode: otherwise the first processes would be measured at compiling."""
    for folder in {Path(__file__).parents[1] / "discubot_pipeline", Path(dagster.__file__).parents[1]}:
        compileall.compile_dir(folder, quiet=2, workers=2)


def add_options(parser: argparse.ArgumentParser, what: str, count: int, has_peer: bool = True) -> None:
    """Name the options that these benches share; `what` is what there are so many of."""
    parser.add_argument(f"--{what}", type=int, default=count, help=f"how many to send ({count})")
    if has_peer:
        parser.add_argument("--no-peer", action="store_true", help="measure ours only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")


def machine() -> dict[str, Any]:
    """Say what was measured on."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "dagster": version("dagster"),
        "cores": os.cpu_count(),
    }


def tell(figures: dict[str, Any], path: Path | None) -> int:
    """Print figures as a table, and write them to a file; gives the exit code."""
    for name, value in figures.items():
        print(f"{name:<22} {value}")
    if path:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    return 0
