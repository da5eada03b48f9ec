"""Explains how tasks are mapped onto a database: for `discubot output schema`, the API and `discubot doctor`."""

from collections.abc import Iterator

from pydantic import BaseModel

from discubot_pipeline.adapters.schema import FIELDS, Choice, How, Maps, Property, Schema, option_of
from discubot_pipeline.domain.analysis import Priority, TaskType
from discubot_pipeline.domain.check import Check, failed

VALUES = {
    "priority": tuple(Priority),
    "type": tuple(TaskType),
    "status": ("To do", "In progress", "Done"),
}


class MappedField(BaseModel):
    """One field of a task: the property it goes to, how that was chosen, and the option of each value."""

    field: str
    property: str | None
    type: str | None
    how: str
    options: dict[str, str | None]


def explain(schema: Schema, maps: Maps) -> list[MappedField]:
    """List title, key and all fields with where they go."""
    key = schema.key
    fixed = [
        MappedField(field="title", property=schema.title.name, type="title", how="type", options={}),
        MappedField(
            field="key",
            property=key.name if key else None,
            type=key.type if key else None,
            how=str(How.SYNONYM if key else How.NONE),
            options={},
        ),
    ]
    return fixed + [explained(name, choice, maps) for name, choice in schema.choose(maps).items()]


def explained(name: str, choice: Choice, maps: Maps) -> MappedField:
    """Say where one field goes."""
    found, how = choice
    return MappedField(
        field=name,
        property=found.name if found else None,
        type=found.type if found else None,
        how=how.value,
        options=options_of(name, found, maps) if found else {},
    )


def options_of(name: str, found: Property, maps: Maps) -> dict[str, str | None]:
    """Say which option each value of a field becomes; None where there is none."""
    values = maps.values.get(name, {})
    if found.type not in ("select", "status", "multi_select"):
        return {}
    known = dict.fromkeys((*VALUES.get(name, ()), *values))
    return {str(value): option_of(found.options, name, str(value), values) for value in known}


def faults(schema: Schema, maps: Maps) -> Iterator[Check]:
    """Check a mapping: what a person has said must be there."""
    for name, (found, how) in schema.choose(maps).items():
        wanted = maps.fields.get(name)
        if how is How.NOT_THERE:
            yield bad(name, f"there is no property {wanted!r}", f"discubot output set --field {name}=auto")
        elif how is How.WRONG_TYPE:
            types = ", ".join(FIELDS[name].types)
            yield bad(name, f"{wanted or name!r} is of a type that cannot hold it", f"use one of the types {types}")
        elif found:
            yield from missing_options(name, found, maps)


def missing_options(name: str, found: Property, maps: Maps) -> Iterator[Check]:
    """Check that the options which a person has named are there."""
    for value, option in maps.values.get(name, {}).items():
        if found.type in ("select", "status") and option.casefold() not in map(str.casefold, found.options):
            there = ", ".join(found.options) or "none"
            yield bad(name, f"{found.name!r} has no option {option!r} for {value!r}", f"use one of: {there}")


def bad(field: str, message: str, advice: str) -> Check:
    """Report a fault of one field."""
    return failed(f"field {field}", message, advice)
