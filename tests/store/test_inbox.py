"""What arrives is stored once, is one team's, and wakes whoever waits for it."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, DeliveryStatus
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes
from tests.store.conftest import Put
from tests.store.samples import GENERIC, SLACK, THREAD, arrival, change, rows


class TestStore:
    """An arrival becomes one row."""

    def test_an_arrival_waits(self, inbox: Inbox, put: Put, slack_config: SourceConfig) -> None:
        """A new row is pending, with its payload, under the id that its discussion will have."""
        delivery = inbox.get(put("Ev1"), slack_config.team_id)
        assert delivery is not None
        assert delivery.status is DeliveryStatus.PENDING
        assert delivery.payload == {"text": "asked in Ev1"}
        assert delivery.discussion_id == discussion_id(slack_config.team_id, SLACK, THREAD)
        assert (delivery.trigger, delivery.generation, delivery.run_id) == (Trigger.WEBHOOK, 0, None)

    @pytest.mark.parametrize("key", ["delivery_key", "message_key", "gesture_key"])
    def test_any_equal_key_is_a_duplicate(
        self, inbox: Inbox, slack_config: SourceConfig, engine: sa.Engine, key: str
    ) -> None:
        """A second arrival with any one key equal stores nothing, and gives the first one's id."""
        first = {"delivery_key": "Ev1", "message_key": "C1:1", "gesture_key": "click-1"}
        other = {"delivery_key": "Ev2", "message_key": "C1:2", "gesture_key": "click-2"}
        stored = inbox.store(slack_config, arrival(**first))
        again = inbox.store(slack_config, arrival(**other | {key: first[key]}))
        assert (again.id, again.is_new) == (stored.id, False)
        assert len(rows(engine, inbox.table)) == 1

    def test_a_duplicate_without_further_keys_names_its_own_row(self, inbox: Inbox, slack_config: SourceConfig) -> None:
        """Keys that two arrivals both lack do not make them the same."""
        inbox.store(slack_config, arrival("Ev1", thread_id="C1:1"))
        second = inbox.store(slack_config, arrival("Ev2", thread_id="C1:2"))
        assert inbox.store(slack_config, arrival("Ev2", thread_id="C1:2")).id == second.id

    def test_the_same_keys_of_another_source_are_no_duplicate(
        self, stores: Stores, slack_config: SourceConfig, generic_config: SourceConfig
    ) -> None:
        """Keys count within one source config."""
        other = stores.configs.add_team("other", "test")
        theirs = stores.configs.add_source(other, SLACK, "slack", slack_config.credentials, "test")
        stored = [
            stores.inboxes[config.source].store(config, arrival()) for config in (slack_config, theirs, generic_config)
        ]
        assert all(one.is_new for one in stored)
        assert len({one.id for one in stored}) == 3, "an id names one row in all inboxes"

    def test_what_is_ignored_keeps_its_reason_and_nothing_else(
        self, inbox: Inbox, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """Neither payload nor thread of an event that asks for nothing are stored."""
        inbox.store(slack_config, arrival("Ev1", reason="edited"))
        [row] = rows(engine, inbox.table)
        assert (row.status, row.reason) == (DeliveryStatus.IGNORED, "edited")
        assert row.finished_at is not None
        assert (row.payload, row.thread_id, row.discussion_id) == (None, None, None)
        with engine.connect() as connection:
            nulls = sa.select(sa.func.count()).where(inbox.table.c.payload.is_(sa.null()))
            assert connection.execute(nulls).scalar_one() == 1, "SQL's NULL, not JSON's"

    def test_an_ignored_event_may_come_twice(self, inbox: Inbox, slack_config: SourceConfig) -> None:
        """The second of two equal ignored events is a duplicate of the first, also after others."""
        for key in ("Ev1", "Ev2"):
            inbox.store(slack_config, Arrival(delivery_key=key, reason="edited"))
        third = inbox.store(slack_config, Arrival(delivery_key="Ev3", reason="edited"))
        again = inbox.store(slack_config, Arrival(delivery_key="Ev3", reason="edited"))
        assert (again.id, again.is_new) == (third.id, False)

    def test_a_paused_source_holds_what_arrives(
        self, inbox: Inbox, slack_config: SourceConfig, engine: sa.Engine
    ) -> None:
        """What a paused source sends is kept and not worked on."""
        paused = slack_config.model_copy(update={"active": False})
        stored = inbox.store(paused, arrival())
        delivery = inbox.get(stored.id, slack_config.team_id)
        assert delivery is not None
        assert delivery.status is DeliveryStatus.HELD
        assert inbox.due(10) == []

    def test_a_launch_by_a_person_is_its_runs_own(self, inbox: Inbox, slack_config: SourceConfig) -> None:
        """The row of a launch is running from the start, and is one row however often the run writes it."""
        ids = {inbox.write_running(slack_config, THREAD, "run-1", {"launch": {}}) for _ in range(2)}
        assert len(ids) == 1
        delivery = inbox.get(ids.pop(), slack_config.team_id)
        assert delivery is not None
        assert (delivery.status, delivery.run_id) == (DeliveryStatus.RUNNING, "run-1")
        assert delivery.trigger is Trigger.MANUAL


class TestReading:
    """Who sees which rows."""

    def test_another_teams_delivery_is_not_there(self, inbox: Inbox, put: Put) -> None:
        """An id alone opens nothing: the team must be the row's own."""
        assert inbox.get(put("Ev1"), uuid4()) is None

    def test_an_id_beyond_the_database_is_not_there(self, inbox: Inbox, slack_config: SourceConfig) -> None:
        """A number that no row can have is one that no row has."""
        for id in (0, -1, 2**63, 10**30):
            assert inbox.get(id, slack_config.team_id) is None

    def test_rows_of_a_run_and_of_a_discussion(self, inbox: Inbox, put: Put, slack_config: SourceConfig) -> None:
        """They come oldest first, and without those whose payload is purged."""
        ids = [put(f"Ev{number}") for number in range(3)]
        put("Ev9", thread_id="C1:9")
        inbox.claim(ids[:2], "run-1", None)
        change_payload(inbox, ids[0])
        found = inbox.of_discussion(discussion_id(slack_config.team_id, SLACK, THREAD))
        assert [one.id for one in found] == ids[1:]
        assert [one.id for one in inbox.of_run("run-1")] == ids[1:2]
        assert inbox.runs_at_work() == {"run-1"}

    def test_due_lists_without_taking(self, inbox: Inbox, put: Put) -> None:
        """A look at what waits changes nothing and is bounded."""
        ids = [put(f"Ev{number}") for number in range(3)]
        assert [one.id for one in inbox.due(2)] == ids[:2]
        assert [one.id for one in inbox.due(9)] == ids

    def test_sources_do_not_see_each_others_rows(self, stores: Stores, put: Put, generic_config: SourceConfig) -> None:
        """Each inbox is a table of its own."""
        put("Ev1")
        assert stores.inboxes[GENERIC].due(9) == []
        assert set(inboxes) == {SLACK, GENERIC}


def change_payload(inbox: Inbox, id: int) -> None:
    """Purge one payload."""
    change(inbox._engine, inbox.table, inbox.table.c.id == id, payload=sa.null())
