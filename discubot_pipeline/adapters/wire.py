"""JSON of other services, made fit for the database. Used by archives."""

from typing import Any


def storable(value: Any) -> Any:
    """Take out of JSON what the database refuses: NUL characters and halves of surrogate pairs."""
    match value:
        case str():
            return value.replace("\0", "").encode(errors="replace").decode()
        case list():
            return [storable(each) for each in value]
        case dict():
            return {storable(name): storable(each) for name, each in value.items()}
    return value
