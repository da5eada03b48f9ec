"""`discubot up` and `discubot migrate`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import click

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.cli.ports import StartupError
from discubot_pipeline.cli.processes import Event, State, Supervisor
from discubot_pipeline.cli.system import System, python
from discubot_pipeline.settings import Settings, inherited_environment
from discubot_pipeline.store.engine import connect
from discubot_pipeline.store.migrate import migrate

MARKS = {State.READY: "✓", State.DIED: "✗", State.STOPPED: "·"}


def serve(settings: Settings, verbose: bool, dev: bool) -> None:
    """Run the system until Ctrl-C or SIGTERM."""
    system = System(settings, dev=dev)
    with running(system, verbose) as supervisor:
        clean_up_once(system)
        click.echo(f"\nDagster UI  {settings.web_url}\nReceiver    {settings.receiver_url}\nCtrl-C stops.")
        supervisor.wait()


@contextmanager
def running(system: System, verbose: bool) -> Iterator[Supervisor]:
    """Keep the system running for as long as the block lasts."""
    try:
        system.prepare()
        with system.supervisor(show, verbose) as supervisor:
            yield supervisor
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        system.lock.release()


def show(event: Event) -> None:
    """Print what became of a process."""
    if event.state in MARKS:
        click.echo(f"{MARKS[event.state]} {event}")


def clean_up_once(system: System) -> None:
    """Launch the clean-up that every start begins with."""
    with DagsterWeb(system.settings.web_url) as web:
        web.launch("retention_job", tags={"discubot/trigger": "schedule"})


def migrate_all(settings: Settings) -> None:
    """Bring our schema and Dagster's up to date."""
    engine = connect(settings.sqlalchemy_url, 1)
    migrate(engine)
    engine.dispose()
    exports = System(settings).exports()
    done = subprocess.run(
        python("-m", "discubot_pipeline.tracking.storage"),
        env=inherited_environment() | exports,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartupError(f"Dagster's tables could not be made: {done.stderr.strip()[-2000:]}")
