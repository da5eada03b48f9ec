"""What those hear who listen to jobs: everything once, in order, whatever happens to them or to the connection."""

import json
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from dagster_postgres.event_log.event_log import CHANNEL_NAME

from discubot_pipeline.domain.facts import Level
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.domain.news import ENDS, Kind, News, Place, Wanted
from discubot_pipeline.domain.progress import Progress
from discubot_pipeline.store.bell import overhearing
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking import feed as feeds
from discubot_pipeline.tracking import watch
from discubot_pipeline.tracking.describe import DISCUSSION, TEAM
from discubot_pipeline.tracking.feed import Feed
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.status import OUTCOME
from tests.tracking.hearing import Type, all_of, heard, live
from tests.tracking.ledger import Ledger
from tests.waiting import until

NEVER_AGAIN = {"dagster/max_retries": "0"}
Make = Callable[..., Feed]
TEAM_ID = uuid4()
OURS = {TEAM: str(TEAM_ID)}


@pytest.fixture
def make(shared_instance: Instance, ledger: Ledger, stores: Stores, database_url: str) -> Iterator[Make]:
    """Make feeds, each with a connection of its own."""
    made: list[Feed] = []

    def call(**more: int) -> Feed:
        made.append(Feed(shared_instance, stores.dossiers, database_url, **more))
        return made[-1]

    yield call
    for each in made:
        each.close()


@pytest.fixture
def feed(make: Make) -> Feed:
    """Give one feed."""
    return make()


def told(news: list[News]) -> list[tuple[str, str | None]]:
    """Shorten news: what it is, and what state or status it tells."""
    read = [(each.kind, json.loads(each.data)) for each in news]
    return [(kind, data.get("state") or data.get("status")) for kind, data in read]


def test_a_life_is_told_in_its_order(feed: Feed, ledger: Ledger) -> None:
    """Status, stages and lines as they come, to the end and no further."""
    run_id = ledger.run("NOT_STARTED", **OURS, **NEVER_AGAIN)
    listener = feed.listen(Wanted(job_id=run_id), Place(0))
    live(ledger, run_id)
    news = all_of(listener)
    assert told([each for each in news if each.kind is not Kind.LOG]) == [
        ("status", "pending"),
        ("status", "processing"),
        ("status", "processing"),
        ("stage", "running"),
        ("completed", "completed"),
    ]
    lines = [json.loads(each.data) for each in news if each.kind is Kind.LOG]
    assert [line["message"] for line in lines][-2:] == ["thread_building began.", "PIPELINE_SUCCESS"]
    assert {line["job_id"] for line in lines} == {run_id}
    places = [each.place for each in news]
    assert places == sorted(places) and len(set(places)) == len(places)


@pytest.mark.parametrize("is_fresh", [False, True])
def test_whoever_was_cut_off_hears_exactly_the_rest(make: Make, ledger: Ledger, is_fresh: bool) -> None:
    """Cut at every single piece; from memory, or from a process that has just begun."""
    first = make()
    team = first.listen(Wanted(team_id=TEAM_ID))
    runs = [live(ledger, ledger.run("NOT_STARTED", **OURS)) for _ in range(3)]
    news = heard(team, 27)
    assert [each.job_id for each in news if each.kind in ENDS] == runs
    feed = make() if is_fresh else first
    feed.listen(Wanted())
    for cut, last in enumerate(news, 1):
        again = feed.listen(Wanted(team_id=TEAM_ID), Place.read(str(last.place)))
        assert heard(again, len(news) - cut) == news[cut:]
        own = feed.listen(Wanted(job_id=last.job_id), last.place)
        assert all_of(own) == [each for each in news[cut:] if each.job_id == last.job_id]


def test_a_job_that_has_ended_is_told_from_the_log(feed: Feed, ledger: Ledger) -> None:
    """All of it, and then it is over; for whoever knows the end it is over at once."""
    run_id = live(ledger, ledger.run("NOT_STARTED", **{OUTCOME: "partial"}))
    news = all_of(feed.listen(Wanted(job_id=run_id), Place(0)))
    assert news[-1].kind is Kind.PARTIAL
    assert all_of(feed.listen(Wanted(job_id=run_id), news[-1].place)) == []


def test_teams_hear_only_of_their_own(feed: Feed, ledger: Ledger) -> None:
    """Not even that there is anybody else; nor may a job be followed for another team."""
    discussion = uuid4()
    ours = feed.listen(Wanted(team_id=TEAM_ID))
    others = feed.listen(Wanted(team_id=uuid4()))
    narrow = feed.listen(Wanted(team_id=TEAM_ID, discussion_id=discussion))
    mine = ledger.run("NOT_STARTED", **OURS)
    theirs = ledger.run("NOT_STARTED", **{TEAM: str(UUID(int=1))})
    strange = feed.listen(Wanted(team_id=TEAM_ID, job_id=theirs), Place(0))
    special = ledger.run("NOT_STARTED", **OURS, **{DISCUSSION: str(discussion)})
    for run_id in (theirs, mine, special):
        live(ledger, run_id)
    assert {each.job_id for each in heard(ours, 2, ENDS)} == {mine, special}
    assert {each.job_id for each in heard(narrow, 1, ENDS)} == {special}
    assert others.take() == []
    assert [strange.take() for _ in range(3)] == [[], [], []]


def test_only_lines_that_matter_enough_are_told(feed: Feed, ledger: Ledger) -> None:
    """What happens to the job is told at any level."""
    run_id = live(ledger, ledger.run("NOT_STARTED"))
    counts = [len(all_of(feed.listen(Wanted(job_id=run_id, level=level), Place(0)))) for level in Level]
    assert counts == [10, 9, 5, 5]


def test_one_who_does_not_take_is_cut_off_and_comes_again(make: Make, ledger: Ledger) -> None:
    """The feed keeps no more than it may; nothing is lost to whoever goes on from the last piece."""
    feed = make(most_kept=4)
    slow, quick = feed.listen(Wanted()), feed.listen(Wanted())
    runs = [ledger.run("NOT_STARTED") for _ in range(2)]
    news: list[News] = []
    for run_id in runs:
        for kind in (Type.RUN_ENQUEUED, Type.RUN_START):
            ledger.say(run_id, kind, None)
            news += heard(quick, 2)
    until(lambda: not slow.is_over)
    got = all_of(slow)
    assert got == news[: len(got)] and len(got) <= 4
    assert not quick.is_over
    again = feed.listen(Wanted(), got[-1].place)
    assert heard(again, len(news) - len(got)) == news[len(got) :]


def test_a_lost_connection_is_made_again_and_nothing_is_missed(
    feed: Feed, ledger: Ledger, engine: sa.Engine, stores: Stores
) -> None:
    """Also what happened while nobody heard; each once."""
    listener = feed.listen(Wanted(team_id=TEAM_ID))
    runs = []
    for _ in range(3):
        runs.append(live(ledger, ledger.run("NOT_STARTED", **OURS)))
        assert ended(engine) == 1
        runs.append(live(ledger, ledger.run("NOT_STARTED", **OURS)))
        until(lambda: listening(engine) == 1)
    assert [each.job_id for each in heard(listener, 6, ENDS)] == runs
    run_id = ledger.run("STARTED", **OURS)
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
    stores.notes.track(run_id, Progress.planned(["a", "b"]).enter("a"), {}, None)
    assert heard(listener, 1, {Kind.PROGRESS})[0].job_id == run_id


def ended(engine: sa.Engine) -> int:
    """End the connections that listen; gives how many those were."""
    until(lambda: listening(engine) == 1)
    with engine.begin() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'discubot-feed'"
        return len(connection.execute(sa.text(query)).all())


def listening(engine: sa.Engine) -> int:
    """Count the connections that listen."""
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'discubot-feed' AND state = 'idle'"
        return int(connection.execute(sa.text(query)).scalar_one())


def test_dagster_tells_of_each_event_that_it_stores(ledger: Ledger, database_url: str) -> None:
    """All of this hangs on it: run and number of the event, on the channel `run_events`."""
    run_id = ledger.run("STARTED")
    with overhearing(database_url, [CHANNEL_NAME]) as ear:
        ledger.say(run_id, Type.STEP_START)
        [record] = ledger.instance.get_records_for_run(run_id).records
        assert ear.hear(10) == [("run_events", f"{run_id}_{record.storage_id}")]


def test_what_nobody_told_of_is_found(
    feed: Feed, ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stored it died before he could tell."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    run_id = ledger.run("STARTED")
    ledger.say(run_id, Type.STEP_START)
    listener = feed.listen(Wanted(job_id=run_id), Place(0))
    assert len(heard(listener, 2)) == 2
    copy = "INSERT INTO dagster.event_logs (run_id, event, dagster_event_type, timestamp, step_key)"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            f"{copy} SELECT run_id, event, dagster_event_type, timestamp, step_key FROM dagster.event_logs"
        )
    assert [each.kind for each in heard(listener, 2)] == [Kind.LOG, Kind.STAGE]


def test_an_event_behind_a_lost_number_is_told_within_a_second(feed: Feed, ledger: Ledger, database_url: str) -> None:
    """An insert that was undone has taken its number with it."""
    listener = feed.listen(Wanted())
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT nextval('dagster.event_logs_id_seq')")
    run_id = live(ledger, ledger.run("NOT_STARTED"))
    assert [each.job_id for each in heard(listener, 1, ENDS)] == [run_id]


def test_progress_is_told_as_it_stands(feed: Feed, ledger: Ledger, stores: Stores) -> None:
    """To whoever listens, and to whoever comes; what does not change it is not told, nor what comes after the end."""
    run_id = live(ledger, ledger.run("NOT_STARTED", **OURS), until_end=False)
    listener = feed.listen(Wanted(team_id=TEAM_ID))
    stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
    progress = Progress.planned(["ingestion", "notification"]).enter("ingestion").of(4, "pages").advanced(2)
    for _ in range(2):
        stores.notes.track(run_id, progress, {}, None)
    [first] = heard(listener, 1)  # two writes that come together are told once
    stores.notes.track(run_id, progress.advanced(), {}, None)
    [second] = heard(listener, 1)
    shown = json.loads(first.data)
    assert (shown["job_id"], shown["percent"], shown["current"], shown["total"]) == (run_id, 25, 2, 4)
    assert (first.place, json.loads(second.data)["current"]) == (None, 3)
    assert heard(feed.listen(Wanted(job_id=run_id), Place(0)), 1, {Kind.PROGRESS})[0] == second
    ledger.say(run_id, Type.RUN_SUCCESS, None)
    stores.notes.track(run_id, progress.advanced(2), {}, "Done.")
    live(ledger, ledger.run("NOT_STARTED", **OURS))
    assert Kind.PROGRESS not in [each.kind for each in heard(listener, 11)]


def test_an_end_is_told_once_and_nothing_changes_it(feed: Feed, ledger: Ledger) -> None:
    """Whatever else is written: another end, a reminder of a retry, or a start that came too late."""
    listener = feed.listen(Wanted())
    cancelled = live(ledger, ledger.run("NOT_STARTED"), until_end=False)
    ledger.instance.report_run_canceled(ledger.get(cancelled))
    failed = live(ledger, ledger.run("NOT_STARTED", **NEVER_AGAIN), until_end=False)
    ledger.instance.report_run_failed(ledger.get(failed))
    delayed = live(ledger, ledger.run("NOT_STARTED"), until_end=False)
    for _ in range(3):
        ledger.instance.report_run_failed(ledger.get(delayed))
    for run_id in (cancelled, failed, delayed):
        live(ledger, run_id)
    last = live(ledger, ledger.run("NOT_STARTED"))
    news = heard(listener, 4, {*ENDS, Kind.STATUS})
    while news[-1].job_id != last or news[-1].kind not in ENDS:
        news += heard(listener, 1, {*ENDS, Kind.STATUS})
    for run_id, end in ((cancelled, "cancelled"), (failed, "failed"), (delayed, "delayed"), (last, "completed")):
        kinds = [each.kind for each in news if each.job_id == run_id]
        assert kinds == [Kind.STATUS] * 3 + [Kind(end)]


def test_the_thread_ends_with_the_last_listener_and_begins_with_the_next(
    feed: Feed, ledger: Ledger, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads for nobody."""
    monkeypatch.setattr(feeds, "LINGER_SECONDS", 0.1)
    first = feed.listen(Wanted())
    until(lambda: listening(engine) == 1)
    first.close()
    until(lambda: listening(engine) == 0)
    monkeypatch.undo()
    missed = live(ledger, ledger.run("NOT_STARTED"))
    again = feed.listen(Wanted(), first.after)
    run_id = live(ledger, ledger.run("NOT_STARTED"))
    assert [each.job_id for each in heard(again, 2, ENDS)] == [missed, run_id]


def test_half_a_character_stops_nobody(feed: Feed, ledger: Ledger) -> None:
    """Apps cut texts in the middle of an emoji; JSON can tell it all the same."""
    run_id = ledger.run("NOT_STARTED")
    ledger.instance.report_engine_event("half \ud83d", ledger.get(run_id))
    live(ledger, run_id)
    first = all_of(feed.listen(Wanted(job_id=run_id, level=Level.DEBUG), Place(0)))[0]
    assert (first.data.encode().isascii(), json.loads(first.data)["message"]) == (True, "half \ud83d")


def test_when_the_feed_ends_it_is_over_for_all(feed: Feed, ledger: Ledger) -> None:
    """After what has come already."""
    listener = feed.listen(Wanted())
    feed.close()
    assert all_of(listener) == []
