"""`discubot demo`: the whole system with Slack, Figma and Notion in the sandbox, threads played in it, and a report."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli import figmademo, notiondemo, slackdemo
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.serve import clean_up_once, running
from discubot_pipeline.cli.stage import Played, Stage
from discubot_pipeline.cli.system import System
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.settings import Settings
from discubot_pipeline.wiring import Services, build

FIGMA_FILE = "SandboxCheckoutFile0001"
PATIENCE = timedelta(minutes=15)
POLL_SECONDS = 0.3
INTERRUPTED = 130
ANSWERS = {
    SourceType.SLACK: slackdemo.answers,
    SourceType.FIGMA: figmademo.answers,
    SourceType.NOTION: notiondemo.answers,
}


def play(
    settings: Settings, *, once: bool, report: Path | None, export: Path | None, threads: int, verbose: bool
) -> int:
    """Run the demo; gives the exit code."""
    outcome = INTERRUPTED
    with place(settings, once) as chosen:
        system = System(chosen, sandbox=True)
        with running(system, verbose) as supervisor:
            here = build(system.settings)
            outcome = perform(system, here, report, export, threads)
            if not once:
                invite(system)
                supervisor.wait()
    return outcome


@contextmanager
def place(settings: Settings, once: bool) -> Iterator[Settings]:
    """Choose where the demo lives: a temporary state and free ports for `--once`, else a folder of its own."""
    if not once:
        yield settings.model_copy(update={"home": settings.home / "demo"})
        return
    home = Path(tempfile.mkdtemp(prefix="discubot-demo-"))
    ports = {name: free_port() for name in ("web_port", "receiver_port", "sandbox_port")}
    chosen = settings.model_copy(update={"home": home, "database_url": None, "public_url": None, **ports})
    try:
        yield chosen
    finally:
        system = System(chosen)
        if system.postgres:
            system.postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


def perform(system: System, here: Services, report: Path | None, path: Path | None, threads: int) -> int:
    """Set up a team, play the threads, wait for their ends and tell of them."""
    clean_up_once(system)
    with Service("The sandbox", system.sandbox_url, {}) as control:
        told = control.call("GET", "/sandbox/defaults").json()
        stage = Stage(control, told["slack"], told["notion"], told["figma"])
        slack = slackdemo.set_up(here, stage)
        plays = slackdemo.threads(stage, path, threads)
        also = "" if path else ", two in Figma and one on a page in Notion"
        click.echo(f"\nPlaying {len(plays)} threads in #product{also} …")
        played = [slackdemo.play(stage, slack, each) for each in plays]
        if path is None:
            played += [*figmademo.play(here, stage), *notiondemo.play(here, stage)]
        results = [facts(here, stage, each, seconds) for each, seconds in watch(here, played)]
    if report:
        report.write_text(json.dumps({"threads": results}, indent=2) + "\n")
    unfinished = [each for each in results if each["status"] != DiscussionStatus.COMPLETED or not each["replies"]]
    for result in unfinished:
        click.echo(f"✗ {result['thread']}: {result['status']} ({result['reason']})", err=True)
    return 1 if unfinished else 0


def watch(here: Services, played: list[Played]) -> Iterator[tuple[Played, float]]:
    """Give each thread when it has ended, with the seconds it took; those that do not end in time come last."""
    waiting = {each.discussion: each for each in played}
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while waiting and time.monotonic() < deadline:
        for id, each in list(waiting.items()):
            found = here.stores.discussions.get(id)
            if found and found.status is not DiscussionStatus.PROCESSING:
                del waiting[id]
                yield each, time.monotonic() - each.at
        time.sleep(POLL_SECONDS)
    for each in waiting.values():
        yield each, time.monotonic() - each.at


def facts(here: Services, stage: Stage, played: Played, seconds: float) -> dict[str, Any]:
    """Tell what became of a thread, and print it."""
    found = here.stores.discussions.get(played.discussion)
    pages = {page["id"]: page for page in stage.ask("GET", "/sandbox/notion/pages")["pages"]}
    tasks = [task for task in here.stores.tasks.of_discussion(played.discussion) if task.page_id]
    status = found.status.value if found else "missing"
    click.echo(
        f"{'✓' if status == 'completed' else '✗'} {played.name}: {status} in {seconds:.1f} s, {len(tasks)} tasks"
    )
    for task in tasks:
        click.echo(f"    {task.title}  {task.page_url}")
    return {
        "thread": played.thread_id,
        "source": played.source.value,
        "discussion_id": str(played.discussion),
        "run_id": found.run_id if found else None,
        "status": status,
        "reason": found.reason if found else "no delivery arrived",
        "seconds": round(seconds, 3),
        "messages": here.stores.discussions.messages_of(played.discussion),
        "blocks": sum(pages[task.page_id]["block_count"] for task in tasks if task.page_id in pages),
        "tasks": [{"title": task.title, "page_id": task.page_id, "url": task.page_url} for task in tasks],
        "replies": ANSWERS[played.source](stage, played),
    }


def invite(system: System) -> None:
    """Print where to look next."""
    click.echo(
        f"\nTry it yourself   {system.sandbox_url}   (mention @discubot in a thread, or in a comment on a page;"
        "\n                  set a card to Done and see the thread)"
        f"\nFigma's comments  {system.sandbox_url}/figma/file/{FIGMA_FILE}"
        f"\nWatch the runs    {system.settings.web_url}/runs"
        f"\nReceiver          {system.settings.receiver_url}/api/docs"
        "\nCtrl-C stops."
    )
