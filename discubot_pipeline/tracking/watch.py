"""Hears that something has happened to jobs, reads it, and tells it in order: the thread of `feed`.

Dagster notifies after each event that it stores, and so do we after each change of a note. A lost connection is made
again and what was missed is read; what nobody notified of is found by looking now and then.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from dagster import DagsterInstance
from dagster_postgres.event_log.event_log import CHANNEL_NAME as EVENTS

from discubot_pipeline.domain.errors import Transient
from discubot_pipeline.domain.news import News
from discubot_pipeline.store.bell import Ear, overhearing
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.store.notes import CHANNEL as NOTES
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.news import is_settled, news_of, progress_of, tell_of
from discubot_pipeline.tracking.order import Order
from discubot_pipeline.tracking.past import CHUNK, read

logger = logging.getLogger(__name__)
BEFORE = 500
"""Events before the newest one that are told at the start, for those who come back after it."""
HELD_SECONDS, TURN_SECONDS, LOOK_SECONDS, AGAIN_SECONDS = 0.05, 0.5, 5.0, 0.5
"""From one look to the next: while events wait for others; whether to go on; for what nobody told; after a fault."""
JOBS_KEPT = 1_000
Tell = Callable[[Sequence[News], int], None]


class Watch:
    """Tells news with the number of the event up to which everything has been told; says when it is up to date."""

    def __init__(self, instance: Instance, dossiers: Dossiers, url: str, tell: Tell, ready: Callable[[], None]) -> None:
        self._instance, self._dossiers, self._url = instance, dossiers, url
        self._tell, self._ready = tell, ready
        self._order: Order | None = None
        self._looked_at = 0.0
        self._progress: OrderedDict[str, str] = OrderedDict()

    def run(self, is_needed: Callable[[], bool]) -> None:
        """Work as long as it is needed, whatever happens to the database."""
        while is_needed():
            try:
                with overhearing(self._url, (EVENTS, NOTES)) as ear:
                    self._look()
                    while is_needed():
                        self._turn(ear)
            except Transient as error:
                logger.warning("feed_interrupted", extra={"reason": error.reason})
                time.sleep(AGAIN_SECONDS)
            except Exception:
                logger.exception("feed_failed")
                time.sleep(AGAIN_SECONDS)

    def _turn(self, ear: Ear) -> None:
        is_waiting = self._order is not None and self._order.is_waiting
        heard = ear.hear(HELD_SECONDS if is_waiting else TURN_SECONDS)
        if heard or is_waiting or time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._look()
        noted = {run_id for channel, run_id in heard if channel == NOTES}
        if noted:
            self._look_at_notes(noted)

    def _look(self) -> None:
        """Tell all events that have come and may be told."""
        with self._instance.reading() as instance:
            order = self._order or self._begin(instance)
            while self._tell_next(instance, order) == CHUNK:
                pass
        self._looked_at = time.monotonic()
        if not order.is_waiting:
            self._ready()

    def _begin(self, instance: DagsterInstance) -> Order:
        newest = instance.event_log_storage.get_maximum_record_id() or 0
        self._order = order = Order(max(newest - BEFORE, 0), newest, time.monotonic())
        self._tell([], order.last)
        return order

    def _tell_next(self, instance: DagsterInstance, order: Order) -> int:
        """Tell the next events, and give how many those were."""
        records = {each.storage_id: each for each in read(instance, None, order.last)}
        told = tell_of(instance, self._dossiers, list({each.run_id for each in records.values()}))

        def is_whole(number: int) -> bool:
            event = records[number].event_log_entry
            return is_settled(instance, event, told.get(event.run_id))

        passing = [records[number] for number in order.passing(list(records), is_whole, time.monotonic())]
        known = [(each, told[each.run_id]) for each in passing if each.run_id in told]
        self._tell([piece for each, its in known for piece in news_of(each, its)], order.last)
        return len(passing)

    def _look_at_notes(self, run_ids: Collection[str]) -> None:
        """Tell how far some jobs have come, where that has changed."""
        with self._instance.reading() as instance:
            told = tell_of(instance, self._dossiers, list(run_ids))
        news = [each for its in told.values() if (each := progress_of(its)) and self._is_new(each)]
        if news and self._order:
            self._tell(news, self._order.last)

    def _is_new(self, progress: News) -> bool:
        if self._progress.get(progress.job_id) == progress.data:
            return False
        self._progress[progress.job_id] = progress.data
        if len(self._progress) > JOBS_KEPT:
            self._progress.popitem(last=False)
        return True
