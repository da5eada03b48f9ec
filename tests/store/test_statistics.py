"""Figures by day: counted in one statement, kept for a while, and never less than was spent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.statistics import Day, Statistics
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, inboxes, statistics, tasks
from tests.store.samples import SLACK, arrival, change, planned, thread_of

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def the_day(stores: Stores, config: SourceConfig, day: date = DAY) -> Day:
    """Read one day's figures."""
    [found] = stores.statistics.of(config.team_id, day, day)
    return found


def deliver(stores: Stores, config: SourceConfig, engine: sa.Engine, took_ms: int, **more: object) -> int:
    """Let a delivery come at noon and take so long."""
    inbox = stores.inboxes[SLACK]
    id = inbox.store(config, arrival(f"Ev{took_ms}-{len(more)}", f"t{took_ms}-{len(more)}")).id
    times = {"received_at": NOON, "finished_at": NOON + timedelta(milliseconds=took_ms)}
    change(engine, inbox.table, inbox.table.c.id == id, **{**times, "status": "done", **more})
    return id


def test_latencies_are_ranked(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """Of a hundred deliveries that took 1 to 100 ms; what is not done does not count."""
    for took in range(1, 101):
        deliver(stores, slack_config, engine, took)
    deliver(stores, slack_config, engine, 90_000, status="failed")
    deliver(stores, slack_config, engine, 80_000, status="dead", reason="never_claimed")
    found = the_day(stores, slack_config)
    assert (found.deliveries, found.failures) == (102, 2)
    assert (found.p50_ms, found.p95_ms, found.p99_ms) in {(50, 95, 99), (51, 95, 99)}


def test_a_replay_counts_from_when_it_was_asked_for(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine
) -> None:
    """Not from when the delivery came, which may be days ago."""
    deliver(stores, slack_config, engine, 500_000, replayed_at=NOON + timedelta(milliseconds=499_000))
    assert the_day(stores, slack_config).p50_ms == 1000


def test_a_day_begins_at_midnight_utc(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """Its first moment is in it, the first of the next day is not."""
    table = inboxes[SLACK]
    ids = [deliver(stores, slack_config, engine, took) for took in (1, 2, 3)]
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    for id, at in zip(ids, (midnight, midnight + timedelta(days=1), midnight - timedelta(microseconds=1)), strict=True):
        change(engine, table, table.c.id == id, received_at=at)
    days = stores.statistics.of(slack_config.team_id, DAY - timedelta(1), DAY + timedelta(1))
    assert [day.deliveries for day in days] == [1, 1, 1]


def test_work_and_money_are_counted(
    stores: Stores, slack_config: SourceConfig, output: Output, engine: sa.Engine
) -> None:
    """Discussions, the tasks that have a page, and tokens and dollars, which stay when the records go."""
    thread = thread_of(slack_config)
    stores.notes.open("run-1", "run-1", Trigger.WEBHOOK, {}, "0.1.0")
    stores.notes.stage("run-1", Stage.AI_ANALYSIS, team_id=slack_config.team_id)
    stores.steps.begin("run-1", "analyze_thread", Stage.AI_ANALYSIS, {})
    stores.steps.spend("run-1", "analyze_thread", Usage(prompt_tokens=7, answer_tokens=3, cost_usd=Decimal("0.25")))
    stores.discussions.open(thread.configured.parsed, "run-1", ())
    for title in ("Fix it", "Tell Ben"):
        stores.tasks.begin(planned(thread, output.id, title), thread, "", "run-1", is_multi=True)
    change(engine, tasks, tasks.c.title == "Fix it", state="created", notion_page_id="p1")
    today = datetime.now(UTC).date()
    found = the_day(stores, slack_config, today)
    assert (found.discussions, found.tasks) == (1, 1)
    assert (found.prompt_tokens, found.answer_tokens, found.cost_usd) == (7, 3, 0.25)
    stores.retention.forget_runs(["run-1"])
    change(engine, discussions, created_at=NOON)
    stores.statistics.recompute(today, today)
    found = the_day(stores, slack_config, today)
    assert (found.discussions, found.cost_usd) == (0, 0.25)


def test_figures_are_kept_until_they_may_have_changed(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine
) -> None:
    """Within their time they are read as they are; later the day is counted again."""
    assert the_day(stores, slack_config).deliveries == 0
    today = datetime.now(UTC).date()
    assert the_day(stores, slack_config, today).deliveries == 0
    stores.inboxes[SLACK].store(slack_config, arrival())
    assert the_day(stores, slack_config, today).deliveries == 0
    change(engine, statistics, computed_at=sa.func.now() - timedelta(seconds=61))
    assert the_day(stores, slack_config, today).deliveries == 1


def test_an_old_day_is_settled_until_it_is_recomputed(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine
) -> None:
    """However long ago it was counted, as long as that was three days after it began."""
    assert the_day(stores, slack_config).deliveries == 0
    deliver(stores, slack_config, engine, 5)
    change(engine, statistics, computed_at=NOON + timedelta(days=4))
    assert the_day(stores, slack_config).deliveries == 0
    assert stores.statistics.recompute(DAY, DAY, slack_config.team_id) == 1
    assert the_day(stores, slack_config).deliveries == 1


def test_a_day_that_was_counted_too_early_is_counted_again(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine
) -> None:
    """What was computed on the day itself cannot be its last word."""
    assert the_day(stores, slack_config).deliveries == 0
    deliver(stores, slack_config, engine, 5)
    change(engine, statistics, computed_at=NOON)
    assert the_day(stores, slack_config).deliveries == 1


@pytest.mark.parametrize("ttl", [timedelta(), timedelta(hours=1)])
def test_how_long_figures_are_kept_can_be_chosen(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine, ttl: timedelta
) -> None:
    """With none they are counted each time."""
    kept, today = Statistics(engine, ttl), datetime.now(UTC).date()
    kept.of(slack_config.team_id, today, today)
    stores.inboxes[SLACK].store(slack_config, arrival())
    [found] = kept.of(slack_config.team_id, today, today)
    assert found.deliveries == (0 if ttl else 1)


def test_all_teams_are_recomputed_together(stores: Stores, slack_config: SourceConfig) -> None:
    """A row for each team and day, and none of another's figures."""
    stores.inboxes[SLACK].store(slack_config, arrival())
    other, today = stores.configs.add_team("other", "test"), datetime.now(UTC).date()
    assert stores.statistics.recompute(today - timedelta(1), today) == 4
    assert stores.statistics.of(other.id, today, today)[0].deliveries == 0
    assert the_day(stores, slack_config, today).deliveries == 1
