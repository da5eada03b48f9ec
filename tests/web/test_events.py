"""Jobs followed over HTTP while they happen, on a receiver of its own."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
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
from discubot_pipeline.tracking.status import WILL_RETRY
from discubot_pipeline.web import events
from discubot_pipeline.web.files import open_many
from discubot_pipeline.wiring import Services, build
from tests.conftest import PLAIN
from tests.tracking.hearing import Type, live
from tests.tracking.ledger import Ledger
from tests.waiting import until
from tests.web.receiver import Cable, Receiver, problem
from tests.web.sse import Client, Said

LISTENERS = 500
MANY, LONG = 120, 100_000
"""Lines that are more than what a network buffer holds."""


@pytest.fixture(autouse=True, scope="module")
def many_files() -> None:
    """Let this process have both ends of many connections open, as the receiver does with its own."""
    open_many()


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
        found += [each] if each.kind != "comment" else []
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


def test_whoever_has_heard_nothing_yet_may_come_back_too(
    anna: Client, ledger: Ledger, mine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first thing that is told is where one is; then, now and then, that the connection is not dead."""
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.02)
    live(ledger, ledger.run("NOT_STARTED", **mine))
    with anna.listening("/events") as said:
        assert [each.kind for each in islice(said, 3)] == ["comment"] * 3
    run_id = live(ledger, ledger.run("NOT_STARTED", **mine))
    with anna.listening("/events", anna.last) as said:
        news = rest(said, run_id)
    assert {each.data["job_id"] for each in news} == {run_id}
    assert len(news) == 9


def test_what_dagster_does_by_itself_is_heard(anna: Client, ledger: Ledger, mine: dict[str, str]) -> None:
    """A run cancelled in its UI, or ended by its monitor."""
    tags = mine | {WILL_RETRY: "false"}
    cancelled, crashed = (live(ledger, ledger.run("NOT_STARTED", **tags), until_end=False) for _ in range(2))
    with anna.listening("/events") as said:
        ledger.instance.report_run_canceling(ledger.get(cancelled))
        ledger.instance.report_run_canceled(ledger.get(cancelled))
        ledger.instance.report_run_failed(ledger.get(crashed), "The process is gone.")
        news = rest(said, crashed)
    ends = [(each.kind, each.data["job_id"]) for each in news if each.kind in ENDS]
    assert ends == [("cancelled", cancelled), ("failed", crashed)]


def test_another_team_hears_nothing(
    anna: Client, enter: Enter, ledger: Ledger, stores: Stores, mine: dict[str, str]
) -> None:
    """The job is not there for it, and its own stream has only its own."""
    eve = enter("strangers")
    theirs = ledger.run("NOT_STARTED", **{TEAM: str(stores.configs.team("strangers").id)})
    run_id = ledger.run("NOT_STARTED", **mine)
    headers = {"authorization": f"Bearer {eve.token}"}
    for path in (f"/jobs/{run_id}/events", f"/events?job={run_id}"):
        assert problem(httpx.get(f"{eve.base}/api{path}", headers=headers, **PLAIN)) == (404, "not_found")
    with eve.listening("/events") as said:
        live(ledger, run_id)
        live(ledger, theirs)
        assert {each.data["job_id"] for each in rest(said, theirs)} == {theirs}


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/events?after=x", "", 422),
        ("/events?after=-1", "", 422),
        ("/events?after=9999999999999999999", "", 422),
        ("/events?level=loud", "", 422),
        ("/events?job=1", "", 422),
        ("/events", "12.1.1", 422),
        ("/jobs/1/events", "", 422),
        ("/jobs/47d80ddb-c90e-4444-ac08-b813f85223ed/events", "", 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    anna: Client, ledger: Ledger, path: str, header: str | None, status: int
) -> None:
    """Before a stream is opened."""
    headers = {"authorization": f"Bearer {anna.token}"} | ({"last-event-id": header} if header else {})
    assert problem(httpx.get(f"{anna.base}/api{path}", headers=headers, **PLAIN))[0] == status


def test_nobody_listens_without_a_token(receiver: Receiver) -> None:
    """401, with the way to get one."""
    for path in ("/api/events", f"/api/jobs/{uuid4()}/events"):
        assert problem(receiver.http.get(path)) == (401, "unauthorized")


def test_a_database_that_is_away_interrupts_nobody(
    anna: Client, ledger: Ledger, cable: Cable, mine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream stays open, and what happened meanwhile is told when it is back."""
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.02)
    with anna.listening("/events") as said:
        first = live(ledger, ledger.run("NOT_STARTED", **mine))
        news = rest(said, first)
        cable.cut()
        second = live(ledger, ledger.run("NOT_STARTED", **mine))
        assert [each.kind for each in islice(said, 3)] == ["comment"] * 3
        cable.mend()
        news += rest(said, second)
    told = [(each.data["job_id"], each.id) for each in news]
    assert Counter(job for job, _ in told) == {first: 9, second: 9}
    assert len(set(told)) == len(told)


def test_one_who_does_not_read_is_cut_off_and_comes_again(
    anna: Client, here: Services, ledger: Ledger, database_url: str, mine: dict[str, str]
) -> None:
    """More than the network holds for him is not kept; nothing is missing for whoever goes on from the last event."""
    here.__dict__["feed"] = Feed(here._instance, here.stores.dossiers, database_url, most_kept=5)
    run_id = ledger.run("STARTED", **mine)
    path = "/events?level=debug"
    slow = open_stream(anna, path)
    with anna.listening(path) as said:
        for _ in range(MANY):
            ledger.instance.report_engine_event("x" * LONG, ledger.get(run_id))
            next(said)
        ledger.say(run_id, Type.RUN_SUCCESS, None)
        last = rest(said, run_id)[-1].id
    reader = Client(anna.base, anna.token)
    with slow, slow.makefile("r", encoding="utf-8", newline="\n") as lines:
        got = list(reader.read(line.rstrip("\r\n") for line in body(lines)))
    assert 0 < len(got) < MANY
    with reader.listening(path, reader.last) as said:
        got += rest(said, run_id)
    assert len(got) == MANY + 2
    assert (len({each.id for each in got}), got[-1].id) == (len(got), last)


def open_stream(client: Client, path: str) -> socket.socket:
    """Ask for a stream and read nothing but its head, into small buffers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = client.base.removeprefix("http://").split(":")
    connection.settimeout(30)
    connection.connect((host, int(port)))
    connection.sendall(f"GET /api{path} HTTP/1.0\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode())
    assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
    return connection


def body(lines: Iterator[str]) -> Iterator[str]:
    """Leave out the head of an answer."""
    for line in lines:
        if line == "\r\n":
            break
    yield from lines


def test_five_hundred_listen_and_each_hears_every_end_once(
    anna: Client, here: Services, engine: sa.Engine, ledger: Ledger, mine: dict[str, str]
) -> None:
    """On one process, with one connection that listens; some follow the team, some a job."""
    runs = [ledger.run("NOT_STARTED", **mine) for _ in range(4)]

    async def everybody() -> list[Counter[str]]:
        opened = asyncio.Semaphore(0)
        paths = ["/events", *(f"/jobs/{run_id}/events" for run_id in runs)]
        listeners = [
            asyncio.create_task(ends_heard(anna, paths[number % len(paths)], runs, opened))
            for number in range(LISTENERS)
        ]
        for _ in range(LISTENERS):
            await opened.acquire()
        await asyncio.to_thread(lambda: [live(ledger, run_id) for run_id in runs])
        return await asyncio.gather(*listeners)

    heard = asyncio.run(everybody())
    counted = Counter(tuple(sorted(each.items())) for each in heard)
    of_all = tuple(sorted((run_id, 1) for run_id in runs))
    assert counted == {of_all: 100, **{((run_id, 1),): 100 for run_id in runs}}
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'discubot-feed'"
        assert connection.execute(sa.text(query)).scalar() == 1
    until(lambda: not here.feed._listeners)


async def ends_heard(client: Client, path: str, runs: list[str], opened: asyncio.Semaphore) -> Counter[str]:
    """Listen until the end of the stream, or of the last job; gives how often each job's end was heard."""
    host, port = client.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /api{path} HTTP/1.0\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode())
    counted: Counter[str] = Counter()
    while line := (await reader.readline()).decode():
        if line.startswith("retry:"):
            opened.release()
        if line == "event: completed\n":
            counted[json.loads((await reader.readline()).decode().removeprefix("data: "))["job_id"]] += 1
        if line == "\n" and counted.total() == len(runs):
            break
    writer.close()
    return counted


def test_streams_end_when_the_receiver_stops(anna: Client, receiver: Receiver, ledger: Ledger) -> None:
    """It would wait for their clients otherwise; they come again, and are told what they have missed."""
    with anna.listening("/events") as said:
        receiver.stop()
        assert list(said) == []
    assert anna.last is not None
