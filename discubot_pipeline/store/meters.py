"""The sums of all that jobs measure, in whichever process. Written at the end of a run, read by `/metrics`."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline.domain.meters import Meter, Sum
from discubot_pipeline.store.engine import single, transaction
from discubot_pipeline.store.tables import meters


class Meters:
    """The meters table: as many rows as there are labels, however many jobs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, amounts: Mapping[Sum, float]) -> None:
        """Add to sums, in one order, so that no two runs wait for each other.

        Nobody waits for the disk: all runs write these rows, and after a crash the last few sums may be missing.
        """
        rows = [{"meter": name.meter, "labels": list(name.labels), "total": amounts[name]} for name in sorted(amounts)]
        if not rows:
            return
        insert = pg.insert(meters)
        sums = {"total": meters.c.total + insert.excluded.total, "updated_at": sa.func.now()}
        with transaction(self._engine) as connection:
            connection.execute(sa.select(sa.func.set_config("synchronous_commit", "off", True)))
            connection.execute(insert.on_conflict_do_update(index_elements=["meter", "labels"], set_=sums), rows)

    def read(self) -> dict[Sum, float]:
        """Give all sums."""
        m = meters.c
        wanted = sa.select(m.meter, m.labels, m.total).where(m.meter.in_(list(Meter))).order_by(m.meter, m.labels)
        with single(self._engine) as connection:
            return {Sum(Meter(name), tuple(labels)): total for name, labels, total in connection.execute(wanted)}
