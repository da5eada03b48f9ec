"""Looks at an output's Notion connection and database and says what is wrong. For `discubot doctor`."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from discubot_pipeline.adapters.directory import users_of
from discubot_pipeline.adapters.http import Pace, no_pace
from discubot_pipeline.adapters.mapping import MappedField, explain, faults
from discubot_pipeline.adapters.notion import API_URL, VERSION, resolve
from discubot_pipeline.adapters.notionapi import Notion
from discubot_pipeline.adapters.schema import KEY, Maps, Schema
from discubot_pipeline.domain.check import Check, failed, passed, skipped
from discubot_pipeline.domain.config import Output
from discubot_pipeline.domain.errors import Permanent, PipelineError
from discubot_pipeline.domain.people import NotionUser

ADVICE = {
    "unauthorized": "enter the connection's present token: discubot output set --token -",
    "not_found": "in Notion, open the database's menu, Connections, and add the connection",
    "forbidden": "give the connection the capabilities to read, insert and update content",
    "ambiguous_data_source": "choose one: discubot output set --data-source ID",
    "malformed": "enter the database's link: discubot output set --database LINK",
    "rate_limited": "wait a minute and look again",
}


class NotionInspector:
    """Reads what an output's connection sees. Use as a context manager, or call `close`."""

    def __init__(self, output: Output, base_url: str = API_URL, version: str = VERSION, pace: Pace = no_pace) -> None:
        self._output = output
        self._maps = Maps(output.field_map, output.value_map)
        self._notion = Notion(output.credentials.token.get_secret_value(), base_url, version, pace)

    def mapping(self) -> list[MappedField]:
        """Say which property each field of a task goes to, and how that was chosen."""
        return explain(self._schema(), self._maps)

    def users(self) -> list[NotionUser]:
        """List the people of the workspace, as far as the connection may see them."""
        return list(users_of(self._notion))

    def is_there(self) -> bool:
        """Ask Notion for a sign of life."""
        return bool(self._notion.read("GET", "/v1/users/me").get("id"))

    def checks(self) -> Iterator[Check]:
        """Check connection, database, key property and mapping; what depends on a fault is left out."""
        try:
            me = self._notion.read("GET", "/v1/users/me")
            yield passed("connection", f"the token speaks for {me.get('name') or me.get('id')}")
        except PipelineError as error:
            yield fault("connection", error)
            return
        try:
            schema = self._schema()
        except PipelineError as error:
            yield fault("database", error)
            return
        yield passed("database", f"{len(schema.properties)} properties, the title is {schema.title.name!r}")
        yield key_check(schema)
        found = list(faults(schema, self._maps))
        yield from found or [passed("mapping", in_short(explain(schema, self._maps)))]
        yield from self._people()

    def close(self) -> None:
        """Close the connections."""
        self._notion.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _schema(self) -> Schema:
        return resolve(self._notion, self._output).schema

    def _people(self) -> Iterator[Check]:
        try:
            people = self._notion.read("GET", "/v1/users", params={"page_size": "1"}).get("results", [])
            yield passed("people", "the connection may see people" if people else "there are no people")
        except Permanent as error:
            if error.reason != "forbidden":
                yield fault("people", error)
                return
            yield skipped("people", "the connection may not see people", "give it the user capabilities for assignees")
        except PipelineError as error:
            yield fault("people", error)


def in_short(fields: list[MappedField]) -> str:
    """Name the property of each field, its type and how it was chosen; then the fields and values without a place."""
    said = [f"{each.field} → {each.property} ({each.type}, {each.how})" for each in fields if each.property]
    lost = [each.field for each in fields if not each.property]
    lost += [f"{each.field}.{value}" for each in fields for value, option in each.options.items() if option is None]
    return ", ".join(said) + (f"; without a place: {', '.join(lost)}" if lost else "")


def key_check(schema: Schema) -> Check:
    """Look for the property that holds our key; one of another type is of no use."""
    if schema.key is not None:
        return passed("key property", f"{schema.key.name!r}")
    advice = "add a text property named “Discubot key”: pages are then found by it after a crash"
    wrong = next((found for found in schema.by_names(KEY.names[:2]) if found.type not in KEY.types), None)
    if wrong is not None:
        return failed("key property", f"{wrong.name!r} is of type {wrong.type}, not text", advice)
    return skipped("key property", "there is none: after a crash pages are looked for by title and time", advice)


def fault(name: str, error: PipelineError) -> Check:
    """Report what Notion refused."""
    return failed(name, error.message, ADVICE.get(error.reason))
