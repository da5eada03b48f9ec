"""The command `discubot`. Each command is a few lines here; what it does is in the file it names."""

import json
import shlex
import sys
from pathlib import Path
from typing import BinaryIO

import click

from discubot_pipeline import __version__
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.settings import Settings


class Group(click.Group):
    """Shows what a person can mend as one sentence, and keeps tracebacks for our own faults."""

    def invoke(self, context: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(context)
        except StartupError as error:
            raise click.ClickException(str(error)) from error
        except PipelineError as error:
            raise click.ClickException(error.message) from error
        except (LookupError, ValueError) as error:
            if type(error) not in (LookupError, ValueError):
                raise
            raise click.ClickException(str(error)) from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Turn discussions in Slack, Figma, e-mail and Notion into tasks in Notion."""


@main.command()
@click.option("--verbose", is_flag=True, help="Also show what the processes write.")
@click.option("--dev", is_flag=True, help="Let the UI's Reload button load changed code.")
def up(verbose: bool, dev: bool) -> None:
    """Start everything in the foreground; Ctrl-C stops it."""
    from discubot_pipeline.cli.serve import serve

    serve(Settings(), verbose=verbose, dev=dev)


@main.command()
@click.option(
    "--once",
    is_flag=True,
    help="Use a temporary state, exit when every thread has ended: 0 if all are completed.",
)
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write what happened to a file.")
@click.option(
    "--slack-export",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play a Slack export's threads.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="How many of them, the longest first.",
)
@click.option("--verbose", is_flag=True, help="Also show what the processes write.")
def demo(once: bool, report: Path | None, slack_export: Path | None, threads: int, verbose: bool) -> None:
    """Try it without any account: sample threads in a sandbox of Slack, Figma and Notion."""
    from discubot_pipeline.cli.demo import play

    sys.exit(play(Settings(), once=once, report=report, export=slack_export, threads=threads, verbose=verbose))


@main.command()
def migrate() -> None:
    """Bring the database up to date."""
    from discubot_pipeline.cli.serve import migrate_all

    migrate_all(Settings())


@main.command()
def env() -> None:
    """Print the exports that a shell needs for Dagster's own tools: eval "$(discubot env)"."""
    from discubot_pipeline.cli.system import System

    for name, value in System(Settings()).exports().items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--source", "name", help="Name of the generic source, where there are several.")
def ingest(file: BinaryIO, name: str | None) -> None:
    """Send a discussion from FILE (or - for standard input) to the generic intake; prints {"delivery_id"}."""
    from discubot_pipeline.cli.ingest import send

    click.echo(json.dumps(send(file.read(), name)))


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print the whole analysis as JSON.")
@click.option("--jsonl", is_flag=True, help="FILE has one thread a line; print one JSON result a line.")
def analyze(file: BinaryIO, as_json: bool, jsonl: bool) -> None:
    """Analyse the thread in FILE (or - for standard input) with the built-in analyst; nothing is written anywhere."""
    from discubot_pipeline.cli.analyze import analyze_lines, analyze_one

    if not jsonl:
        click.echo(analyze_one(file.read(), as_json))
        return
    all_well = True
    for well, line in analyze_lines(file):
        all_well = all_well and well
        click.echo(line)
    sys.exit(0 if all_well else 1)


def add_groups() -> None:
    """Hang the groups of administration commands under `discubot`."""
    from discubot_pipeline.cli import (
        backfill,
        doctor,
        hooks,
        inbox,
        jobs,
        models,
        operations,
        outputs,
        people,
        sources,
        teams,
    )

    teams.team.add_command(models.choose_model)
    settings = (teams.team, sources.source, outputs.output, people.people)
    for command in (
        *settings,
        jobs.job,
        inbox.inbox,
        hooks.hook,
        backfill.backfill,
        operations.operation,
        doctor.doctor,
    ):
        main.add_command(command)


add_groups()

if __name__ == "__main__":
    main()
