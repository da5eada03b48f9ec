"""The peer as a whole: our receiver, database and stand-ins, with Dagster's own processes in between."""

from dataclasses import replace
from pathlib import Path
from shutil import copyfile

from discubot_pipeline.cli.processes import Program
from discubot_pipeline.cli.system import CODE_SOCKET, System, python, short_path
from discubot_pipeline.settings import Launcher, Settings

CONFIG = Path(__file__).with_name("dagster.yaml")
ROOT = Path(__file__).parents[2]


class StockSystem(System):
    """Runs the ops of our job under stock Dagster, with its in-process executor or the one it has by default."""

    def __init__(self, settings: Settings, *, sandbox: bool = False, executor: str) -> None:
        super().__init__(settings.model_copy(update={"launcher": Launcher.STOCK}), sandbox=sandbox)
        self._executor = executor

    def prepare(self) -> None:
        """Take the state folder, and put the peer's configuration into it."""
        super().prepare()
        copyfile(CONFIG, self.home / "dagster.yaml")

    def programs(self) -> list[Program]:
        """Put Dagster's own code server and daemon in the place of ours."""
        socket, workspace = short_path(self.home, CODE_SOCKET), str(self.home / "workspace.yaml")
        served = ["api", "grpc", "-s", str(socket), "-m", "bench.stock.definitions", "--location-name", "discubot"]
        own = {
            "code-server": python("-m", "dagster", *served),
            "daemon": python("-m", "dagster._daemon", "run", "-w", workspace),
        }
        env = {"BENCH_EXECUTOR": self._executor, "PYTHONPATH": str(ROOT)}
        return [
            replace(program, command=own.get(program.name, program.command), env={**program.env, **env}, wake=nothing)
            for program in super().programs()
        ]


def nothing() -> None:
    """Wake nobody: the peer's sensors do not wait."""
