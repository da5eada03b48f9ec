"""Imports threads of the past: writes a delivery for each, and knows where to go on when it is interrupted.

Called by the op of `backfill_job`. The deliveries are then worked on like any other, but after them, and silently.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from discubot_pipeline.domain.backfill import Backfill, Span, Tally, Trouble
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import Job, Trigger, backoff
from discubot_pipeline.ports import Archive, Listed, Outside
from discubot_pipeline.store.imports import writer_of
from discubot_pipeline.store.stores import Stores

STEP = "import_threads"
MOST_TRIES = 5
LONGEST_PAUSE = timedelta(minutes=10)
OUTAGE = 3
"""When so many threads in a row cannot be read, it is not the threads."""
Pause = Callable[[timedelta], None]
Tell = Callable[[Tally, Trouble | None], None]


def backfill(wanted: Backfill, job: Job, stores: Stores, outside: Outside, pause: Pause, tell: Tell) -> Tally:
    """Import what is wanted, from where an interrupted run of the chain stopped; `tell` hears of each step.

    Raises Permanent when nothing at all could be read, Transient when the source is down: another run goes on then.
    """
    config = source_of(wanted, stores)
    span = Span.of(wanted.since, wanted.until, config.preferences.time_zone, outside.clock.now())
    with closing(outside.archive(config, wanted)) as archive:
        here = Import(wanted, config, archive, span, job, stores, pause, tell)
        tally, places = here.begin(), archive.places(wanted.places)
        for place in places[tally.places :]:
            tally = here.read(place, tally)
    if tally.seen == 0 and len(tally.troubles) == len(places) > 0:
        here.keep(Tally())
        raise Permanent(tally.troubles[0].reason, tally.troubles[0].message)
    return here.keep(tally.model_copy(update={"is_complete": True}))


def source_of(wanted: Backfill, stores: Stores) -> SourceConfig:
    """Find the source that is meant."""
    team = stores.configs.team(wanted.team)
    found = [config for config in stores.configs.sources(team_id=team.id) if config.name == wanted.source]
    if not found:
        raise Permanent("unknown_source", f"team {wanted.team} has no source {wanted.source!r}")
    return found[0]


@dataclass(frozen=True)
class Import:
    """One run of an import."""

    wanted: Backfill
    config: SourceConfig
    archive: Archive
    span: Span
    job: Job
    stores: Stores
    pause: Pause
    tell: Tell

    def begin(self) -> Tally:
        """Go on with what the run before this one has left; after a complete import, begin again."""
        ids = (self.job.run_id, self.job.parent_run_id)
        left = next((found for id in ids if id and (found := self.stores.steps.output(id, STEP))), None)
        tally = Tally.model_validate(left) if left else Tally()
        return self.keep(Tally() if tally.is_complete else tally)

    def keep(self, tally: Tally) -> Tally:
        """Write down how far it is."""
        self.stores.steps.store_output(self.job.run_id, STEP, tally.model_dump(mode="json"))
        return tally

    def read(self, place: str, tally: Tally) -> Tally:
        """Import the threads of one place; one that cannot be listed is an error among others."""
        in_a_row = 0
        try:
            for listed in self.list(place, tally.position):
                try:
                    tally, in_a_row = self.take(listed, tally), 0
                except (Permanent, Transient) as error:
                    in_a_row = in_a_row + 1 if isinstance(error, Transient) else 0
                    if in_a_row == OUTAGE:
                        raise
                    tally = self.miss(Trouble.of(listed.name, error), listed, tally)
        except Permanent as error:
            trouble = Trouble.of(place, error)
            self.tell(tally, trouble)
            return self.keep(tally.past_place(trouble))
        return self.keep(tally.past_place())

    def list(self, place: str, after: str | None) -> Iterator[Listed]:
        """List the threads of a place; after a pause that the source asks for, from where it stopped."""
        tries = 0
        while True:
            try:
                for listed in self.archive.threads(place, self.span, after):
                    tries, after = 0, listed.position
                    yield listed
                return
            except Transient as error:
                tries += 1
                self.wait(error, tries)

    def take(self, listed: Listed, tally: Tally) -> Tally:
        """Write the delivery of one thread, if it is wanted, and count it, both or neither."""
        arrival = self.open(listed)
        with self.stores.together():
            met = tally.met(self.store(arrival), listed.position, listed.began_at)
            self.keep(met)
        self.tell(met, None)
        return met

    def open(self, listed: Listed) -> Arrival | None:
        """Read one thread, more than once if need be."""
        tries = 0
        while True:
            try:
                return self.archive.arrival(listed, self.wanted.every)
            except Transient as error:
                tries += 1
                self.wait(error, tries)

    def store(self, arrival: Arrival | None) -> str:
        """Write a delivery; says as what the thread counts."""
        if arrival is None:
            return "passed"
        if arrival.message_key is None and self.is_known(arrival):
            return "known"
        inbox = self.stores.inboxes[self.config.source]
        stored = inbox.store(self.config, arrival, trigger=Trigger.BACKFILL, created_by=writer_of(self.job.root_run_id))
        return "stored" if stored.is_new else "known"

    def is_known(self, arrival: Arrival) -> bool:
        """Say whether a thread in which nobody asked has been worked on, or is about to be."""
        id = discussion_id(self.config.team_id, self.config.source, arrival.thread_id or "")
        inbox = self.stores.inboxes[self.config.source]
        return self.stores.discussions.get(id) is not None or bool(inbox.of_discussion(id))

    def miss(self, trouble: Trouble, listed: Listed, tally: Tally) -> Tally:
        """Leave a thread out that cannot be read, and write down why."""
        met = tally.met("troubled", listed.position, listed.began_at).noting(trouble)
        self.tell(met, trouble)
        return self.keep(met)

    def wait(self, error: Transient, tries: int) -> None:
        """Pause for as long as the source asks for; raise what lasts too long."""
        pause = error.retry_after or backoff(tries, 0)
        if tries >= MOST_TRIES or pause > LONGEST_PAUSE:
            raise error
        self.pause(pause)
