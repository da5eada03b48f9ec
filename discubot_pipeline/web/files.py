"""How many files and connections this process may have open."""

import resource

ENOUGH = 65_536


def open_many() -> None:
    """Raise the bound as far as the system lets us: each who listens is a connection, and many systems say 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
