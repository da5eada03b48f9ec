"""REST: who the people of the token's team are in Notion. The same words and checks as `discubot people`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from discubot_pipeline.admin import people
from discubot_pipeline.domain.changes import NewPerson, PersonChange
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.people import THRESHOLD
from discubot_pipeline.store.people import Person
from discubot_pipeline.store.tokens import Bearer
from discubot_pipeline.web.access import ERRORS, Admin, Here, Member
from discubot_pipeline.wiring import Services

router = APIRouter(prefix="/api/people", tags=["people"], responses=ERRORS)
OfSource = Annotated[UUID, Query(description="The source whose people they are.")]
Csv = Annotated[str, Body(media_type="text/csv", max_length=1_000_000)]


class NewPersonOf(NewPerson):
    """A person of a source, by the source's own user id, and who they are in Notion."""

    source_id: UUID


class Matching(BaseModel):
    """Whose people to look for; names less alike than `threshold` are not taken."""

    source_id: UUID
    threshold: float = Field(default=THRESHOLD, ge=0, le=1)


class Imported(BaseModel):
    """How many rows were taken over."""

    imported: int


@router.get("")
def list_people(bearer: Member, here: Here, source_id: UUID | None = None) -> list[Person]:
    """List the people that are known and who they are in Notion, by name."""
    return here.stores.people.of_team(bearer.team_id, source_id)


@router.post("", status_code=201)
def add_person(new: NewPersonOf, bearer: Admin, here: Here) -> Person:
    """Say by hand who a person is in Notion; who was not known yet is known from then on."""
    config = source_of(here, bearer, new.source_id)
    people.put(here.stores, config, new, bearer.name)
    found = here.stores.people.of_team(bearer.team_id, config.id)
    return next(each for each in found if each.source_user_id == new.source_user_id)


@router.post("/match")
def match(wanted: Matching, bearer: Admin, here: Here) -> people.Matched:
    """Look for people among Notion's, by e-mail address, then by name; what people said is left alone."""
    config = source_of(here, bearer, wanted.source_id)
    users = here.outside.notion_users(here.stores.configs.outputs(config))
    return people.match(here.stores, config, users, bearer.name, wanted.threshold)


@router.get("/export", response_class=PlainTextResponse)
def export_people(bearer: Member, here: Here, source_id: OfSource) -> PlainTextResponse:
    """Give a source's people as a CSV file that can be imported again."""
    config = source_of(here, bearer, source_id)
    text = people.export_csv(here.stores.people.of_team(bearer.team_id, config.id))
    return PlainTextResponse(text, media_type="text/csv")


@router.post("/import")
def import_people(text: Csv, bearer: Admin, here: Here, source_id: OfSource) -> Imported:
    """Take over a CSV file with source_user_id and notion_user_id, 1000 rows at most, all of it or nothing."""
    config = source_of(here, bearer, source_id)
    return Imported(imported=people.import_csv(here.stores, config, text, bearer.name))


@router.get("/{id}")
def show_person(id: UUID, bearer: Member, here: Here) -> Person:
    """Show a person."""
    return here.stores.people.get(id, bearer.team_id)


@router.patch("/{id}")
def change_person(id: UUID, wanted: PersonChange, bearer: Admin, here: Here) -> Person:
    """Change who a person is in Notion; null for nobody."""
    return people.change(here.stores, here.stores.people.get(id, bearer.team_id), wanted, bearer.name)


@router.delete("/{id}", status_code=204)
def remove_person(id: UUID, bearer: Admin, here: Here) -> None:
    """Forget a person and who they are in Notion."""
    here.stores.people.remove(id, bearer.team_id)


def source_of(here: Services, bearer: Bearer, id: UUID) -> SourceConfig:
    """Give a source of the bearer's team."""
    return here.stores.changes.source(id, bearer.team_id).config
