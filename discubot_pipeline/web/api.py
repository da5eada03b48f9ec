"""The REST API. So far: what became of a delivery."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from discubot_pipeline.domain.delivery import Delivery, DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import RunOutcome, Stage
from discubot_pipeline.store.tokens import Bearer
from discubot_pipeline.web.auth import bearer_of
from discubot_pipeline.web.hooks import services_of
from discubot_pipeline.wiring import Services

router = APIRouter(prefix="/api")


class JobOfDelivery(BaseModel):
    """The job that works or worked on a delivery, as far as it has come."""

    id: str
    stage: Stage | None
    outcome: RunOutcome | None
    reason: str | None


class InboxRow(BaseModel):
    """One delivery, without its payload."""

    id: int
    source: SourceType
    status: DeliveryStatus
    reason: str | None
    thread: str | None
    discussion_id: UUID | None
    received_at: datetime
    job: JobOfDelivery | None


@router.get("/inbox/{id}")
def delivery(
    id: int,
    bearer: Annotated[Bearer, Depends(bearer_of)],
    services: Annotated[Services, Depends(services_of)],
) -> InboxRow:
    """Show one delivery of the token's team and its job."""
    for inbox in services.stores.inboxes.values():
        found = inbox.get(id, bearer.team_id)
        if found:
            return row_of(found, services)
    raise Permanent("not_found", f"there is no delivery {id}")


def row_of(delivery: Delivery, services: Services) -> InboxRow:
    """Put a delivery and its job together."""
    note = services.stores.notes.get(delivery.run_id) if delivery.run_id else None
    job = JobOfDelivery(id=note.run_id, stage=note.stage, outcome=note.outcome, reason=note.reason) if note else None
    return InboxRow(
        id=delivery.id,
        source=delivery.source,
        status=delivery.status,
        reason=delivery.reason,
        thread=delivery.thread_id,
        discussion_id=delivery.discussion_id,
        received_at=delivery.received_at,
        job=job,
    )
