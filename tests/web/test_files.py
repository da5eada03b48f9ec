"""A receiver may have as many connections as the system allows."""

import resource
from collections.abc import Iterator

import pytest

from discubot_pipeline.web.files import ENOUGH, open_many


@pytest.fixture
def bounds() -> Iterator[tuple[int, int]]:
    """Give this process's bounds, and put them back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_low_bound_is_raised(bounds: tuple[int, int]) -> None:
    """To what is allowed, and not beyond."""
    _, hard = bounds
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    open_many()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, ENOUGH), hard)


def test_a_high_bound_stays(bounds: tuple[int, int]) -> None:
    """Who gave more knows why."""
    _, hard = bounds
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    open_many()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
