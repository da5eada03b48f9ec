"""Asks for operations in the name of a person. Shared by the REST API and the command line."""

from uuid import UUID

from discubot_pipeline.domain.operations import NewDelete, NewExport, NewImport, NewStatistics, Operation
from discubot_pipeline.store.stores import Stores


def ask(stores: Stores, team_id: UUID, new: NewImport | NewDelete | NewExport | NewStatistics, actor: str) -> Operation:
    """Put an operation into its inbox; an import's lines are kept apart from what people are shown."""
    if isinstance(new, NewImport):
        lines = new.params.lines.rstrip("\n").split("\n")
        return stores.operations.ask(team_id, new.kind, {}, actor, lines)
    params = new.params.model_dump(mode="json", exclude_none=True)
    return stores.operations.ask(team_id, new.kind, params, actor)
