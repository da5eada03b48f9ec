"""REST: the token's team and its sources. The same words and checks as `discubot team` and `discubot source`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from discubot_pipeline.admin import sources, teams
from discubot_pipeline.admin.views import SourceView, TeamView, source_view, team_view
from discubot_pipeline.domain.changes import Held, NewSource, SourceChange, TeamChange
from discubot_pipeline.store.held import HeldDelivery
from discubot_pipeline.store.records import SourceRecord
from discubot_pipeline.web.access import ERRORS, Admin, Here, IfMatch, Member, tag, version_of
from discubot_pipeline.wiring import Services

router = APIRouter(prefix="/api", responses=ERRORS)
Upsert = Annotated[bool, Query(description="Change the one of that name, if there is one.")]


class Resume(BaseModel):
    """What becomes of the deliveries that were held."""

    held: Held | None = None


class Settle(BaseModel):
    """What becomes of deliveries that are held: all, or those with the ids."""

    held: Held
    ids: list[int] | None = None


class Settled(BaseModel):
    """How many deliveries it was done to."""

    held: Literal["release", "drop"]
    count: int = Field(ge=0)


@router.get("/team", tags=["team"])
def show_team(bearer: Member, here: Here, response: Response) -> TeamView:
    """Show the token's team with its preferences and what they come to."""
    team = here.stores.configs.team_of(bearer.team_id)
    tag(response, team.version)
    return team_view(team)


@router.patch("/team", tags=["team"])
def change_team(wanted: TeamChange, bearer: Admin, here: Here, response: Response, match: IfMatch = None) -> TeamView:
    """Change the token's team; what is not named stays, a preference that is null goes back to its default."""
    team = here.stores.configs.team_of(bearer.team_id)
    team = teams.change(here.stores, team, wanted, version_of(match, wanted.version), bearer.name)
    tag(response, team.version)
    return team_view(team)


@router.get("/sources", tags=["sources"])
def list_sources(bearer: Member, here: Here) -> list[SourceView]:
    """List the team's sources by name."""
    return [view(here, record) for record in here.stores.changes.sources(bearer.team_id)]


@router.post("/sources", status_code=201, tags=["sources"])
def add_source(new: NewSource, bearer: Admin, here: Here, response: Response, upsert: Upsert = False) -> SourceView:
    """Connect a source; give its `webhook` to the other side."""
    make = sources.put if upsert else sources.add
    team = here.stores.configs.team_of(bearer.team_id)
    return answer(here, make(here.stores, team, new, bearer.name), response)


@router.get("/sources/{id}", tags=["sources"])
def show_source(id: UUID, bearer: Member, here: Here, response: Response) -> SourceView:
    """Show a source with its preferences and what they come to."""
    return answer(here, here.stores.changes.source(id, bearer.team_id), response)


@router.patch("/sources/{id}", tags=["sources"])
def change_source(
    id: UUID, wanted: SourceChange, bearer: Admin, here: Here, response: Response, match: IfMatch = None
) -> SourceView:
    """Change a source; what is not named stays, a preference that is null goes back to its team's."""
    record = here.stores.changes.source(id, bearer.team_id)
    changed = sources.change(here.stores, record, wanted, version_of(match, wanted.version), bearer.name)
    return answer(here, changed, response)


@router.delete("/sources/{id}", status_code=204, tags=["sources"])
def remove_source(id: UUID, bearer: Admin, here: Here, match: IfMatch = None, version: int | None = None) -> None:
    """Remove a source with its outputs, deliveries and people; discussions and tasks stay."""
    here.stores.changes.source(id, bearer.team_id)
    here.stores.changes.remove_source(id, bearer.team_id, version_of(match, version))


@router.post("/sources/{id}/pause", tags=["sources"])
def pause(id: UUID, bearer: Admin, here: Here, response: Response) -> SourceView:
    """Hold what arrives from now on: it is verified and kept, and not worked on."""
    record = here.stores.changes.source(id, bearer.team_id)
    return answer(here, sources.pause(here.stores, record, record.version, bearer.name), response)


@router.post("/sources/{id}/resume", tags=["sources"])
def resume(id: UUID, wanted: Resume, bearer: Admin, here: Here, response: Response) -> SourceView:
    """Work on what arrives again; what was held is released or dropped."""
    record = here.stores.changes.source(id, bearer.team_id)
    resumed = sources.resume(here.stores, record, wanted.held, record.version, bearer.name)
    return answer(here, resumed, response)


@router.post("/sources/{id}/rotate", tags=["sources"])
def rotate(id: UUID, bearer: Admin, here: Here, response: Response) -> SourceView:
    """Give a source a new webhook address; the old one is unknown from then on."""
    record = here.stores.changes.source(id, bearer.team_id)
    return answer(here, sources.rotate(here.stores, record, record.version, bearer.name), response)


@router.get("/sources/{id}/held", tags=["sources"])
def list_held(id: UUID, bearer: Member, here: Here) -> list[HeldDelivery]:
    """List the deliveries that are held, oldest first, 200 at most."""
    return here.stores.held.of(here.stores.changes.source(id, bearer.team_id).config)


@router.post("/sources/{id}/held", tags=["sources"])
def settle(id: UUID, wanted: Settle, bearer: Admin, here: Here) -> Settled:
    """Release or drop deliveries that are held."""
    config = here.stores.changes.source(id, bearer.team_id).config
    count = sources.settle(here.stores, config, wanted.held, bearer.name, wanted.ids)
    return Settled(held=wanted.held, count=count)


def view(here: Services, record: SourceRecord) -> SourceView:
    """Show a source as this installation knows it."""
    return source_view(record, here.settings.receiver_url, here.stores.held.count(record.config))


def answer(here: Services, record: SourceRecord, response: Response) -> SourceView:
    """Answer with a source and its version."""
    tag(response, record.version)
    return view(here, record)
