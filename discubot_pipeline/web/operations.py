"""REST: operations on many discussions. Asked for here, done by a job, their results fetched here."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from discubot_pipeline.admin.operations import ask, fetched
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.operations import NewOperation, Operation
from discubot_pipeline.store.paging import Place
from discubot_pipeline.web.access import Here, Member, actor_of, admin_of
from discubot_pipeline.web.pages import After, Limit, Page, cut, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api/operations", tags=["operations"])
MEDIA_TYPE = "application/x-ndjson"


class OperationPage(Page):
    """Operations, the newest first."""

    operations: list[Operation]


class AcceptedOperation(BaseModel):
    """What was asked for."""

    job_id: UUID = Field(description="Known at once under /api/operations/{id}, which names the run once there is one.")
    status: DeliveryStatus


@router.post("", status_code=202, responses=documented(403))
def ask_for_operation(
    wanted: Annotated[NewOperation, Body()], bearer: Member, here: Here, response: Response
) -> AcceptedOperation:
    """Ask for an import, a deletion, an export or new figures; importing and deleting takes an admin."""
    if not wanted.kind.is_audit:
        admin_of(bearer)
    made = ask(here.stores, bearer.team_id, wanted, actor_of(bearer))
    response.headers["Location"] = f"/api/operations/{made.id}"
    return AcceptedOperation(job_id=made.id, status=made.status)


@router.get("", responses=documented())
def list_operations(bearer: Member, here: Here, limit: Limit = 50, after: After = None) -> OperationPage:
    """List the team's operations."""
    found = here.stores.operations.page(bearer.team_id, position(after, Place), limit)
    page, following = cut(found, limit, lambda operation: Place(operation.created_at, operation.id))
    return OperationPage(operations=list(page), next=following)


@router.get("/{id}", responses=documented(404))
def show_operation(id: UUID, bearer: Member, here: Here) -> Operation:
    """Show an operation: how it stands, what came of it, and its run once there is one."""
    return here.stores.operations.get(id, bearer.team_id)


@router.get(
    "/{id}/lines",
    response_class=StreamingResponse,
    responses=documented(404, 409) | {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def fetch_lines(id: UUID, bearer: Member, here: Here) -> StreamingResponse:
    """Fetch what an export has written: JSON lines, one discussion each. 409 until it is done."""
    operation = here.stores.operations.get(id, bearer.team_id)
    return StreamingResponse(fetched(here.stores, operation), media_type=MEDIA_TYPE)
