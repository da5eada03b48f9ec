"""The past that benches give a system: as many rows as are asked for, each run whole, all of them old."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import sqlalchemy as sa

from bench.past import Past, remember
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, inboxes, notes
from discubot_pipeline.tracking.runs import RUN_KEY
from discubot_pipeline.tracking.storages.retention import old_runs
from tests.store.samples import change, rows
from tests.tracking.ledger import Ledger, on_postgres

DAY = timedelta(days=1)


def test_a_past_is_as_large_and_as_old_as_asked(
    stores: Stores, slack_config: SourceConfig, engine: sa.Engine, database_url: str
) -> None:
    """Copied runs have events and tags of their own, and are what the clean-up would take."""
    inbox = stores.inboxes[SourceType.SLACK]
    inbox.store(slack_config, Arrival(delivery_key="Ev1", thread_id="C1:1.1", payload={}))
    [delivery] = rows(engine, inbox.table)
    with on_postgres(database_url) as instance:
        ledger = Ledger(instance)
        run_id = ledger.run(**{RUN_KEY: "1:0"})
        ledger.say(run_id, dg.DagsterEventType.STEP_START)
        stores.notes.open(run_id, run_id, Trigger.WEBHOOK, {}, "0.1.0")
        thread = {"id": delivery.discussion_id, "team_id": slack_config.team_id, "source_thread_id": "C1:1.1"}
        with engine.begin() as connection:
            connection.execute(sa.insert(discussions).values(thread | {"source_type": "slack", "run_id": run_id}))
        change(engine, inbox.table, status="done", finished_at=sa.func.now())
        remember(engine, Past(10, 5, 4, 40 * DAY), threads=1)
        assert [len(rows(engine, table)) for table in (inboxes[SourceType.SLACK], discussions, notes)] == [11, 6, 5]
        [old] = old_runs(instance, datetime.now(UTC) - 39 * DAY, 100)
        assert len(old) == 4
        for each in old:
            assert [log.run_id for log in instance.all_logs(each)] == [each]
        assert [run.run_id for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY: "1:0"}))] == [run_id]
