"""`discubot demo`: the whole system with sandboxed Slack and Notion, sample threads played through it, and a report."""

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
from pydantic import SecretStr

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli import commenting
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.cli.serve import clean_up_once, running
from discubot_pipeline.cli.stage import Played, Stage
from discubot_pipeline.cli.system import System
from discubot_pipeline.cli.threads import Line, Play, export, samples
from discubot_pipeline.domain.config import NotionCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus, discussion_id
from discubot_pipeline.settings import Settings
from discubot_pipeline.wiring import Services, build

TEAM = "demo"
PATIENCE = timedelta(minutes=15)
POLL_SECONDS = 0.3
INTERRUPTED = 130


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
        stage = Stage(control, told["slack"], told["notion"])
        config = set_up(here, stage)
        pages = commenting.connect(here, stage, here.stores.configs.team(TEAM))
        plays = export_with_people(stage, path, threads) if path else samples(stage.slack["bot_user_id"])
        comments = [] if path else commenting.comments()
        also = f" and {len(comments)} on a page in Notion" if comments else ""
        click.echo(f"\nPlaying {len(plays)} threads in #product{also} …")
        played = [post(stage, config, each) for each in plays]
        played += [commenting.comment(stage, pages, each) for each in comments]
        results = [facts(here, stage, each, seconds) for each, seconds in watch(here, played)]
    if report:
        report.write_text(json.dumps({"threads": results}, indent=2) + "\n")
    unfinished = [each for each in results if each["status"] != DiscussionStatus.COMPLETED or each.get("replies") == []]
    for result in unfinished:
        click.echo(f"✗ {result['thread']}: {result['status']} ({result['reason']})", err=True)
    return 1 if unfinished else 0


def set_up(here: Services, stage: Stage) -> SourceConfig:
    """Make the demo's team, source and output, once, and point the sandbox's Slack at our receiver."""
    configs = here.stores.configs
    if TEAM not in [team.name for team in configs.teams()]:
        team = configs.add_team(TEAM, "demo", time_zone="Europe/Amsterdam")
        secrets = {name: SecretStr(stage.slack[name]) for name in ("signing_secret", "bot_token")}
        made = configs.add_source(
            team,
            SourceType.SLACK,
            "slack",
            SlackCredentials(**secrets),
            "demo",
            workspace=stage.slack["team_id"],
        )
        token = NotionCredentials(token=SecretStr(stage.notion["token"]))
        configs.add_output(made, "tasks", stage.notion["database_id"], token, "demo", is_default=True)
    config = configs.sources(SourceType.SLACK)[0]
    url = f"{here.settings.receiver_url}/hooks/slack/{config.hook}"
    stage.ask(
        "PATCH",
        f"/sandbox/slack/workspaces/{stage.slack['team_id']}",
        {"events_url": url, "url": f"{stage.control.url}/"},
    )
    return config


def export_with_people(stage: Stage, path: Path, count: int) -> list[Play]:
    """Read the threads of an export and let its people join the sandbox's workspace."""
    plays = export(path, count)
    for number, user in enumerate(sorted({line.user for each in plays for line in each.lines}), 1):
        body = {"id": user, "name": f"person{number}", "real_name": f"Person {number}", "tz": "UTC"}
        stage.ask("POST", f"/sandbox/slack/workspaces/{stage.slack['team_id']}/users", body)
    return plays


def post(stage: Stage, config: SourceConfig, thread: Play) -> Played:
    """Post a thread line by line; the mention comes last and starts the work."""
    channel, bot = stage.slack["channels"][0]["id"], f"<@{stage.slack['bot_user_id']}>"
    ids = {user["name"]: user["id"] for user in stage.slack["users"]}
    lines = thread.lines if bot in thread.lines[-1].text else (*thread.lines, Line(thread.lines[-1].user, bot))
    root: str | None = None
    for line in lines:
        said = {"channel": channel, "user": ids.get(line.user, line.user), "text": line.text, "ts": line.ts}
        posted = stage.ask(
            "POST", "/sandbox/slack/messages", said | {"team_id": stage.slack["team_id"], "thread_ts": root}
        )
        root = root or posted["ts"]
    thread_id = f"{channel}:{root}"
    return Played(thread.name, thread_id, discussion_id(config.team_id, SourceType.SLACK, thread_id), time.monotonic())


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
    is_comment = played.source is SourceType.NOTION
    said = {"replies": commenting.answers(stage, played)} if is_comment else {}
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
        **said,
    }


def invite(system: System) -> None:
    """Print where to look next."""
    click.echo(
        f"\nTry it yourself   {system.sandbox_url}   (mention @discubot in a thread, or in a comment on a page;"
        "\n                  set a card to Done and see the thread)"
        f"\nWatch the runs    {system.settings.web_url}/runs"
        f"\nReceiver          {system.settings.receiver_url}/api/docs"
        "\nCtrl-C stops."
    )
