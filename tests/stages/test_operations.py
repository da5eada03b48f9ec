"""Operations as their stage carries them out: in batches, each whole or not at all, and never twice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.admin.operations import ask
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Ignored
from discubot_pipeline.domain.job import Job
from discubot_pipeline.domain.operations import Operation, PortableDiscussion, Result, new_operation
from discubot_pipeline.ports import Unwatched
from discubot_pipeline.stages.operations import operate, take
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import chunks, discussions, messages, operations
from tests.store.portable import line, lines
from tests.store.samples import arrival, change, rows

RUN = Job(run_id="run-1", root_run_id="run-1")
NEXT = Job(run_id="run-2", root_run_id="run-1", parent_run_id="run-1")
NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        """Give the time."""
        return NOW


class Power(Unwatched):
    """A progress that goes dark after some batches, as a process does that is killed."""

    def __init__(self, batches: int) -> None:
        self.left = batches + 1  # the first increment tells what was done before

    def increment(self, by: int = 1, message: str | None = None) -> None:
        """Count down."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """Write down the statements that are sent."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


class Desk:
    """Asks for operations of one team and carries them out."""

    def __init__(self, stores: Stores, team_id: UUID) -> None:
        self.stores, self.team_id = stores, team_id

    def ask(self, kind: str, **params: Any) -> Operation:
        """Ask for an operation."""
        new = new_operation.validate_python({"kind": kind, "params": params})
        return ask(self.stores, self.team_id, new, "test")

    def run(self, operation: Operation, job: Job = RUN, progress: Unwatched | None = None) -> Result:
        """Carry one out."""
        follows = [job.parent_run_id] if job.parent_run_id else []
        taken = take(operation.id, job, self.stores, follows)
        return operate(taken, job, self.stores, Noon(), progress or Unwatched())

    def do(self, kind: str, **params: Any) -> Result:
        """Ask for an operation and carry it out."""
        return self.run(self.ask(kind, **params))

    def found(self, operation: Operation) -> Operation:
        """Look an operation up."""
        return self.stores.operations.get(operation.id, self.team_id)

    def exported(self) -> list[dict[str, Any]]:
        """Export everything."""
        operation = self.ask("export")
        result = self.run(operation)
        read = [self.stores.operations.chunk(operation.id, number) for number in range(result.position)]
        return [json.loads(each) for chunk in read if chunk for each in chunk.lines]


@pytest.fixture
def desk(stores: Stores, slack_config: SourceConfig) -> Desk:
    """Give a desk of the team acme."""
    return Desk(stores, slack_config.team_id)


class TestImport:
    """Discussions from JSON lines."""

    def test_discussions_come_with_their_messages(self, desk: Desk, engine: sa.Engine) -> None:
        """Each is new, idle, and has its messages in their order."""
        operation = desk.ask("import", lines=line("t1", 3, status="processing"))
        result = desk.run(operation)
        [discussion] = rows(engine, discussions)
        assert (discussion.title, discussion.status, discussion.total_messages) == ("About t1", "new", 3)
        assert (discussion.participants, discussion.created_by) == (["Person 0", "Person 1", "Person 2"], "test")
        with engine.connect() as connection:
            said = connection.execute(sa.select(messages).order_by(messages.c.position)).all()
        assert [each.source_message_id for each in said] == ["m0", "m1", "m2"]
        assert result.counts == {"created": 1, "messages": 3, "known": 0}
        assert (result.started_at, result.finished_at) == (NOW, NOW)
        assert desk.found(operation).status is DeliveryStatus.DONE
        assert rows(engine, chunks) == []

    def test_the_same_file_twice_changes_nothing(self, desk: Desk, engine: sa.Engine) -> None:
        """Neither a row more nor a row that was touched."""
        desk.do("import", lines=lines(5))
        before = rows(engine, discussions), rows(engine, messages)
        result = desk.do("import", lines=lines(5))
        assert result.counts == {"created": 0, "messages": 0, "known": 5}
        assert (rows(engine, discussions), rows(engine, messages)) == before

    def test_lines_that_cannot_be_read_are_listed(self, desk: Desk, engine: sa.Engine) -> None:
        """By number and reason; the others are imported, and an empty one is no error."""
        bad = ["{", "[]", line(thread=""), line("t4", title="a\0"), ""]
        result = desk.do("import", lines="\n".join([line("t0"), *bad, line("t9")]))
        assert [(each.line, each.reason) for each in result.troubles] == [(n, "invalid") for n in (2, 3, 4, 5)]
        assert (result.failures, result.counts["created"]) == (4, 2)
        assert {each.source_thread_id for each in rows(engine, discussions)} == {"t0", "t9"}

    def test_ten_thousand_discussions_take_a_few_statements(self, desk: Desk, engine: sa.Engine) -> None:
        """Their number grows with the batches, not with the rows."""
        operation = desk.ask("import", lines=lines(10_000))
        with counted(engine) as sent:
            result = desk.run(operation)
        assert (result.counts["created"], result.counts["messages"]) == (10_000, 20_000)
        assert len(sent) < 60
        selected = desk.ask("delete", source="generic")
        with counted(engine) as sent:
            assert desk.run(selected).counts == {"deleted": 10_000}
        assert len(sent) < 150
        assert rows(engine, discussions) == []

    def test_an_import_goes_on_where_its_process_died(self, desk: Desk, engine: sa.Engine) -> None:
        """The next run of the chain does the rest, and nothing twice."""
        operation = desk.ask("import", lines=lines(2500, messages=1))
        with pytest.raises(KeyboardInterrupt):
            desk.run(operation, progress=Power(1))
        assert len(rows(engine, discussions)) == 1000
        result = desk.run(operation, NEXT)
        assert result.counts == {"created": 2500, "messages": 2500, "known": 0}
        assert len(rows(engine, messages)) == 2500

    def test_a_run_that_lost_its_hold_writes_nothing(self, desk: Desk, engine: sa.Engine) -> None:
        """What a batch has written is undone when its place cannot be kept."""
        operation = take(desk.ask("import", lines=lines(3)).id, RUN, desk.stores)
        change(engine, operations, run_id="run-9")
        with pytest.raises(Ignored, match="taken this operation over"):
            operate(operation, RUN, desk.stores, Noon(), Unwatched())
        assert rows(engine, discussions) == rows(engine, messages) == []


class TestTake:
    """Whose an operation is."""

    def test_only_one_run_has_an_operation(self, desk: Desk) -> None:
        """Not a stranger, nor the run of a lease that is over; and what is done stays done."""
        operation = desk.ask("statistics")
        take(operation.id, RUN, desk.stores)
        with pytest.raises(Ignored):
            take(operation.id, Job(run_id="run-7", root_run_id="run-7"), desk.stores)
        desk.run(operation, NEXT)
        for job in (RUN, NEXT, Job(run_id="run-7", root_run_id="run-7", run_key=f"{operation.id}:0")):
            with pytest.raises(Ignored):
                take(operation.id, job, desk.stores)


class TestDelete:
    """Discussions by their ids, or by what they have in common."""

    def test_by_ids(self, desk: Desk, engine: sa.Engine) -> None:
        """What is not there is listed; the others stay."""
        desk.do("import", lines=lines(3))
        [first, *_] = [each.id for each in rows(engine, discussions)]
        stranger = uuid4()
        result = desk.do("delete", ids=[str(first), str(stranger)])
        assert result.counts == {"deleted": 1}
        assert [(each.id, each.reason) for each in result.troubles] == [(stranger, "not_found")]
        assert len(rows(engine, discussions)) == 2

    def test_what_is_at_work_stays(self, desk: Desk, engine: sa.Engine, slack_config: SourceConfig) -> None:
        """Held by a run, or asked for; what only waits is dropped with its discussion and its words."""
        desk.do("import", lines="\n".join(line(f"t{number}", source="slack") for number in range(4)))
        ids = {each.source_thread_id: each.id for each in rows(engine, discussions)}
        inbox = desk.stores.inboxes[SourceType.SLACK]
        inbox.store(slack_config, arrival("Ev1", "t1"))
        change(engine, inbox.table, status=DeliveryStatus.REQUESTED)
        inbox.store(slack_config, arrival("Ev2", "t2"))
        change(engine, discussions, discussions.c.id == ids["t0"], active_run_id="run-5")
        result = desk.do("delete", source="slack")
        assert {each.id for each in result.troubles} == {ids["t0"], ids["t1"]}
        assert {each.reason for each in result.troubles} == {"at_work"}
        assert {each.source_thread_id for each in rows(engine, discussions)} == {"t0", "t1"}
        asked, waited = rows(engine, inbox.table)
        assert (asked.status, asked.payload is None) == ("requested", False)
        assert (waited.status, waited.reason, waited.payload) == ("ignored", "deleted", None)

    def test_another_teams_discussions_are_out_of_reach(self, desk: Desk, stores: Stores, engine: sa.Engine) -> None:
        """Named or not."""
        desk.do("import", lines=lines(2))
        other = Desk(stores, stores.configs.add_team("other", "test").id)
        assert other.do("delete", ids=[str(each.id) for each in rows(engine, discussions)]).counts == {"deleted": 0}
        assert other.do("delete", source="generic").counts == {}
        assert other.exported() == []
        assert len(rows(engine, discussions)) == 2


class TestExport:
    """Discussions as JSON lines."""

    def test_what_is_exported_can_be_imported(self, desk: Desk, stores: Stores) -> None:
        """Another team has the same discussions afterwards, word for word."""
        desk.do("import", lines=lines(1200))
        out = desk.exported()
        assert len(out) == 1200
        other = Desk(stores, stores.configs.add_team("other", "test").id)
        assert other.do("import", lines="\n".join(map(json.dumps, out))).failures == 0
        by_thread = {each["thread"]: each for each in out}
        assert {each["thread"]: each for each in other.exported()} == by_thread
        assert PortableDiscussion.model_validate(by_thread["t7"]) == PortableDiscussion.model_validate_json(line("t7"))

    def test_an_export_goes_on_where_its_process_died(self, desk: Desk) -> None:
        """Each discussion is in it once."""
        desk.do("import", lines=lines(2500, messages=0))
        operation = desk.ask("export")
        with pytest.raises(KeyboardInterrupt):
            desk.run(operation, progress=Power(1))
        result = desk.run(operation, NEXT)
        read = [desk.stores.operations.chunk(operation.id, number) for number in range(result.position)]
        threads = [json.loads(each)["thread"] for chunk in read if chunk for each in chunk.lines]
        assert len(threads) == len(set(threads)) == result.counts["exported"] == 2500


class TestStatistics:
    """Figures, computed anew."""

    def test_days_are_computed_anew(self, desk: Desk) -> None:
        """As many as were asked for."""
        assert desk.do("statistics", since="2026-01-01", until="2026-01-10").counts == {"days": 10}

    def test_bulk_work_is_in_the_figures_at_once(self, desk: Desk, stores: Stores) -> None:
        """Although those that were kept are not old yet."""
        today = datetime.now(UTC).date()
        assert [day.discussions for day in stores.statistics.of(desk.team_id, today, today)] == [0]
        operation = desk.ask("import", lines=lines(3))

        class Today(Noon):
            def now(self) -> datetime:
                return datetime.now(UTC)

        operate(take(operation.id, RUN, stores), RUN, stores, Today(), Unwatched())
        assert [day.discussions for day in stores.statistics.of(desk.team_id, today, today)] == [3]
