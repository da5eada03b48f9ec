"""Sets up outputs: what the command line and the REST API both call. A source with outputs has one default."""

from typing import Any

from discubot_pipeline.domain.changes import NewOutput, OutputChange, fields_patched, values_patched
from discubot_pipeline.domain.config import NotionCredentials, Output, SourceConfig
from discubot_pipeline.domain.databases import database_id_of
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.records import OutputRecord
from discubot_pipeline.store.stores import Stores


def add(stores: Stores, config: SourceConfig, new: NewOutput, actor: str) -> OutputRecord:
    """Connect a Notion database; the first output without domains becomes the default, unless it says not to."""
    database, data_source = database_id_of(new.database), data_source_of(new.data_source)
    with stores.together():
        known = [output for output in stores.configs.outputs(config) if output.active]
        first = not new.domains and not any(output.is_default for output in known)
        if new.default:
            stores.changes.undefault(config.id, actor)
        made = stores.configs.add_output(
            config,
            new.name,
            database,
            NotionCredentials(token=new.token),
            actor,
            data_source_id=data_source,
            domains=new.domains,
            is_default=first if new.default is None else new.default,
            field_map=fields_patched({}, new.field_map),
            value_map=values_patched({}, new.value_map),
        )
    return stores.changes.output(made.id, made.team_id)


def put(stores: Stores, config: SourceConfig, new: NewOutput, actor: str) -> OutputRecord:
    """Connect a Notion database, or change the output of that name to what is wanted."""
    known = [record for record in stores.changes.outputs(config.team_id) if record.output.source_config_id == config.id]
    same = next((record for record in known if record.output.name == new.name), None)
    if same is None:
        return add(stores, config, new, actor)
    names = ("database", "data_source", "token", "domains", "default", "field_map", "value_map")
    return change(stores, same, OutputChange(**new.given(*names)), same.version, actor)


def change(stores: Stores, record: OutputRecord, wanted: OutputChange, version: int, actor: str) -> OutputRecord:
    """Change an output; what is not named stays. Making it the default takes that from the one that was."""
    output = record.output
    columns = columns_of(output, wanted)
    token = NotionCredentials(token=wanted.token) if wanted.token else None
    with stores.together():
        if columns.get("is_default") and not output.is_default:
            stores.changes.undefault(output.source_config_id, actor)
        stores.changes.change_output(record, version, actor, token, **columns)
        if output.is_default and (columns.get("is_default") is False or columns.get("active") is False):
            keep_a_default(stores, output)
    return stores.changes.output(output.id, output.team_id)


def columns_of(output: Output, wanted: OutputChange) -> dict[str, Any]:
    """Write a change as columns."""
    columns = {name: value for name, value in wanted.given("name", "active").items() if value is not None}
    if wanted.database is not None:
        columns |= {"database_id": database_id_of(wanted.database), "data_source_id": None}
    if "data_source" in wanted.model_fields_set:
        columns["data_source_id"] = data_source_of(wanted.data_source)
    if wanted.domains is not None:
        columns["domains"] = list(wanted.domains)
    if wanted.default is not None:
        columns["is_default"] = wanted.default
    if wanted.field_map:
        columns["field_map"] = fields_patched(output.field_map, wanted.field_map)
    if wanted.value_map:
        columns["value_map"] = values_patched(output.value_map, wanted.value_map)
    return columns


def remove(stores: Stores, record: OutputRecord, version: int) -> None:
    """Remove an output; the default only as the last one."""
    with stores.together():
        stores.changes.remove_output(record.id, record.output.team_id, version)
        if record.output.is_default:
            keep_a_default(stores, record.output)


def keep_a_default(stores: Stores, output: Output) -> None:
    """Refuse to leave a source with outputs and no default: a task without a domain would have no place to go."""
    rest = [each for each in stores.configs.outputs(stores.configs.source(output.source_config_id)) if each.active]
    if rest and not any(each.is_default for each in rest):
        raise Permanent("default", f"output {output.name!r} is the default: make another one the default first")


def data_source_of(text: str | None) -> str | None:
    """Read a data source's id."""
    return database_id_of(text) if text else None
