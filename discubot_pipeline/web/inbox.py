"""REST: what arrived for the token's team, what became of it, and doing it once more."""

from typing import Annotated

from fastapi import APIRouter, Query

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.store.inboxlist import DeliveryPlace, DeliveryRecord
from discubot_pipeline.web.access import Here, Member, actor_of
from discubot_pipeline.web.filters import OfSource, Within
from discubot_pipeline.web.pages import After, Limit, Page, cut, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api/inbox", tags=["inbox"])
Statuses = Annotated[list[DeliveryStatus] | None, Query(description="Only those that stand so; may be repeated.")]


class InboxPage(Page):
    """Deliveries, the newest first."""

    deliveries: list[DeliveryRecord]


@router.get("", responses=documented())
def list_deliveries(
    bearer: Member,
    here: Here,
    within: Within,
    status: Statuses = None,
    source: OfSource = None,
    limit: Limit = 50,
    after: After = None,
) -> InboxPage:
    """List what arrived for the team from all its sources, without payloads."""
    place = position(after, DeliveryPlace)
    found = here.stores.deliveries.page(bearer.team_id, within, place, limit, status or (), source)
    page, following = cut(found, limit, lambda delivery: delivery.place)
    return InboxPage(deliveries=list(page), next=following)


@router.get("/{id}", responses=documented(404))
def show_delivery(id: int, bearer: Member, here: Here) -> DeliveryRecord:
    """Show one delivery and its job."""
    return here.stores.deliveries.get(id, bearer.team_id)


@router.post("/{id}/replay", status_code=202, responses=documented(404, 409))
def replay(id: int, bearer: Member, here: Here) -> DeliveryRecord:
    """Run a delivery once more; tasks that are there already are not made again.

    409 when it waits, is at work or held, its source is paused, or its payload is no longer kept.
    """
    return here.stores.deliveries.replay(id, bearer.team_id, actor_of(bearer))
