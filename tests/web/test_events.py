"""Jobs followed over HTTP while they happen, on a receiver of its own."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.news import ENDS
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role
from discubot_pipeline.tracking.describe import TEAM
from discubot_pipeline.tracking.feed import Feed
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.web import events
from discubot_pipeline.wiring import Services, build
from tests.conftest import PLAIN
from tests.tracking.hearing import Type, live
from tests.tracking.ledger import Ledger
from tests.waiting import until
from tests.web.receiver import Cable, Receiver, problem
from tests.web.sse import Client, Said

LISTENERS = 500


@pytest.fixture
def cable(database_url: str) -> Iterator[Cable]:
    """Put a cable between receiver and database."""
    cable = Cable(database_url)
    yield cable
    cable.cut()


@pytest.fixture
def here(engine: sa.Engine, cable: Cable, tmp_path: Path) -> Iterator[Services]:
    """Give services at the other end of the cable."""
    built = build(Settings(home=tmp_path, database_url=cable.url), pool_size=5)
    yield built
    built.close()


@pytest.fixture
def receiver(here: Services) -> Iterator[Receiver]:
    """Start a receiver."""
    receiver = Receiver(here)
    yield receiver
    here.hang_up()
    receiver.stop()


@pytest.fixture
def ledger(engine: sa.Engine, database_url: str, tmp_path: Path) -> Iterator[Ledger]:
    """Give an empty record of runs, written to past the cable."""
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
    instance = Instance(tmp_path, Settings(home=tmp_path, database_url=SecretStr(database_url)).dagster_url)
    with instance.reading() as opened:
        opened.wipe()
        yield Ledger(opened)
    instance.close()


Enter = Callable[[str], Client]


@pytest.fixture
def enter(receiver: Receiver, stores: Stores) -> Enter:
    """Let a member of a team come in."""

    def call(team: str) -> Client:
        known = {each.name: each.id for each in stores.configs.teams()}
        team_id = known.get(team) or stores.configs.add_team(team, "test").id
        token = stores.tokens.make(team_id, uuid4().hex, Role.MEMBER, "test")
        return Client(f"http://127.0.0.1:{receiver.port}", token)

    return call


@pytest.fixture
def anna(enter: Enter) -> Client:
    """Give a member of the team acme."""
    return enter("acme")


@pytest.fixture
def mine(anna: Client, stores: Stores) -> dict[str, str]:
    """Give the tag of the team acme's jobs."""
    return {TEAM: str(stores.configs.team("acme").id)}


def rest(said: Iterator[Said], run_id: str) -> list[Said]:
    """Read until a job has ended."""
    found: list[Said] = []
    for each in said:
        found.append(each)
        if each.kind in ENDS and each.data["job_id"] == run_id:
            return found
    raise AssertionError("the stream was closed before the end")


def test_a_job_is_followed_to_its_end(anna: Client, ledger: Ledger, mine: dict[str, str]) -> None:
    """As it happens, and once more from the log; then the stream is closed."""
    run_id = ledger.run("NOT_STARTED", **mine)
    with anna.listening(f"/jobs/{run_id}/events") as said:
        live(ledger, run_id)
        news = list(said)
    assert [each.kind for each in news if each.kind != "log"] == ["status", "status", "status", "stage", "completed"]
    end = news[-1].data
    assert (end["job_id"], end["status"], end["percent"], end["summary"]) == (run_id, "completed", 100, None)
    assert anna.all_of(f"/jobs/{run_id}/events") == news


def test_whoever_comes_back_hears_the_rest(anna: Client, ledger: Ledger, mine: dict[str, str]) -> None:
    """Cut after each event, by header as clients do it, or by parameter; of a job, and of the team."""
    with anna.listening("/events") as said:
        runs = [live(ledger, ledger.run("NOT_STARTED", **mine)) for _ in range(2)]
        news = rest(said, runs[-1])
    for cut, last in enumerate(news, 1):
        left = [each for each in news[cut:] if each.data["job_id"] == last.data["job_id"]]
        assert anna.all_of(f"/jobs/{last.data['job_id']}/events", last.id) == left
        assert anna.all_of(f"/jobs/{last.data['job_id']}/events?after={last.id}") == left
        with anna.listening("/events", last.id) as said:
            assert list(islice(said, len(news) - cut)) == news[cut:]


def test_whoever_has_heard_nothing_yet_may_come_back_too(anna: Client, ledger: Ledger, mine: dict[str, str]) -> None:
    """The first thing that is told is where one is."""
    live(ledger, ledger.run("NOT_STARTED", **mine))
    with anna.listening("/events") as said:
        ledger.run("NOT_STARTED", **mine)
        anna.comments.clear()
        assert anna.last is None
        run_id = live(ledger, ledger.run("NOT_STARTED", **mine))
        first = next(said)
    with anna.listening("/events", str(int(first.id.split(".")[0]) - 1) if first.id else None) as said:
        assert rest(said, run_id)[0] == first


def test_what_dagster_does_by_itself_is_heard(anna: Client, ledger: Ledger, mine: dict[str, str]) -> None:
    """A run cancelled in its UI, or ended by its monitor."""
    cancelled, crashed = (live(ledger, ledger.run("NOT_STARTED", **mine), until_end=False) for _ in range(2))
    with anna.listening("/events") as said:
        ledger.instance.report_run_canceling(ledger.get(cancelled))
        ledger.instance.report_run_canceled(ledger.get(cancelled))
        ledger.instance.report_run_failed(ledger.get(crashed), "The process is gone.")
        news = rest(said, crashed)
    assert [(each.kind, each.data["job_id"]) for each in news if each.kind in ENDS][0] == ("cancelled", cancelled)


def test_another_team_hears_nothing(anna: Client, enter: Enter, ledger: Ledger, mine: dict[str, str]) -> None:
    """The job is not there for it, and its own stream is silent."""
    eve = enter("strangers")
    theirs = {TEAM: str(eve_team(eve, ledger))} if False else {}
    run_id = ledger.run("NOT_STARTED", **mine, **theirs)
    headers = {"authorization": f"Bearer {eve.token}"}
    answer = httpx.get(f"{eve.base}/api/jobs/{run_id}/events", headers=headers, **PLAIN)
    assert problem(answer) == (404, "not_found")
    with eve.listening(f"/events?job={run_id}", "0") as silence, anna.listening("/events") as said:
        live(ledger, run_id)
        rest(said, run_id)
        assert list(silence) == []


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/events?after=x", None, 422),
        ("/events?after=-1", None, 422),
        ("/events?after=9999999999999999999", None, 422),
        ("/events?level=loud", None, 422),
        ("/events?job=1", None, 422),
        ("/events", "12.1.1", 422),
        ("/jobs/1/events", None, 422),
        (f"/jobs/{uuid4()}/events", None, 404),
    ],
)
def test_what_makes_no_sense_is_refused(anna: Client, ledger: Ledger, path: str, header: str | None, status: int) -> None:
    """Before a stream is opened."""
    headers = {"authorization": f"Bearer {anna.token}"} | ({"last-event-id": header} if header else {})
    assert problem(httpx.get(f"{anna.base}/api{path}", headers=headers, **PLAIN))[0] == status


def test_nobody_listens_without_a_token(receiver: Receiver) -> None:
    """401, with the way to get one."""
    for path in ("/api/events", f"/api/jobs/{uuid4()}/events"):
        assert problem(receiver.http.get(path)) == (401, "unauthorized")


def test_silence_is_broken_now_and_then(anna: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """By comments, so that nobody in between takes the connection for dead."""
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.02)
    with ExitStack() as stack:
        said = stack.enter_context(anna.listening("/events"))
        ledger.run("NOT_STARTED")
        reading = asyncio.to_thread(lambda: next(said, None))
        asyncio.run(hear_comments(anna, reading, ledger))
    assert anna.comments[0] == "nothing new"


async def hear_comments(client: Client, reading, ledger: Ledger) -> None:  # type: ignore[no-untyped-def]
    """Read until there have been comments."""
    task = asyncio.ensure_future(reading)
    while len(client.comments) < 3:
        await asyncio.sleep(0.01)
    task.cancel()
