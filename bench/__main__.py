"""The one entry to all measurements: `python -m bench NAME`. A bench is a module with `add_arguments` and `run`."""

import argparse
import sys
from importlib import import_module
from types import ModuleType
from typing import Final

BENCHES: Final = {
    "analysis": "bench.analysis.command",
    "burst": "bench.burst",
    "drain": "bench.drain",
    "growth": "bench.growth",
    "idle": "bench.idle",
    "latency": "bench.latency",
    "lists": "bench.lists",
    "receive": "bench.receive",
    "retention": "bench.retention",
    "writes": "bench.writes",
}
"""Name → module. A new bench is one line here; its module's docstring is what `python -m bench` shows."""


def about(module: ModuleType) -> str:
    """Give the first line of a bench's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]


def main() -> int:
    """Run the bench that is named, or list them all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measurements of discubot-pipeline.")
    commands = parser.add_subparsers(dest="name", metavar="NAME")
    modules = {name: import_module(path) for name, path in BENCHES.items()}
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name, help=about(module), description=module.__doc__))
    options = parser.parse_args()
    if options.name is None:
        print("\n".join(f"{name:<12} {about(module)}" for name, module in modules.items()))
        return 0
    return int(modules[options.name].run(options))


if __name__ == "__main__":
    sys.exit(main())
