"""Removes what is older than its retention, in batches. Old Dagster runs are `tracking/storages/retention`'s."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.executions import RECORDING
from discubot_pipeline.store.tables import analyses, hook_deliveries, inboxes, notes, steps

BATCH = 1000


class Retention:
    """Purges inbox payloads and the records of runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def purge_payloads(self, done: timedelta, dead: timedelta, dry_run: bool = False) -> int:
        """Empty the payloads of deliveries finished longer ago than `done` (failed ones: `dead`); gives how many."""
        return sum(self._purge(table, done, dead, dry_run) for table in inboxes.values())

    def forget_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the step records, notes and told ends of runs that Dagster no longer has."""
        with transaction(self._engine) as connection:
            for table in (steps, hook_deliveries, notes):
                connection.execute(sa.delete(table).where(table.c.run_id.in_(run_ids)))

    def forget_recordings(self, age: timedelta, dry_run: bool = False) -> int:
        """Forget what others recorded longer ago than `age`; gives how many executions."""
        is_old = sa.and_(notes.c.job_name == RECORDING, notes.c.created_at < sa.func.now() - age)
        old = sa.select(notes.c.run_id).where(is_old)
        with single(self._engine) as connection:
            run_ids = connection.execute(old).scalars().all()
            if not dry_run:
                self.forget_runs(run_ids)
        return len(run_ids)

    def purge_analyses(self, age: timedelta, dry_run: bool = False) -> int:
        """Forget the kept answers of language models that are older than `age`; gives how many."""
        is_old = analyses.c.created_at < sa.func.now() - age
        count = sa.select(sa.func.count()).select_from(analyses).where(is_old)
        with transaction(self._engine) as connection:
            if dry_run:
                return int(connection.execute(count).scalar_one())
            return connection.execute(sa.delete(analyses).where(is_old)).rowcount

    def _purge(self, table: sa.Table, done: timedelta, dead: timedelta, dry_run: bool) -> int:
        t = table.c
        fine = t.status.in_([DeliveryStatus.DONE, DeliveryStatus.IGNORED])
        sad = t.status.in_([DeliveryStatus.FAILED, DeliveryStatus.DEAD])
        over = sa.or_(
            sa.and_(fine, t.finished_at < sa.func.now() - done),
            sa.and_(sad, t.finished_at < sa.func.now() - dead),
        )
        old = sa.select(t.id).where(t.payload.is_not(None), over)
        if dry_run:
            with single(self._engine) as connection:
                return int(connection.execute(sa.select(sa.func.count()).select_from(old.subquery())).scalar_one())
        return self._empty(table, old)

    def _empty(self, table: sa.Table, old: sa.Select[tuple[int]]) -> int:
        purge = sa.update(table).where(table.c.id.in_(old.limit(BATCH).with_for_update(skip_locked=True)))
        total = 0
        while True:
            with single(self._engine) as connection:
                count = connection.execute(purge.values(payload=sa.null())).rowcount
            total += count
            if count < BATCH:
                return total
