"""`python -m bench NAME [--json FILE]`: each benchmark runs ours and its peer in the same call, on the same machine."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import receive

BENCHES: dict[str, Callable[[], dict[str, Any]]] = {"receive": receive.run}


def main() -> int:
    """Run one benchmark and print its table; without a name list them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.name is None:
        for name, bench in sorted(BENCHES.items()):
            print(f"{name:<10} {(sys.modules[bench.__module__].__doc__ or '').strip()}")
        return 0
    result = {"bench": options.name, "python": platform.python_version()} | BENCHES[options.name]()
    for name, value in result.items():
        print(f"{name:<16} {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
