"""REST: what happens to jobs, while it happens, as server-sent events. `discubot job watch` tells the same."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.facts import Level
from discubot_pipeline.domain.news import News, Place, Wanted
from discubot_pipeline.web.access import Here, Member
from discubot_pipeline.web.problems import Documented, documented

if TYPE_CHECKING:
    from discubot_pipeline.tracking.feed import Feed

router = APIRouter(prefix="/api", tags=["events"])
HEARTBEAT_SECONDS = 15.0
RETRY_MS = 2_000
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
STREAM: Documented = {
    200: {"description": "Events until the client hangs up.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}
PLACE = r"^([0-9]{1,19}(\.[0-9]{1,3})?)?$"
After = Annotated[
    str | None, Query(pattern=PLACE, description="The `id` of the last event that was received; all later ones follow.")
]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern=PLACE, description="The same, as clients send it by themselves.")
]
Least = Annotated[Level, Query(description="The least that matters, of what is logged.")]


class EventStream(StreamingResponse):
    """News as server-sent events, from the first that was missed until the end, the client's or the job's."""

    media_type = MEDIA_TYPE

    def __init__(self, feed: "Feed", wanted: Wanted, after: Place | None) -> None:
        self._feed, self._listener = feed, feed.listen(wanted, after)
        super().__init__(self._told(), headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and listen no more when that is over, however it ended."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listener.close()

    async def _told(self) -> AsyncIterator[bytes]:
        listener, loop, rung = self._listener, asyncio.get_running_loop(), asyncio.Event()
        listener.wake = lambda: loop.call_soon_threadsafe(rung.set)
        yield f"retry: {RETRY_MS}\nid: {listener.after}\n\n".encode()
        while not listener.is_over:
            rung.clear()
            try:
                in_thread = loop.run_in_executor(self._feed.readers, listener.take) if listener.has_backlog else None
                news = await in_thread if in_thread else listener.take()
            except Transient:
                return  # the client comes again, from where it has got to
            if news:
                yield b"".join(map(written, news))
            elif not listener.has_backlog and not listener.is_over and await is_silent(rung):
                yield b": nothing new\n\n"


@router.get("/jobs/{id}/events", response_class=StreamingResponse, responses=STREAM | documented(404))
def job_events(
    id: UUID, bearer: Member, here: Here, level: Least = Level.INFO, after: After = None, last: LastEventId = None
) -> EventStream:
    """Follow a job from its beginning, or from the last event that was received; closes after the job's end."""
    here.jobs.facts(str(id), bearer.team_id)
    wanted = Wanted(team_id=bearer.team_id, job_id=str(id), level=level)
    return EventStream(here.feed, wanted, place_of(last or after) or Place(0))


@router.get("/events", response_class=StreamingResponse, responses=STREAM | documented(404))
def team_events(
    bearer: Member,
    here: Here,
    job: Annotated[UUID | None, Query(description="Only of this job.")] = None,
    discussion: Annotated[UUID | None, Query(description="Only of this discussion's jobs.")] = None,
    level: Least = Level.INFO,
    after: After = None,
    last: LastEventId = None,
) -> EventStream:
    """Follow the team's jobs from now, or from the last event received; closes after the end of a named job."""
    if job:
        here.jobs.facts(str(job), bearer.team_id)
    wanted = Wanted(bearer.team_id, str(job) if job else None, discussion, level)
    return EventStream(here.feed, wanted, place_of(last or after))


def place_of(text: str | None) -> Place | None:
    """Read where a client has got to."""
    try:
        return Place.read(text) if text else None
    except ValueError as error:
        raise Permanent("cursor", "`after` takes the `id` of an event of the same stream") from error


def written(news: News) -> bytes:
    """Write one event; what has no place has no id, so that the client keeps the one before."""
    place = f"id: {news.place}\n" if news.place else ""
    return f"{place}event: {news.kind}\ndata: {news.data}\n\n".encode()


async def is_silent(rung: asyncio.Event) -> bool:
    """Wait until there is something to tell, but not for so long that somebody in between gives the connection up."""
    try:
        await asyncio.wait_for(rung.wait(), HEARTBEAT_SECONDS)
    except TimeoutError:
        return True
    return False
