"""Dagster's code server with one change: it first ends the runs that died with the code server before it.

Dagster's own launcher starts runs as children of the code server and asks nobody later whether they still live.
"""

from dagster import DagsterInstance
from dagster._cli import main
from dagster._core.launcher import DefaultRunLauncher

from discubot_pipeline.tracking.runs import end_orphans


def clear() -> None:
    """End what an earlier code server left behind; with any other launcher runs are somebody else's children."""
    with DagsterInstance.get() as instance:
        if isinstance(instance.run_launcher, DefaultRunLauncher):
            end_orphans(instance)


if __name__ == "__main__":
    clear()
    main()  # type: ignore[no-untyped-call]
