"""REST: discussions of the token's team, with their messages and tasks; written by members, deleted by admins."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from discubot_pipeline.admin import discussions
from discubot_pipeline.domain.contributions import DiscussionChange, NewDiscussion, NewMessage
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.store.catalogue import DiscussionBrief, DiscussionRecord
from discubot_pipeline.store.messages import MessagePlace, MessageRecord
from discubot_pipeline.store.paging import Place
from discubot_pipeline.store.tasklist import PlaceInDiscussion
from discubot_pipeline.web.access import Admin, Here, IfMatch, Member, actor_of, tag, version_of
from discubot_pipeline.web.filters import OfSource, Within
from discubot_pipeline.web.pages import After, Limit, Page, cut, position
from discubot_pipeline.web.problems import documented
from discubot_pipeline.web.tasks import TaskPage

router = APIRouter(prefix="/api/discussions", tags=["discussions"])
Statuses = Annotated[list[DiscussionStatus] | None, Query(description="Only those that stand so; may be repeated.")]
ETAG: Any = {"headers": {"ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}}}}


class DiscussionPage(Page):
    """Discussions, the newest first. `warning` says why counts are missing, where they are."""

    discussions: list[DiscussionBrief]
    warning: str | None


class MadeDiscussion(DiscussionRecord):
    """A discussion that was just made; `delivery_id` is what its job can be followed by, where one was asked for."""

    delivery_id: int | None


class MessagePage(Page):
    """Messages in the order of their thread."""

    messages: list[MessageRecord]


@router.get("", responses=documented())
def list_discussions(
    bearer: Member,
    here: Here,
    within: Within,
    status: Statuses = None,
    source: OfSource = None,
    limit: Limit = 50,
    after: After = None,
) -> DiscussionPage:
    """List the team's discussions by when they began, with how many messages each has."""
    place = position(after, Place)
    found = here.stores.catalogue.page(bearer.team_id, within, place, limit, status or (), source)
    page, following = cut(found.discussions, limit, lambda discussion: discussion.place)
    return DiscussionPage(discussions=list(page), next=following, warning=found.warning)


@router.post("", status_code=201, responses=documented(400, 404, 409) | {201: ETAG})
def create_discussion(new: NewDiscussion, bearer: Member, here: Here, response: Response) -> MadeDiscussion:
    """Write a discussion and its first messages, all or nothing; a job reads it only with `process`."""
    id, delivery_id = discussions.create(here.stores, bearer.team_id, new, actor_of(bearer))
    made = here.stores.catalogue.get(id, bearer.team_id)
    tag(response, made.version)
    response.headers["Location"] = f"/api/discussions/{id}"
    return MadeDiscussion(**made.model_dump(), delivery_id=delivery_id)


@router.get("/{id}", responses=documented(404) | {200: ETAG})
def show_discussion(id: UUID, bearer: Member, here: Here, response: Response) -> DiscussionRecord:
    """Show a discussion with what was found in it, its jobs and its tasks."""
    return answer(here.stores.catalogue.get(id, bearer.team_id), response)


@router.patch("/{id}", responses=documented(400, 404, 409, 428) | {200: ETAG})
def rename_discussion(
    id: UUID, wanted: DiscussionChange, bearer: Member, here: Here, response: Response, match: IfMatch = None
) -> DiscussionRecord:
    """Give a discussion another title; 409 with the version it has now when somebody was faster."""
    version = version_of(match, wanted.version)
    here.stores.catalogue.rename(id, bearer.team_id, version, wanted.title, actor_of(bearer))
    return answer(here.stores.catalogue.get(id, bearer.team_id), response)


@router.delete("/{id}", status_code=204, responses=documented(403, 404, 409, 428))
def delete_discussion(id: UUID, bearer: Admin, here: Here, match: IfMatch = None) -> None:
    """Delete a discussion with its messages and tasks; pages in Notion stay. 409 while a job works on it."""
    version = version_of(match, None) if match is not None else None
    here.stores.catalogue.remove(id, bearer.team_id, version)


@router.get("/{id}/messages", responses=documented(404))
def list_messages(id: UUID, bearer: Member, here: Here, limit: Limit = 50, after: After = None) -> MessagePage:
    """Read the messages of a discussion, the first one first."""
    place = position(after, MessagePlace)
    here.stores.catalogue.get(id, bearer.team_id)
    page, following = cut(here.stores.messages.page(id, place, limit), limit, lambda message: message.place)
    return MessagePage(messages=list(page), next=following)


@router.post("/{id}/messages", status_code=201, responses=documented(400, 404, 409))
def add_message(id: UUID, new: NewMessage, bearer: Member, here: Here) -> MessageRecord:
    """Add a message at the end of a discussion; the next job that reads it takes it into account."""
    [made] = here.stores.messages.add(id, bearer.team_id, [new], actor_of(bearer))
    return made


@router.get("/{id}/tasks", responses=documented(404))
def list_tasks_of_discussion(id: UUID, bearer: Member, here: Here, limit: Limit = 50, after: After = None) -> TaskPage:
    """List the tasks of a discussion in their order."""
    place = position(after, PlaceInDiscussion)
    here.stores.catalogue.get(id, bearer.team_id)
    found = here.stores.tasklist.of_discussion(id, place, limit)
    page, following = cut(found, limit, lambda task: task.place_in_discussion)
    return TaskPage(tasks=list(page), next=following)


def answer(discussion: DiscussionRecord, response: Response) -> DiscussionRecord:
    """Answer with a discussion and its version."""
    tag(response, discussion.version)
    return discussion
