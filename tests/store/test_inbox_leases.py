"""Leases: what waits becomes one run a discussion, and no delivery is lost when that run never comes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from threading import Barrier

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus, RunToRequest
from discubot_pipeline.domain.discussion import DiscussionStatus, discussion_id
from discubot_pipeline.domain.job import Priority, Trigger
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import source_configs, teams
from tests.store.conftest import Put
from tests.store.samples import SLACK, THREAD, ago, arrival, change, parsed_of, rows
from tests.waiting import until

LEASE = timedelta(minutes=2)


def status_of(inbox: Inbox, config: SourceConfig, id: int) -> DeliveryStatus:
    """Read how a delivery stands."""
    delivery = inbox.get(id, config.team_id)
    assert delivery is not None
    return delivery.status


def expire(inbox: Inbox, engine: sa.Engine) -> None:
    """Let the time of all leases run out."""
    change(engine, inbox.table, leased_until=ago(seconds=1))


class TestFolding:
    """What one lease takes."""

    def test_a_burst_is_one_run_a_discussion(self, inbox: Inbox, put: Put, slack_config: SourceConfig) -> None:
        """Deliveries that wait together fold to one run, named by the first and its generation."""
        first, other, second, third = put("Ev1"), put("Ev2", "C1:2"), put("Ev3"), put("Ev4")
        runs = inbox.lease(10, LEASE)
        assert runs == [
            RunToRequest(
                run_key=f"{ids[0]}:0",
                delivery_ids=ids,
                team_id=slack_config.team_id,
                team_name="acme",
                source=SLACK,
                thread_id=thread_id,
                discussion_id=discussion_id(slack_config.team_id, SLACK, thread_id),
                trigger="webhook",
            )
            for ids, thread_id in (((first, second, third), THREAD), ((other,), "C1:2"))
        ]
        assert {status_of(inbox, slack_config, id) for id in (first, other, second, third)} == {"requested"}

    def test_what_is_leased_is_not_leased_again(self, inbox: Inbox, put: Put) -> None:
        """A second lease finds nothing."""
        put("Ev1")
        inbox.lease(10, LEASE)
        assert inbox.lease(10, LEASE) == []
        assert inbox.requested_runs() == 1

    def test_room_is_respected(self, inbox: Inbox, put: Put) -> None:
        """With room for two runs the two oldest threads go first, each with all its deliveries."""
        ids = [put(f"Ev{number}", f"C1:{number % 4}") for number in range(8)]
        assert [run.delivery_ids for run in inbox.lease(2, LEASE)] == [(ids[0], ids[4]), (ids[1], ids[5])]
        assert [run.delivery_ids for run in inbox.lease(9, LEASE)] == [(ids[2], ids[6]), (ids[3], ids[7])]
        assert inbox.requested_runs() == 4

    def test_what_is_not_due_waits(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """A delivery that was put off is taken at its time, which the inbox can tell."""
        put("Ev1")
        assert inbox.next_due() is None
        change(engine, inbox.table, not_before=sa.func.now() + timedelta(minutes=1))
        assert inbox.lease(10, LEASE) == []
        wait = inbox.next_due()
        assert wait is not None
        assert timedelta(seconds=50) < wait <= timedelta(minutes=1)


class TestOneRunAtATime:
    """A discussion with a run at work waits for its end."""

    def test_a_later_delivery_waits_for_the_run_that_was_asked_for(self, inbox: Inbox, put: Put) -> None:
        """From the request to the end of a run nothing more of its discussion is leased."""
        first = put("Ev1")
        [run] = inbox.lease(10, LEASE)
        later = put("Ev2")
        assert inbox.lease(10, LEASE) == []
        inbox.claim([first], "run-1", run.run_key)
        assert inbox.lease(10, LEASE) == []
        inbox.settle("run-1", DeliveryStatus.DONE)
        assert [run.delivery_ids for run in inbox.lease(10, LEASE)] == [(later,)]

    def test_a_discussion_that_a_run_holds_waits(
        self, inbox: Inbox, put: Put, stores: Stores, slack_config: SourceConfig
    ) -> None:
        """A run that a person launched has no leased row, yet the discussion is its own."""
        parsed = parsed_of(slack_config)
        stores.discussions.open(parsed, "run-1", ())
        put("Ev1")
        assert inbox.lease(10, LEASE) == []
        stores.discussions.finish(parsed.discussion_id, "run-1", DiscussionStatus.COMPLETED)
        assert len(inbox.lease(10, LEASE)) == 1

    def test_concurrent_leases_share_nothing(self, inbox: Inbox, put: Put) -> None:
        """Eight sensors at once lease each delivery once, and each discussion for one run."""
        ids = [put(f"Ev{number}", f"C1:{number // 2}") for number in range(40)]
        start = Barrier(8)

        def lease() -> list[RunToRequest]:
            start.wait(10)
            return [*inbox.lease(3, LEASE), *inbox.lease(3, LEASE)]

        with ThreadPoolExecutor(8) as pool:
            runs = list(chain.from_iterable(future.result() for future in [pool.submit(lease) for _ in range(8)]))
        runs += inbox.lease(99, LEASE)
        assert sorted(id for run in runs for id in run.delivery_ids) == ids
        assert len({run.discussion_id for run in runs}) == len(runs) == 20

    def test_a_lease_under_way_keeps_its_discussion(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """What arrives while another sensor leases the same discussion is not leased beside it."""
        first = put("Ev1")
        with ThreadPoolExecutor(1) as pool:
            with transaction(engine):
                [mine] = inbox.lease(10, LEASE)
                later = pool.submit(put, "Ev2").result(10)
                theirs = pool.submit(inbox.lease, 10, LEASE)
                until(lambda: is_waiting_for_a_lock(engine))
            assert theirs.result(10) == []
        assert mine.delivery_ids == (first,)
        inbox.claim([first], "run-1", mine.run_key)
        inbox.settle("run-1", DeliveryStatus.DONE)
        assert [run.delivery_ids for run in inbox.lease(10, LEASE)] == [(later,)]


class TestBackfills:
    """Imported threads come after all others, and never fill the queue."""

    @pytest.fixture
    def imported(self, inbox: Inbox, slack_config: SourceConfig) -> Put:
        """Let a backfill write a delivery; gives its id."""
        return lambda key, thread_id: inbox.store(slack_config, arrival(key, thread_id), trigger=Trigger.BACKFILL).id

    def test_they_come_last(self, inbox: Inbox, put: Put, imported: Put) -> None:
        """However long they have waited, whoever asked just now is first."""
        old, new = imported("b1", "C1:1"), put("Ev1", "C1:2")
        [first] = inbox.lease(1, LEASE)
        [second] = inbox.lease(2, LEASE)
        assert (first.delivery_ids, first.trigger) == ((new,), Trigger.WEBHOOK)
        assert (second.delivery_ids, second.trigger) == ((old,), Trigger.BACKFILL)

    def test_they_leave_room(self, inbox: Inbox, put: Put, imported: Put) -> None:
        """Reserved places stay free for those who ask; these may take all of them."""
        for number in range(4):
            imported(f"b{number}", f"C1:{number}")
        assert len(inbox.lease(3, LEASE, reserved=2)) == 1
        assert inbox.lease(3, LEASE, reserved=2) == []
        asked = [put(f"Ev{number}", f"C2:{number}") for number in range(2)]
        assert [run.delivery_ids for run in inbox.lease(3, LEASE, reserved=2)] == [(id,) for id in asked]
        assert len(inbox.lease(10, LEASE, reserved=2)) == 3

    def test_a_mention_takes_an_imported_delivery_along(self, inbox: Inbox, put: Put, imported: Put) -> None:
        """Both are of one thread, so they are one run, which comes with the mentions and is named one."""
        waiting, old, new = imported("b1", "C1:1"), imported("b2", "C1:2"), put("Ev1", "C1:2")
        [run] = inbox.lease(1, LEASE)
        assert (run.delivery_ids, run.trigger) == ((old, new), Trigger.WEBHOOK)
        assert [run.delivery_ids for run in inbox.lease(2, LEASE)] == [(waiting,)]


class TestExpiry:
    """A run that never claims what was leased to it."""

    def test_a_lease_runs_out(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """An expired lease is listed once a run, and not before its time."""
        put("Ev1"), put("Ev2")
        [run] = inbox.lease(10, LEASE)
        assert inbox.expired() == []
        expire(inbox, engine)
        assert [(late.run_key, late.expiries) for late in inbox.expired()] == [(run.run_key, 0)]

    def test_a_run_that_is_alive_gets_more_time(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """A renewed lease has not expired, and its run can claim."""
        id = put("Ev1")
        [run] = inbox.lease(10, LEASE)
        expire(inbox, engine)
        inbox.renew(run.run_key, LEASE)
        assert inbox.expired() == []
        assert [one.id for one in inbox.claim([id], "run-1", run.run_key)] == [id]

    def test_requeued_deliveries_get_a_new_key(self, inbox: Inbox, put: Put) -> None:
        """The next generation has a key that Dagster has not seen."""
        id = put("Ev1")
        [run] = inbox.lease(10, LEASE)
        inbox.requeue(run.run_key)
        assert [(run.run_key, run.delivery_ids) for run in inbox.lease(10, LEASE)] == [(f"{id}:1", (id,))]

    def test_the_third_expiry_is_the_last(
        self, inbox: Inbox, put: Put, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """After three runs in vain the delivery is dead, with its reason and its end."""
        id = put("Ev1")
        for generation in range(3):
            [run] = inbox.lease(10, LEASE)
            assert run.run_key == f"{id}:{generation}"
            inbox.requeue(run.run_key)
        assert inbox.lease(10, LEASE) == []
        [row] = rows(engine, inbox.table)
        assert (row.status, row.reason, row.expiries) == (DeliveryStatus.DEAD, "never_claimed", 3)
        assert row.finished_at is not None
        assert row.payload is not None, "a person may still run it"

    def test_a_run_cancelled_in_the_queue_takes_its_deliveries_along(
        self, inbox: Inbox, put: Put, slack_config: SourceConfig
    ) -> None:
        """What a person did not want to begin is failed, not asked for again."""
        id = put("Ev1")
        [run] = inbox.lease(10, LEASE)
        inbox.drop(run.run_key, "cancelled")
        delivery = inbox.get(id, slack_config.team_id)
        assert delivery is not None
        assert (delivery.status, delivery.reason) == (DeliveryStatus.FAILED, "cancelled")
        assert inbox.lease(10, LEASE) == []

    def test_a_claimed_delivery_is_past_its_lease(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """What a run has claimed neither expires, nor is requeued or dropped by its key."""
        id = put("Ev1")
        [run] = inbox.lease(10, LEASE)
        inbox.claim([id], "run-1", run.run_key)
        expire(inbox, engine)
        assert inbox.expired() == []
        inbox.requeue(run.run_key)
        inbox.drop(run.run_key, "cancelled")
        assert inbox.runs_at_work() == {"run-1"}


def is_waiting_for_a_lock(engine: sa.Engine) -> bool:
    """Say whether a statement of ours waits for another to end."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect() as connection:
        return bool(connection.execute(waiting).scalar_one())


class TestTurns:
    """Who is next: the urgent, then each team in its turn, then the oldest."""

    def test_what_is_urgent_goes_first(self, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """A source's own word goes before its team's."""
        for number, (team, source, priority) in enumerate(
            [
                (None, None, Priority.NORMAL),
                ("urgent", None, Priority.URGENT),
                ("urgent", "low", Priority.LOW),
                ("low", "high", Priority.HIGH),
            ]
        ):
            change(engine, teams, preferences={"priority": team} if team else {})
            change(engine, source_configs, preferences={"priority": source} if source else {})
            put(f"Ev{number}", f"C1:{number}")
            [run] = inbox.lease(10, LEASE)
            assert run.weight == priority.weight

    def test_an_urgent_team_overtakes_another(self, stores: Stores, inbox: Inbox, put: Put, engine: sa.Engine) -> None:
        """Its deliveries came later and are asked for first."""
        put("Ev1")
        other_team(stores, inbox, 2)
        change_team(engine, "other", preferences={"priority": "urgent"})
        assert [run.team_name for run in inbox.lease(10, LEASE)] == ["other", "other", "acme"]

    def test_a_flood_of_one_team_leaves_room_for_another(self, stores: Stores, inbox: Inbox, put: Put) -> None:
        """Each team has as many runs in the queue as it may, however many wait behind them."""
        ids = [put(f"Ev{number}", f"C1:{number}") for number in range(4)]
        [id] = other_team(stores, inbox, 1)
        assert [run.delivery_ids for run in inbox.lease(2, LEASE)] == [(ids[0],), (ids[1],), (id,)]
        assert inbox.lease(2, LEASE) == []
        assert inbox.requested_runs() == 2


def other_team(stores: Stores, inbox: Inbox, threads: int) -> list[int]:
    """Let deliveries of another team arrive; gives their ids."""
    team = stores.configs.add_team("other", "test")
    credentials = SlackCredentials(signing_secret=SecretStr("s"), bot_token=SecretStr("xoxb-2"))
    config = stores.configs.add_source(team, SLACK, "slack", credentials, "test", workspace="T2")
    return [inbox.store(config, arrival(f"Other{number}", f"C2:{number}")).id for number in range(threads)]


def change_team(engine: sa.Engine, name: str, **values: object) -> None:
    """Change a team behind everyone's back."""
    with transaction(engine) as connection:
        connection.execute(sa.update(teams).where(teams.c.name == name).values(**values))
