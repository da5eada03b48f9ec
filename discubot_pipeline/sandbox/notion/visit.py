"""One authenticated request to Notion, which finds only what is shared with it. Used by the endpoints."""

from dataclasses import dataclass

from discubot_pipeline.sandbox.notion.checks import Refusal, invalid, not_found
from discubot_pipeline.sandbox.notion.shapes import MIDDLE
from discubot_pipeline.sandbox.notion.state import Block, Database, DataSource, Integration, NotionState, Page
from discubot_pipeline.sandbox.wire import Call, Json


@dataclass(frozen=True)
class Visit:
    """One authenticated request: who asks, in which version, for which id, with what."""

    state: NotionState
    who: Integration
    version: str
    id: str
    body: Json
    call: Call

    def asked(self, name: str) -> str | None:
        """Return a query parameter."""
        return next((value for key, value in self.call.query if key == name), None)

    def database(self, id: str) -> Database:
        """Find a shared database."""
        found = self.state.databases.get(id)
        if found is None or not self.state.sees(self.who.token, found):
            raise not_found("database", id)
        return found

    def source(self, id: str) -> DataSource:
        """Find a data source of a shared database."""
        found = self.state.sources.get(id)
        if found is None or not self.state.sees(self.who.token, self.state.databases[found.database_id]):
            raise not_found("data_source", id)
        return found

    def sole_source(self, id: str) -> DataSource:
        """Find the one data source of a database; with several the caller must choose."""
        found = self.database(id)
        if len(found.sources) > 1:
            raise multiple(found)
        return self.state.sources[found.sources[0]]

    def page(self, id: str) -> Page:
        """Find a page that is shared."""
        found = self.state.pages.get(id)
        if found is None or not self.state.shows(self.who.token, found):
            raise not_found("page", id)
        return found

    def block(self, id: str) -> Block | Page:
        """Find a block or a page in a block's place."""
        if id in self.state.pages:
            return self.page(id)
        found = self.state.blocks.get(id)
        if found is None or not self.state.shows(self.who.token, self.state.root(found)):
            raise not_found("block", id)
        return found

    def require(self, capability: str) -> None:
        """Refuse a connection that was not given a capability."""
        if capability not in self.who.capabilities:
            raise Refusal(403, "restricted_resource", "Insufficient permissions for this endpoint.")


def multiple(database: Database) -> Refusal:
    """Refuse a database whose data source nobody named."""
    return invalid(
        "Databases with multiple data sources are not supported in this API version.",
        error_type="multiple_data_sources_for_database", database_id=database.id,
        child_data_source_ids=list(database.sources), minimum_api_version=MIDDLE,
    )  # fmt: skip
