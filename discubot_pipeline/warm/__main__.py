"""Starts the broker: `python -m discubot_pipeline.warm --socket PATH --state FOLDER --preload MODULE`."""

import logging
import os
import socket
import sys
import threading
from argparse import ArgumentParser, Namespace
from pathlib import Path

from discubot_pipeline.warm.broker import Broker
from discubot_pipeline.warm.children import preload
from discubot_pipeline.warm.ledger import Ledger
from discubot_pipeline.warm.worker import Bounds

INHERITED = "WARM_LISTENER"
"""The listening socket's number, from one image of the broker to the next."""
BACKLOG = 512


def main() -> None:
    """Serve until SIGTERM; on SIGHUP load all code anew without a moment in which nobody listens."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asked = arguments()
    listener = listening(asked.socket)
    preload(asked.preload)
    if threading.active_count() > 1:
        logging.getLogger(__name__).warning("threads_before_fork names=%s", threading.enumerate())
    bounds = Bounds(asked.runs, asked.growth_mb)
    broker = Broker(listener, Ledger(asked.state), asked.spare, asked.drain, bounds)
    broker.run()
    if broker.is_reloading:
        listener.set_inheritable(True)
        os.environ[INHERITED] = str(listener.fileno())
        command = [sys.executable, "-m", "discubot_pipeline.warm", *sys.argv[1:]]
        os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
    asked.socket.unlink(missing_ok=True)


def arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="python -m discubot_pipeline.warm", description="The broker of warm runs.")
    parser.add_argument("--socket", type=Path, required=True, help="where the run launcher finds it")
    parser.add_argument("--state", type=Path, required=True, help="folder in which runs at work are noted")
    parser.add_argument("--preload", action="append", default=[], help="module that runs need; may be repeated")
    parser.add_argument("--spare", type=int, default=1, help="workers that are always ready")
    parser.add_argument("--drain", type=float, default=3.0, help="seconds that runs have to end when it is stopped")
    parser.add_argument("--runs", type=int, default=Bounds().runs, help="runs of a worker before it is replaced")
    parser.add_argument("--growth-mb", type=float, default=Bounds().growth_mb, help="what a worker may grow by")
    return parser.parse_args()


def listening(path: Path) -> socket.socket:
    """Open the socket, or take over the one of the image before this."""
    if inherited := os.environ.pop(INHERITED, None):
        return socket.socket(fileno=int(inherited))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener


if __name__ == "__main__":
    main()
