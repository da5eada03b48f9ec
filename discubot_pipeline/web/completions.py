"""REST: completion hooks of the token's team, and what became of telling them. For admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from discubot_pipeline.adapters.reach import reach_of
from discubot_pipeline.admin import hooks
from discubot_pipeline.admin.hooks import HookChange, HookView, NewHook, NewHookView
from discubot_pipeline.domain.hook import HookDelivery, HookStatus
from discubot_pipeline.stages.deliver import try_out
from discubot_pipeline.store.paging import Place
from discubot_pipeline.web.access import Admin, Here, actor_of
from discubot_pipeline.web.pages import After, Limit, Page, cut, position
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api/hooks", tags=["hooks"])
OfStatus = Annotated[HookStatus | None, Query(description="Only those that stand so.")]


class HookDeliveryPage(Page):
    """What a hook was told, or is to be told, the newest first."""

    deliveries: list[HookDelivery]


@router.get("", responses=documented(403))
def list_hooks(bearer: Admin, here: Here) -> list[HookView]:
    """List the team's hooks by name."""
    return [hooks.view(hook) for hook in here.stores.hooks.of_team(bearer.team_id)]


@router.post("", status_code=201, responses=documented(403, 404, 409))
def add_hook(new: NewHook, bearer: Admin, here: Here) -> NewHookView:
    """Tell a webhook, or a channel of Slack, when jobs have ended. The secret is shown this once."""
    return hooks.add(here.stores, bearer.team_id, new, reach_of(here.settings).check, actor_of(bearer))


@router.get("/{id}", responses=documented(403, 404))
def show_hook(id: UUID, bearer: Admin, here: Here) -> HookView:
    """Show a hook."""
    return hooks.view(here.stores.hooks.get(id, bearer.team_id))


@router.patch("/{id}", responses=documented(403, 404, 409))
def change_hook(id: UUID, wanted: HookChange, bearer: Admin, here: Here) -> HookView:
    """Change a hook; what is not named stays. `active` switches it off, or on again, also after it was gone."""
    hook = here.stores.hooks.get(id, bearer.team_id)
    return hooks.change(here.stores, hook, wanted, reach_of(here.settings).check, actor_of(bearer))


@router.delete("/{id}", status_code=204, responses=documented(403, 404))
def remove_hook(id: UUID, bearer: Admin, here: Here) -> None:
    """Remove a hook, with what it was still to be told."""
    here.stores.hooks.remove(id, bearer.team_id)


@router.post("/{id}/test", status_code=204, responses=documented(403, 404))
def test_hook(id: UUID, bearer: Admin, here: Here) -> None:
    """Send the hook a test now; 422 when it refuses it, 503 when it does not answer."""
    try_out(here.stores.hooks.get(id, bearer.team_id), here.stores, here.outside)


@router.get("/{id}/deliveries", responses=documented(403, 404))
def list_hook_deliveries(
    id: UUID, bearer: Admin, here: Here, status: OfStatus = None, limit: Limit = 50, after: After = None
) -> HookDeliveryPage:
    """List what the hook was told, with what went wrong."""
    hook, place = here.stores.hooks.get(id, bearer.team_id), position(after, Place)
    found = here.stores.outbox.page(hook.id, limit, place, status)
    page, following = cut(found, limit, lambda delivery: Place(delivery.created_at, delivery.id))
    return HookDeliveryPage(deliveries=list(page), next=following)
