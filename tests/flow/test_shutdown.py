"""`discubot up` is stopped by SIGTERM while jobs run, and started again: nothing is lost, nothing is done twice."""

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli.postgres import EmbeddedPostgres
from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.settings import Settings
from discubot_pipeline.wiring import build
from tests.flow.home import LONGEST_STOP, Home
from tests.flow.runs import eventually
from tests.flow.town import Town

RETRIED = 180.0
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def home(town: Town, home: Home) -> Home:
    """Let the system work with the town's stand-ins."""
    home.settings["DISCUBOT_SLACK_URL"] = f"{town.system.sandbox_url}/slack/api"
    home.settings["DISCUBOT_NOTION_URL"] = f"{town.system.sandbox_url}/notion"
    return home


@contextmanager
def village(town: Town, home: Home) -> Iterator[Town]:
    """Connect to the system that is up, beside the town's stand-ins."""
    told = {name.removeprefix("DISCUBOT_").lower(): value for name, value in home.settings.items()}
    url = EmbeddedPostgres(home.path).url()
    here = build(Settings.model_validate({"home": home.path, "database_url": url, **told}))
    with (
        DagsterWeb(here.settings.web_url) as web,
        Service("The receiver", here.settings.receiver_url, {}) as receiver,
    ):
        yield replace(town, here=here, web=web, receiver=receiver, teams=itertools.count(9001))
    here.engine.dispose()


def refuses(village: Town) -> bool:
    """Say whether the receiver takes no more requests."""
    try:
        village.receiver.call("GET", "/healthz")
    except Transient:
        return True
    return False


def test_jobs_at_work_are_handed_to_the_next_start(town: Town, home: Home) -> None:
    """What Slack holds up is retried, the mention that waits behind it follows, and what is nearly done ends once."""
    with home.running() as first, village(town, home) as here:
        with here.fault("slack", "conversations.replies", "slow", seconds=60) as slow:
            long = here.team("long").thread("The roof leaks", "@bot mend the roof")
            slow.strikes()
        long.say("@bot paint the wall")
        with here.fault("slack", "conversations.replies", "slow", seconds=1) as slow:
            quick = here.team("quick").thread("The bell is mute", "@bot mend the bell")
            slow.strikes()
        first.terminate()
        eventually(lambda: refuses(here), "the receiver to take nothing more", LONGEST_STOP)
        first.communicate(timeout=LONGEST_STOP)
        assert first.returncode == 0
        assert not home.processes()
        here.here.engine.dispose()
        with home.running():
            killed, retry, follower = long.settled(3, RETRIED)
            runs = quick.settled(1, RETRIED)
    assert (killed.status, retry.status, retry.parent, follower.status) == ("FAILURE", "SUCCESS", killed.id, "SUCCESS")
    assert (long.titles, len(long.replies)) == (["Mend the roof", "Paint the wall"], 2)
    assert runs[-1].status == "SUCCESS"
    assert (quick.titles, len(quick.replies)) == (["Mend the bell"], 1)
