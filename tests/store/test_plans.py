"""Every list of the API goes by an index, however many rows there are: the database says how it would look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.job import Value
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.paging import Period, Place
from discubot_pipeline.store.stores import Stores

MANY = 20_000
FILL = """
INSERT INTO discubot.teams (name) SELECT 'team-' || n FROM generate_series(1, 10) n;
INSERT INTO discubot.discussions (id, team_id, source_type, source_thread_id, status, created_at)
  SELECT gen_random_uuid(), t.id, 'slack', 't' || n, (ARRAY['completed', 'completed', 'completed', 'failed']
         ::discubot.discussion_status[])[1 + n % 4], now() - n * interval '10 minutes'
  FROM generate_series(1, :many) n JOIN discubot.teams t ON t.name = 'team-' || (1 + n % 10);
INSERT INTO discubot.messages (team_id, discussion_id, source_message_id, position, author_id, author_name, content,
                               sent_at)
  SELECT team_id, id, 'm' || n, n, 'U1', 'Anna', 'text', now() FROM discubot.discussions, generate_series(0, 0) n;
INSERT INTO discubot.tasks (team_id, discussion_id, run_id, key, title, state, created_at, notion_page_id)
  SELECT team_id, id, id::text, id::text, 'title', (ARRAY['created', 'created', 'created', 'failed']
         ::discubot.task_state[])[1 + (row_number() OVER ()) % 4], created_at, id::text FROM discubot.discussions;
INSERT INTO discubot.notes (run_id, root_run_id, team_id, discussion_id, pipeline_version, created_at)
  SELECT id::text, id::text, team_id, id, '0', created_at FROM discubot.discussions;
INSERT INTO discubot.steps (run_id, step, team_id, discussion_id)
  SELECT id::text, 'analyze_thread', team_id, id FROM discubot.discussions;
INSERT INTO discubot.inbox_slack (team_id, source_config_id, status, delivery_key, thread_id, discussion_id, run_id,
                                  received_at, payload)
  SELECT d.team_id, :config, (ARRAY['done', 'done', 'done', 'failed']::discubot.delivery_status[])
         [1 + (row_number() OVER ()) % 4], d.id::text, 't', d.id, d.id::text, d.created_at, '{}'
  FROM discubot.discussions d;
ANALYZE discubot.discussions, discubot.messages, discubot.tasks, discubot.notes, discubot.steps, discubot.inbox_slack;
"""


class Plan(Value):
    """What the database reads, and how."""

    whole: set[str]
    indexes: set[str]


@pytest.fixture
def team(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> UUID:
    """Fill the database; gives one of its ten teams."""
    with engine.begin() as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                values = {"many": MANY, "config": slack_config.id}
                known = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(sa.text(statement), known)
    return stores.configs.team("team-3").id


@pytest.fixture
def plans(engine: sa.Engine) -> Iterator[list[Plan]]:
    """Collect the plan of each statement that is run."""
    found: list[Plan] = []

    def explain(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "WITH")) and "set_config" not in statement:
            with connection.connection.cursor() as own:
                own.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
                found.append(plan_of(own.fetchone()[0][0]["Plan"]))

    sa.event.listen(engine, "before_cursor_execute", explain)
    yield found
    sa.event.remove(engine, "before_cursor_execute", explain)


def plan_of(node: Any) -> Plan:
    """Read which tables are read whole, and which indexes are used."""
    below = [plan_of(each) for each in node.get("Plans", ())]
    whole = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    indexes = {node["Index Name"]} if "Index Name" in node else set()
    return Plan(whole=whole.union(*(p.whole for p in below)), indexes=indexes.union(*(p.indexes for p in below)))


PLACE = Place(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=0))
SINCE = Period(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2099, 1, 1, tzinfo=UTC))
OTHER_INBOXES = {f"inbox_{source}" for source in SourceType if source is not SourceType.SLACK}
SMALL = {"teams", "statistics", "source_configs"} | OTHER_INBOXES
"""Tables that have no more than a few rows here, which the database rightly reads whole."""


def test_every_read_of_the_api_goes_by_an_index(stores: Stores, team: UUID, plans: list[Plan]) -> None:
    """No table that grows is read whole: neither for lists, nor for what belongs to one thing, nor for figures."""
    look_at_lists(stores, team, plans)
    plans.clear()
    look_at_one_thing(stores, team, plans)
    plans.clear()
    look_at_figures(stores, team, plans)


def test_leasing_reads_no_old_delivery(
    stores: Stores, slack_config: SourceConfig, team: UUID, plans: list[Plan]
) -> None:
    """What is due is found among what waits, however much is done."""
    inbox = stores.inboxes[SourceType.SLACK]
    inbox.store(slack_config, Arrival(delivery_key="Ev1", thread_id="C1:1.1", payload={}))
    plans.clear()
    assert len(inbox.lease(50, timedelta(minutes=2))) == 1
    assert set().union(*(plan.whole for plan in plans)) <= SMALL
    assert "ix_inbox_slack_pending" in plans[-1].indexes


def look_at_lists(stores: Stores, team: UUID, plans: list[Plan]) -> None:
    """Read lists with and without filters, on the first page and later."""
    [delivery, *_] = stores.deliveries.page(team, Period(), None, 1)
    plans.clear()
    for period in (Period(), SINCE):
        for after in (None, PLACE):
            stores.catalogue.page(team, period, after, 50)
            stores.catalogue.page(team, period, after, 50, [DiscussionStatus.FAILED])
            stores.catalogue.page(team, period, after, 50, (), SourceType.SLACK)
            stores.tasklist.page(team, period, after, 50)
            stores.tasklist.page(team, period, after, 50, TaskState.FAILED)
            stores.deliveries.page(team, period, after and delivery.place, 50)
            stores.deliveries.page(team, period, after and delivery.place, 50, [DeliveryStatus.FAILED])
    assert [plan.whole - SMALL for plan in plans] == [set()] * 28
    for plan in plans[:3]:
        assert "ix_notes_discussion_id_created_at" in plan.indexes
        assert any(name.startswith(("ix_messages_discussion_id", "uq_messages_discussion_id")) for name in plan.indexes)


def look_at_one_thing(stores: Stores, team: UUID, plans: list[Plan]) -> None:
    """Look at messages, tasks and jobs of a discussion, the tasks of a job, one task, one delivery."""
    [listed, _] = stores.catalogue.page(team, Period(), None, 1).discussions
    delivery = stores.deliveries.page(team, Period(), None, 1)[0]
    plans.clear()
    stores.catalogue.get(listed.id, team)
    stores.messages.page(listed.id, None, 50)
    stores.messages.kept(listed.id)
    stores.tasklist.of_discussion(listed.id, None, 50)
    stores.tasklist.page(team, Period(), None, 50, job_id=str(listed.id))
    stores.tasklist.get(listed.task_ids[0], team)
    stores.deliveries.get(delivery.id, team)
    assert [plan.whole - SMALL for plan in plans] == [set()] * 7


def look_at_figures(stores: Stores, team: UUID, plans: list[Plan]) -> None:
    """Count a day of one team: that does not read what all teams ever had."""
    today = datetime.now(UTC).date()
    stores.statistics.of(team, today, today)
    [fill] = [plan for plan in plans if "ix_inbox_slack_team_id_received_at_id" in plan.indexes]
    assert fill.whole - SMALL == set()
