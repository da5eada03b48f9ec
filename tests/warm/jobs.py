"""Trivial jobs for the runs of these tests, loaded by module in the workers."""

import os
import threading
from pathlib import Path

import dagster as dg


@dg.op(config_schema={"folder": str, "wait": bool})
def work(context: dg.OpExecutionContext) -> None:
    """Say where it runs, and wait to be released or interrupted if it is told to."""
    folder = Path(context.op_config["folder"])
    (folder / f"{context.run_id}.pid").write_text(str(os.getpid()))
    while context.op_config["wait"] and not (folder / f"{context.run_id}.go").exists():
        threading.Event().wait(0.02)


@dg.job(executor_def=dg.in_process_executor)
def chore() -> None:
    """Wire the one op."""
    work()


@dg.op
def hog() -> None:
    """Take 64 MB and keep them."""
    KEPT.append(bytearray(os.urandom(1)) * (64 << 20))


KEPT: list[bytearray] = []


@dg.job(executor_def=dg.in_process_executor)
def greed() -> None:
    """Wire the one op."""
    hog()


@dg.repository
def repo() -> list[dg.JobDefinition]:
    """List the jobs."""
    return [chore, greed]
