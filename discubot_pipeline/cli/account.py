"""The unprivileged user as whom PostgreSQL runs when we are root, which it refuses to be: a number without a
name, so that no other service can read the data. Called by `postgres.py` and `cluster.py`.
"""

import contextlib
import grp
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from discubot_pipeline.cli.ports import StartupError

ROOT_BASE = Path("/var/lib/discubot")
# systemd's table of user numbers calls these unused (https://systemd.io/UIDS-GIDS/); they are below 65,536
# because containers often know no others.
FREE_NUMBERS = range(60706, 61184)
ADVICE = "mend that, run discubot as a normal user, or name a PostgreSQL of your own in DISCUBOT_DATABASE_URL"


@dataclass(frozen=True)
class Account:
    """The number of the server's user and group, and the named user that only makes the database.

    initdb looks its user up by name, a running server does not. While a database is made its folder is closed
    to the named user's other processes, because these are not in our group.
    """

    number: int
    maker: int


def claim_home(base: Path, home: Path) -> Account:
    """Make the folder of a database below `base` unless it exists; return the account that it belongs to."""
    try:
        _claim_base(base)
        number = _number_of(home) or _free_number(base, home.name)
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, 0, number)
        home.chmod(0o710)
        return Account(number, _maker())
    except OSError as error:
        raise StartupError(f"{base}, where root's databases live, cannot be used ({error}): {ADVICE}") from error


def home_of(base: Path, state: Path) -> Path:
    """Return where the database of a state folder lives, whether it exists or not."""
    return base / hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:16]


def hand_over(folder: Path, number: int) -> None:
    """Give a folder that we made, with all it holds, to the account."""
    for place, _, files in os.walk(folder):
        for path in [place, *(os.path.join(place, file) for file in files)]:
            os.chown(path, number, number, follow_symlinks=False)


def _claim_base(base: Path) -> None:
    """Make the common folder, or check that one which was there is safe; its mode is not ours to change."""
    if not base.exists():
        base.mkdir(parents=True)
        base.chmod(0o755)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise StartupError(f"{base} must be a folder of root that nobody else may write to: {ADVICE}")
    if not found.st_mode & 0o001:
        raise StartupError(f"{base} must let other users pass through (chmod o+x {base}): {ADVICE}")


def _number_of(home: Path) -> int | None:
    """Return the number that the folder was given to before; its group remembers it."""
    with contextlib.suppress(FileNotFoundError):
        return home.stat().st_gid or None
    return None


def _free_number(base: Path, seed: str) -> int:
    """Return a number without a user, a group or another database of ours, the same for the same seed."""
    taken = {path.stat().st_gid for path in base.iterdir()}
    taken |= {user.pw_uid for user in pwd.getpwall()} | {group.gr_gid for group in grp.getgrall()}
    first = int(seed, 16) % len(FREE_NUMBERS)
    order = [*FREE_NUMBERS[first:], *FREE_NUMBERS[:first]]
    free: int | None = next((number for number in order if number not in taken), None)
    if free is None:
        raise StartupError(f"No user number in {FREE_NUMBERS} is free: {ADVICE}")
    return free


def _maker() -> int:
    """Return an unprivileged user that has a name."""
    for name in ("nobody", "daemon"):
        with contextlib.suppress(KeyError):
            number: int = pwd.getpwnam(name).pw_uid
            return number
    raise StartupError(f"The system has no user nobody or daemon, one of which PostgreSQL needs: {ADVICE}")
