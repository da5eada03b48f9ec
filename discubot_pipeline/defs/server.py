"""Dagster's code server with one change: once it is up it ends the runs that died with the code server before it.

Dagster's own launcher starts runs as children of the code server and asks nobody later whether they still live.
"""

import sys
import threading
from collections.abc import Sequence

from dagster import DagsterInstance, DagsterRun
from dagster._cli import main
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import DefaultRunLauncher
from dagster._grpc.client import DagsterGrpcClient

from discubot_pipeline.tracking.runs import at_work, end_orphans

POLL_SECONDS = 0.2


def clear_up(socket: str) -> threading.Thread:
    """List what an earlier code server left behind, and end it in the background when this one answers.

    Not before: Dagster retries a run at once, or never. With any other launcher runs are somebody else's children.
    """
    with DagsterInstance.get() as instance:
        orphans = at_work(instance) if isinstance(instance.run_launcher, DefaultRunLauncher) else []
    thread = threading.Thread(target=end_when_up, args=(socket, orphans), daemon=True)
    thread.start()
    return thread


def end_when_up(socket: str, orphans: Sequence[DagsterRun]) -> None:
    """Wait for the code server of this process, and end the runs."""
    if orphans:
        client, never = DagsterGrpcClient(socket=socket), threading.Event()
        while not answers(client):
            never.wait(POLL_SECONDS)
        with DagsterInstance.get() as instance:
            end_orphans(instance, orphans)


def answers(client: DagsterGrpcClient) -> bool:
    """Say whether the code server can be called."""
    try:
        client.ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


if __name__ == "__main__":
    clear_up(sys.argv[sys.argv.index("-s") + 1])
    main()  # type: ignore[no-untyped-call]
