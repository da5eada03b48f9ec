"""How the parts are put together: one limiter for every worker of a connection."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from discubot_pipeline.domain.config import Output
from discubot_pipeline.outside import NOTION_RATE
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.wiring import Services, build
from tests.adapters.notion_space import Workspace, workspace
from tests.conftest import Sandbox

WORKERS = 8
CALLS = int(os.environ.get("DISCUBOT_TEST_NOTION_CALLS", "52"))
"""Calls to make; with 210 the test lasts longer than one of Notion's minutes."""
JITTER = 0.25
"""Seconds that a call may take longer than another from its place in the limiter to the stand-in's log."""


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a Notion database."""
    with workspace(sandbox) as space:
        yield space


def call(services: Services, output: Output, times: int) -> None:
    """Call Notion as often as that, as a worker process does."""
    with services.outside.inspect(output) as notion:
        for _ in range(times):
            assert notion.is_there()


def test_eight_workers_share_one_rate(settings: Settings, stores: Stores, space: Workspace, sandbox: Sandbox) -> None:
    """Workers that share nothing but the database stay below Notion's 180 calls a minute, and none is refused.

    Between any two calls of the stand-in's log there are no more than the limiter lets through in that time: the burst,
    and one for each spacing. In a minute that is 180.
    """
    here = settings.model_copy(update={"notion_url": f"{sandbox.url}/notion"})
    workers = [build(here, pool_size=1) for _ in range(WORKERS)]
    shares = [CALLS // WORKERS + (number < CALLS % WORKERS) for number in range(WORKERS)]
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            done = [pool.submit(call, each, space.output(), share) for each, share in zip(workers, shares, strict=True)]
            for each in done:
                each.result(120)
    finally:
        for each in workers:
            closing(each.outside).__exit__(None, None, None)
            each.engine.dispose()
    log = [one for one in sandbox.control("GET", "/log?service=notion")["calls"] if one["token"] == space.token[-4:]]
    assert [one["status"] for one in log] == [200] * CALLS
    at = sorted(one["at"] for one in log)
    spacing = NOTION_RATE.spacing.total_seconds()
    for first, start in enumerate(at):
        for last in range(first, len(at)):
            allowed = NOTION_RATE.burst + (at[last] - start + JITTER) / spacing
            assert last - first + 1 <= allowed, (first, last, at[last] - start)
    assert NOTION_RATE.burst + 60 / spacing <= 180
    busiest = max(bisect_left(at, start + 60) - number for number, start in enumerate(at))
    assert busiest <= 180, busiest
