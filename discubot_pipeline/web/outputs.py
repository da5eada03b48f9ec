"""REST: outputs of the token's team. The same words and checks as `discubot output`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from discubot_pipeline.adapters.mapping import MappedField
from discubot_pipeline.admin import outputs
from discubot_pipeline.admin.views import OutputView, output_view
from discubot_pipeline.domain.changes import NewOutput, OutputChange
from discubot_pipeline.store.records import OutputRecord
from discubot_pipeline.web.access import ERRORS, Admin, Here, IfMatch, Member, tag, version_of

router = APIRouter(prefix="/api/outputs", tags=["outputs"], responses=ERRORS)
OfSource = Annotated[UUID | None, Query(description="Only those of this source.")]
Upsert = Annotated[bool, Query(description="Change the one of that name, if there is one.")]


class NewOutputOf(NewOutput):
    """A Notion database to connect to a source, by its address or id; the first without domains becomes the default."""

    source_id: UUID


@router.get("")
def list_outputs(bearer: Member, here: Here, source_id: OfSource = None) -> list[OutputView]:
    """List the team's outputs by source and name."""
    found = here.stores.changes.outputs(bearer.team_id)
    return [output_view(each) for each in found if source_id in (None, each.output.source_config_id)]


@router.post("", status_code=201)
def add_output(new: NewOutputOf, bearer: Admin, here: Here, response: Response, upsert: Upsert = False) -> OutputView:
    """Connect a Notion database to a source."""
    config = here.stores.changes.source(new.source_id, bearer.team_id).config
    make = outputs.put if upsert else outputs.add
    return answer(make(here.stores, config, new, bearer.name), response)


@router.get("/{id}")
def show_output(id: UUID, bearer: Member, here: Here, response: Response) -> OutputView:
    """Show an output."""
    return answer(here.stores.changes.output(id, bearer.team_id), response)


@router.get("/{id}/schema")
def schema(id: UUID, bearer: Member, here: Here) -> list[MappedField]:
    """Read the database and show which property each field of a task goes to, and how that was chosen."""
    with here.outside.inspect(here.stores.changes.output(id, bearer.team_id).output) as notion:
        return notion.mapping()


@router.patch("/{id}")
def change_output(
    id: UUID, wanted: OutputChange, bearer: Admin, here: Here, response: Response, match: IfMatch = None
) -> OutputView:
    """Change an output; what is not named stays. Making it the default takes that from the one that was."""
    record = here.stores.changes.output(id, bearer.team_id)
    version = version_of(match, wanted.version)
    return answer(outputs.change(here.stores, record, wanted, version, bearer.name), response)


@router.delete("/{id}", status_code=204)
def remove_output(id: UUID, bearer: Admin, here: Here, match: IfMatch = None, version: int | None = None) -> None:
    """Remove an output; its pages and tasks stay. The default goes last."""
    record = here.stores.changes.output(id, bearer.team_id)
    outputs.remove(here.stores, record, version_of(match, version))


def answer(record: OutputRecord, response: Response) -> OutputView:
    """Answer with an output and its version."""
    tag(response, record.version)
    return output_view(record)
