"""Runs scripts with other people's Node clients, for the tests that have them in front of the stand-ins."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "node"
PACKAGES = HERE / "node_modules"
NODE = shutil.which("node")
OLDEST = 20
FIGMA_SPEC = PACKAGES / "@figma/rest-api-spec/openapi/openapi.yaml"
REASON = "needs Node.js 20 and its packages: `make node`"
WANTED = json.loads((HERE / "package.json").read_text())["devDependencies"]
MISSING = [name for name in WANTED if not (PACKAGES / name / "package.json").is_file()]
"""What an installation that was interrupted, or never made, lacks."""


def node_version() -> int:
    """Say which Node.js there is, by its first number; 0 for none."""
    if NODE is None:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    return int(said.lstrip("v").partition(".")[0] or 0)


needs_packages = pytest.mark.skipif(bool(MISSING), reason=REASON)
needs_node = pytest.mark.skipif(bool(MISSING) or node_version() < OLDEST, reason=REASON)
UNDECLARED = frozenset({"request_id", "email_verified", "client_msg_id"})
"""What the services do send, as recorded answers show, and their clients' types leave out."""


def play(script: str, scene: str, **given: object) -> Any:
    """Play a scene of a script and return what it printed; anything on its standard error fails."""
    plain = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [str(NODE), str(HERE / script), scene, json.dumps(given)],
        capture_output=True, text=True, timeout=60, env=plain, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


def declared(value: Any) -> Any:
    """Leave out what the types do not know."""
    if isinstance(value, list):
        return [declared(item) for item in value]
    if isinstance(value, dict):
        return {key: declared(item) for key, item in value.items() if key not in UNDECLARED}
    return value


def misfits(package: str, answers: list[tuple[str, Any]], folder: Path) -> str:
    """Have the TypeScript compiler compare answers with the types that a package declares; returns its complaints."""
    (folder / "node_modules").symlink_to(PACKAGES)
    names = ", ".join(sorted({name for name, _ in answers}))
    lines = [f"export const a{n}: {name} = {json.dumps(value)};" for n, (name, value) in enumerate(answers)]
    (folder / "answers.ts").write_text("\n".join([f'import type {{ {names} }} from "{package}";', *lines]))
    compiler = str(PACKAGES / "typescript/bin/tsc")
    options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--pretty", "false")
    done = subprocess.run(
        [str(NODE), compiler, *options, "answers.ts"],
        capture_output=True, text=True, timeout=120, cwd=folder, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == (done.stdout == ""), done.stderr
    return done.stdout
