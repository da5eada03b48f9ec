"""Children of a process that forks: how they come to be, how they end, and what is imported before."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from discubot_pipeline.warm.process import Identity, identify

USED_BY_ALL = (
    "alembic.command",
    "dagster_postgres",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.legacy_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.test",
    "encodings.idna",
    "psycopg2.extras",
    "upath.implementations.local",
)
"""What Dagster imports only in the middle of its first run."""

logger = logging.getLogger(__name__)


def fork(work: Callable[[], None]) -> int:
    """Do something in a copy of this process; gives its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        finish(work)
    return pid


def finish(work: Callable[[], None]) -> NoReturn:
    """Do the last thing that this process does."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        logger.exception("child_failed pid=%s", os.getpid())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def identity_of(pid: int) -> Identity:
    """Say who a child is, which stays what it was until it is reaped."""
    return identify(pid) or Identity(pid, "")


def reaped(pid: int) -> str:
    """Reap a child and say how it ended; a process that is not our child has been reaped by others."""
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return "ended"
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"


def preload(modules: Sequence[str]) -> None:
    """Import what runs need, once for all workers; what there is then is no longer looked at for garbage."""
    for name in (*USED_BY_ALL, *modules):
        import_module(name)
    gc.collect()
    gc.freeze()
