"""Carries out an operation, batch by batch: what a batch does and how far that is are committed as one.

Called by the op of `operation_job`. What was interrupted goes on after its last whole batch: nothing is done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import ValidationError

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Ignored
from discubot_pipeline.domain.job import Job
from discubot_pipeline.domain.operations import (
    CHUNK,
    Days,
    ItemTrouble,
    Operation,
    OperationKind,
    PortableDiscussion,
    Result,
    Selection,
)
from discubot_pipeline.domain.preferences import sentence_of
from discubot_pipeline.ports import Clock, Progress
from discubot_pipeline.store.operations import Chunk
from discubot_pipeline.store.statistics import SETTLES_AFTER
from discubot_pipeline.store.stores import Stores

MISSING = "there is no such discussion"
AT_WORK = "a job works on it, or was asked for it: cancel it, or wait"


def take(id: UUID, job: Job, stores: Stores, follows: Sequence[str] = ()) -> Operation:
    """Make an operation the run's own. Raises Ignored when it is done, another run's, or not there.

    `follows` are the runs that it may take it over from: those of its chain that have ended.
    """
    operation = stores.operations.claim(id, job.run_id, job.run_key, follows)
    if operation is None:
        raise Ignored("busy", "this operation is done, deleted, or another run's")
    return operation


def operate(operation: Operation, job: Job, stores: Stores, clock: Clock, progress: Progress) -> Result:
    """Do what an operation asks for, from where it was interrupted, and close it. Raises Transient or Permanent."""
    work = Work(operation, job, stores, progress)
    begun = operation.result.model_copy(update={"started_at": operation.result.started_at or clock.now()})
    match operation.kind:
        case OperationKind.IMPORT:
            done = work.import_lines(begun)
        case OperationKind.DELETE:
            done = work.delete(begun)
        case OperationKind.EXPORT:
            done = work.export(begun)
        case OperationKind.STATISTICS:
            done = begun.plus(days=work.recompute(Days.model_validate(operation.params), clock.now().date()))
    if operation.kind in (OperationKind.IMPORT, OperationKind.DELETE):
        work.recompute(Days(), clock.now().date())
    ended = done.model_copy(update={"finished_at": clock.now()})
    with stores.together():
        work.keep(ended)
        stores.operations.finish(operation.id, job.run_id, DeliveryStatus.DONE)
    return ended


@dataclass(frozen=True)
class Work:
    """One run of an operation."""

    operation: Operation
    job: Job
    stores: Stores
    progress: Progress

    def import_lines(self, result: Result) -> Result:
        """Write the discussions of all lines that can be read; the others are listed."""
        self.show(self.operation.items, "lines", min(result.position * CHUNK, self.operation.items))
        while chunk := self.stores.operations.chunk(self.operation.id, result.position):
            read, troubles = parse(chunk)
            with self.stores.together():
                made, said = self.stores.bulk.write(self.operation.team_id, read, self.operation.created_by)
                met = result.plus(troubles, created=made, messages=said, known=len(read) - made)
                result = self.keep(met.model_copy(update={"position": result.position + 1}))
            self.progress.increment(len(chunk.lines))
        return result

    def delete(self, result: Result) -> Result:
        """Delete the discussions that are meant; those that are missing or at work are listed."""
        wanted, team_id = Selection.model_validate(self.operation.params), self.operation.team_id
        self.show(self.stores.bulk.count(team_id, wanted), "discussions")
        while True:
            with self.stores.together():
                batch = self.stores.bulk.delete(team_id, wanted, result.after, CHUNK)
                if batch.last is None:
                    return result
                busy = [ItemTrouble(id=id, reason="at_work", message=AT_WORK) for id in batch.at_work]
                met = result.plus((*lacking(batch.missing), *busy), deleted=batch.count)
                result = self.keep(met.model_copy(update={"after": batch.last}))
            self.progress.increment(batch.count)

    def export(self, result: Result) -> Result:
        """Write the discussions that are meant as lines, to be fetched."""
        wanted, team_id = Selection.model_validate(self.operation.params), self.operation.team_id
        self.show(self.stores.bulk.count(team_id, wanted), "discussions", result.counts.get("exported", 0))
        while True:
            with self.stores.together():
                batch = self.stores.bulk.read(team_id, wanted, result.after, CHUNK)
                if batch.last is None:
                    return result
                lines = tuple(each.model_dump_json() for each in batch.discussions)
                first_line = result.counts.get("exported", 0) + 1
                if lines:
                    chunk = Chunk(first_line=first_line, lines=lines)
                    self.stores.operations.write(self.operation.id, result.position, chunk)
                met = result.plus(lacking(batch.missing), exported=len(lines))
                further = {"position": result.position + bool(lines), "after": batch.last}
                result = self.keep(met.model_copy(update=further))
            self.progress.increment(len(lines))

    def recompute(self, wanted: Days, today: date) -> int:
        """Compute figures anew, by default those that still change; older ones outlive what they were made of."""
        last = wanted.until or today
        first = wanted.since or min(last, today) - SETTLES_AFTER
        return self.stores.statistics.recompute(first, last, self.operation.team_id)

    def keep(self, result: Result) -> Result:
        """Write down how far it is."""
        self.stores.operations.keep(self.operation.id, self.job.run_id, result)
        return result

    def show(self, total: int, unit: str, done: int = 0) -> None:
        """Say how much there is to do, and how much an interrupted run has done of it."""
        self.progress.set_total(total, unit)
        self.progress.increment(done)


def parse(chunk: Chunk) -> tuple[list[PortableDiscussion], tuple[ItemTrouble, ...]]:
    """Read lines, each for itself; empty ones do not count."""
    read: list[PortableDiscussion] = []
    troubles: list[ItemTrouble] = []
    for number, line in enumerate(chunk.lines, chunk.first_line):
        try:
            if line.strip():
                read.append(PortableDiscussion.model_validate_json(line))
        except ValidationError as error:
            troubles.append(ItemTrouble(line=number, reason="invalid", message=sentence_of(error.errors())))
    return read, tuple(troubles)


def lacking(ids: Sequence[UUID]) -> tuple[ItemTrouble, ...]:
    """List discussions that were named and are not there."""
    return tuple(ItemTrouble(id=id, reason="not_found", message=MISSING) for id in ids)
