"""Operations in Dagster: their sensor asks for runs and looks after them, their op retries and closes."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pytest
import sqlalchemy as sa

from discubot_pipeline.admin.operations import ask
from discubot_pipeline.defs import operations as bulk
from discubot_pipeline.defs.resources import job
from discubot_pipeline.domain.operations import Operation, new_operation
from discubot_pipeline.store.bell import ring_stop
from discubot_pipeline.store.tables import discussions, operations, statistics
from discubot_pipeline.tracking.runs import ROOT, RUN_KEY, SENSOR
from tests.defs.test_sensors import someone_listens
from tests.defs.ticks import by_hand, tick
from tests.defs.workshop import Ended, Workshop, services_of_the_test
from tests.store.portable import lines
from tests.store.samples import ago, change, rows
from tests.tracking.ledger import RETRIES
from tests.waiting import until

WATCH = bulk.operations_inbox


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance on disk: the context of a sensor takes no other."""
    with dg.instance_for_test(overrides=RETRIES) as instance:
        yield instance


def wanted(workshop: Workshop, kind: str, **params: Any) -> Operation:
    """Ask for an operation."""
    new = new_operation.validate_python({"kind": kind, "params": params})
    return ask(workshop.services.stores, workshop.config.team_id, new, "test")


def launch(workshop: Workshop, id: UUID | str, kind: dg.JobDefinition = bulk.operation_job, **tags: str) -> Ended:
    """Run the job of an operation."""
    result = kind.execute_in_process(
        {"ops": {bulk.STEP: {"config": {"operation_id": str(id)}}}} if kind is bulk.operation_job else {},
        instance=workshop.instance,
        tags=tags,
        resources={"services": workshop.services, "job": job},
        raise_on_error=False,
    )
    return workshop.ended(result.run_id)


def made(
    workshop: Workshop,
    operation: Operation,
    status: dg.DagsterRunStatus,
    follows: str | None = None,
    **tags: str,
) -> dg.DagsterRun:
    """Make the run of an operation without running it."""
    return workshop.instance.create_run_for_job(
        bulk.operation_job,
        run_config={"ops": {bulk.STEP: {"config": {"operation_id": str(operation.id)}}}},
        status=status,
        tags=tags,
        parent_run_id=follows,
        root_run_id=follows,
    )


def rebuilt() -> dg.JobDefinition:
    """Build the job for re-execution."""
    return dg.Definitions(
        jobs=[bulk.operation_job], resources={"services": services_of_the_test, "job": job}
    ).resolve_job_def("operation_job")


def stand(workshop: Workshop, operation: Operation) -> Operation:
    """Look an operation up."""
    return workshop.services.stores.operations.get(operation.id, operation.team_id)


def test_each_operation_becomes_a_run_that_carries_it_out(workshop: Workshop, engine: sa.Engine) -> None:
    """Asked for by its id alone, under its team; a note says what came of it."""
    operation = wanted(workshop, "import", lines=lines(3) + "\n{")
    [request] = tick(workshop, WATCH).run_requests
    assert request.run_key == f"{operation.id}:0"
    assert request.run_config == {"ops": {"run_operation": {"config": {"operation_id": str(operation.id)}}}}
    assert (request.tags["discubot/team"], request.tags["discubot/class"]) == ("acme", "database")
    ended = launch(workshop, operation.id, **request.tags, **{RUN_KEY: request.run_key})
    assert ended.status == "SUCCESS"
    found = stand(workshop, operation)
    assert (found.status, found.run_id, found.result.failures) == ("done", ended.id, 1)
    assert len(rows(engine, discussions)) == 3
    note = workshop.services.stores.notes.get(ended.id)
    assert note is not None
    assert (note.counters["created"], note.team_id) == (3, workshop.config.team_id)
    assert note.summary == "Import: 3 created, 0 known, 6 messages, 1 errors."


def test_what_only_looks_is_of_another_class(workshop: Workshop) -> None:
    """So that it waits for its like alone."""
    wanted(workshop, "export")
    [request] = tick(workshop, WATCH).run_requests
    assert request.tags["discubot/class"] == "audit"


def test_the_sensor_wakes_up_when_somebody_asks(workshop: Workshop) -> None:
    """It waits on the bell, not on a clock."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(tick(workshop, WATCH)))
    thread.start()
    try:
        until(lambda: someone_listens(workshop))
        operation = wanted(workshop, "statistics")
        [result] = until(lambda: results)
        assert [request.run_key for request in result.run_requests] == [f"{operation.id}:0"]
    finally:
        ring_stop(workshop.services.settings.listen_url)
        thread.join(10)


def test_a_test_by_hand_takes_nothing(workshop: Workshop) -> None:
    """What waits goes on waiting."""
    operation = wanted(workshop, "statistics")
    assert not by_hand(workshop, WATCH).run_requests
    assert stand(workshop, operation).status == "pending"


def test_a_run_that_never_began_is_asked_for_again_three_times_at_most(
    workshop: Workshop, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a new key each time; then the operation is dead."""
    operation = wanted(workshop, "statistics")
    keys = []
    for _ in range(3):
        [request] = tick(workshop, WATCH).run_requests
        keys.append(request.run_key)
        change(engine, operations, leased_until=ago(minutes=1))
    assert keys == [f"{operation.id}:{number}" for number in range(3)]
    monkeypatch.setattr(bulk, "LONGEST_WAIT", timedelta(seconds=0))
    assert not tick(workshop, WATCH).run_requests
    assert (stand(workshop, operation).status, stand(workshop, operation).reason) == ("dead", "never_claimed")


@pytest.mark.parametrize(
    ("status", "reason"), [(dg.DagsterRunStatus.CANCELED, "cancelled"), (None, "run_gone")], ids=["cancelled", "gone"]
)
def test_what_a_lost_run_held_is_closed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, status: dg.DagsterRunStatus | None, reason: str
) -> None:
    """Nobody waits for it for ever."""
    monkeypatch.setattr(bulk, "LONGEST_LISTEN", timedelta(seconds=0))
    operation = wanted(workshop, "export")
    run = made(workshop, operation, status) if status else None
    id = run.run_id if run else "run-gone"
    assert workshop.services.stores.operations.claim(operation.id, id, None)
    tick(workshop, WATCH)
    assert (stand(workshop, operation).status, stand(workshop, operation).reason) == ("failed", reason)


def test_a_run_that_is_late_keeps_its_operation(
    workshop: Workshop, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is renewed."""
    monkeypatch.setattr(bulk, "LONGEST_WAIT", timedelta(seconds=0))
    operation = wanted(workshop, "export")
    [request] = tick(workshop, WATCH).run_requests
    tags = {RUN_KEY: request.run_key, SENSOR: WATCH.name}
    made(workshop, operation, dg.DagsterRunStatus.STARTING, **tags)
    change(engine, operations, leased_until=ago(minutes=1))
    assert not tick(workshop, WATCH).run_requests
    assert stand(workshop, operation).status == "requested"
    assert workshop.services.stores.operations.expired() == []


def test_what_may_pass_is_tried_three_times(
    workshop: Workshop, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the operation has failed, with the reason; its discussions are as they were."""
    monkeypatch.setattr(bulk, "backoff", lambda *_: timedelta())
    operation = wanted(workshop, "import", lines=lines(2))
    with engine.begin() as connection:
        connection.execute(sa.text(REFUSE))
    try:
        ended = launch(workshop, operation.id)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TRIGGER refuse ON discubot.messages; DROP FUNCTION refuse"))
    assert (ended.status, len(ended.steps("STEP_UP_FOR_RETRY"))) == ("FAILURE", 2)
    assert (stand(workshop, operation).status, stand(workshop, operation).reason) == ("failed", "database_down")
    assert rows(engine, discussions) == []
    again = launch(workshop, operation.id)
    assert (again.status, len(rows(engine, discussions))) == ("SUCCESS", 2)


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'connection_failure'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON discubot.messages EXECUTE FUNCTION refuse();
"""


def test_an_operation_that_is_done_is_not_done_again(workshop: Workshop) -> None:
    """The run ends green and says so."""
    operation = wanted(workshop, "statistics")
    launch(workshop, operation.id)
    again = launch(workshop, operation.id)
    assert again.status == "SUCCESS"
    assert workshop.records(again.id)[bulk.STEP].status == "ignored"


def test_an_id_that_is_none_fails_with_a_sentence(workshop: Workshop) -> None:
    """No retry helps."""
    ended = launch(workshop, "seven")
    assert (ended.status, workshop.records(ended.id)[bulk.STEP].reason) == ("FAILURE", "invalid")


def test_the_figures_of_all_teams_are_computed_by_the_hour(workshop: Workshop, engine: sa.Engine) -> None:
    """For the days that may still change."""
    assert launch(workshop, "", bulk.statistics_job).status == "SUCCESS"
    assert {each.team_id for each in rows(engine, statistics)} == {workshop.config.team_id}


def test_a_retry_goes_on_also_when_the_one_before_it_never_began(workshop: Workshop) -> None:
    """It takes over from whichever run of its chain had the operation last, if that has ended."""
    operation = wanted(workshop, "export")
    first = made(workshop, operation, dg.DagsterRunStatus.FAILURE)
    assert workshop.services.stores.operations.claim(operation.id, first.run_id, None)
    family = {ROOT: first.run_id, "dagster/parent_run_id": first.run_id}
    never = made(workshop, operation, dg.DagsterRunStatus.FAILURE, first.run_id, **family)
    options = dg.ReexecutionOptions(parent_run_id=never.run_id)
    job_def = dg.reconstructable(rebuilt)
    with (
        workshop.at_hand(),
        dg.execute_job(
            job_def, workshop.instance, run_config=never.run_config, tags=family, reexecution_options=options
        ) as result,
    ):
        assert result.success
    assert (stand(workshop, operation).status, stand(workshop, operation).run_id) == ("done", result.run_id)
