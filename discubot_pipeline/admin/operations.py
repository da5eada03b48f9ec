"""Asks for operations in the name of a person. Shared by the REST API and the command line."""

from collections.abc import Iterator
from uuid import UUID

from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.operations import (
    NewDelete,
    NewExport,
    NewImport,
    NewStatistics,
    Operation,
    OperationKind,
)
from discubot_pipeline.store.stores import Stores


def ask(stores: Stores, team_id: UUID, new: NewImport | NewDelete | NewExport | NewStatistics, actor: str) -> Operation:
    """Put an operation into its inbox; an import's lines are kept apart from what people are shown."""
    if isinstance(new, NewImport):
        lines = new.params.lines.rstrip("\n").split("\n")
        return stores.operations.ask(team_id, new.kind, {}, actor, lines)
    params = new.params.model_dump(mode="json", exclude_none=True)
    return stores.operations.ask(team_id, new.kind, params, actor)


def fetched(stores: Stores, operation: Operation) -> Iterator[str]:
    """Give what an export has written, a piece at a time. Raises `not_found` or `waiting` where there is nothing."""
    if operation.kind is not OperationKind.EXPORT:
        raise Permanent("not_found", f"operation {operation.id} is no export")
    if operation.status is not DeliveryStatus.DONE:
        raise Permanent("waiting", "this export is not done")
    pieces = (stores.operations.chunk(operation.id, number) for number in range(operation.result.position))
    return ("".join(f"{line}\n" for line in piece.lines) for piece in pieces if piece)
