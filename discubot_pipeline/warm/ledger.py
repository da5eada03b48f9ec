"""Which run is at work in which process: a file for each, from before its first step until after its last.

A file whose process is dead is a run that died. It outlives the broker, and the machine's power.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from discubot_pipeline.warm.process import Identity


class Entry(NamedTuple):
    """A run at work. `instance` is Dagster's own serialized reference to the instance that it belongs to."""

    run_id: str
    worker: Identity
    instance: str


class Ledger:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, entry: Entry) -> None:
        """Note that a process takes up a run."""
        path = self._path(entry.run_id)
        pending = path.with_suffix(".new")
        pending.write_text(json.dumps({"worker": entry.worker, "instance": entry.instance}))
        pending.replace(path)

    def end(self, run_id: str) -> None:
        """Note that nothing of a run is left to do."""
        self._path(run_id).unlink(missing_ok=True)

    def find(self, run_id: str) -> Entry | None:
        """Give the entry of a run."""
        try:
            told = json.loads(self._path(run_id).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return Entry(run_id, Identity(*told["worker"]), told["instance"])

    def entries(self) -> Iterator[Entry]:
        """Give all entries."""
        for path in sorted(self._folder.glob("*.json")):
            if entry := self.find(path.stem):
                yield entry

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.json"
