"""What one process has read of a database's schema, the others need not read again, unless something has changed."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from discubot_pipeline.adapters.http import no_pace
from discubot_pipeline.adapters.notion import NotionTracker
from discubot_pipeline.adapters.shelf import SCHEMA_TTL, MemoryShelf
from discubot_pipeline.domain.config import Output
from discubot_pipeline.store.people import KnownPeople
from discubot_pipeline.store.schemas import FRESH, KeptSchema
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import schemas
from tests.adapters.notion_space import Workspace, workspace
from tests.adapters.tracker_conformance import make_draft
from tests.conftest import Sandbox
from tests.store.samples import ago, change

TARGET = {"parent": {"database_id": "d"}, "path": "/v1/databases/d", "schema": {"properties": []}}


@pytest.fixture
def kept(engine: sa.Engine, output: Output) -> KeptSchema:
    """Give the place of an output's schema."""
    return KeptSchema(engine, output)


def test_a_schema_is_kept_for_all_processes(engine: sa.Engine, kept: KeptSchema, output: Output) -> None:
    """Another store over the same database finds it; dropping it is seen too."""
    assert kept.get() is None
    kept.put({"path": "first"})
    kept.put(TARGET)
    assert KeptSchema(engine, output).get() == TARGET
    kept.drop()
    assert KeptSchema(engine, output).get() is None


def test_a_change_of_the_output_forgets_it(engine: sa.Engine, kept: KeptSchema, output: Output) -> None:
    """Another version may stand for another database."""
    kept.put(TARGET)
    assert KeptSchema(engine, output.model_copy(update={"version": 2})).get() is None


def test_a_schema_gets_old(engine: sa.Engine, kept: KeptSchema) -> None:
    """A minute younger is given, a minute older not."""
    kept.put(TARGET)
    minutes = FRESH.total_seconds() / 60
    change(engine, schemas, fetched_at=ago(minutes=minutes - 1))
    assert kept.get() == TARGET
    change(engine, schemas, fetched_at=ago(minutes=minutes + 1))
    assert kept.get() is None


def test_an_output_that_is_gone_keeps_nothing(stores: Stores, kept: KeptSchema, output: Output) -> None:
    """A run that is still at work is not disturbed."""
    stores.changes.remove_output(output.id, output.team_id, 1)
    kept.put(TARGET)
    assert kept.get() is None


def test_in_memory_it_gets_old_too() -> None:
    """By the clock it was given."""
    now = [0.0]
    shelf = MemoryShelf(lambda: now[0])
    shelf.put(TARGET)
    now[0] = SCHEMA_TTL.total_seconds() - 1
    assert shelf.get() == TARGET
    now[0] += 1
    assert shelf.get() is None


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a Notion database."""
    with workspace(sandbox) as space:
        yield space


def test_workers_read_the_schema_once(engine: sa.Engine, output: Output, space: Workspace) -> None:
    """Three trackers with nothing in common but the database; when a page is refused it is read again."""

    def make() -> None:
        mine = space.output(id=output.id)
        known, shelf = KnownPeople(engine, output.source_config_id), KeptSchema(engine, mine)
        url = f"{space.sandbox.url}/notion"
        with NotionTracker(mine, url, space.version, no_pace, known, shelf) as tracker:
            tracker.create(make_draft())

    def reads() -> int:
        return len([call for call in space.calls() if call.startswith(("GET /data_sources", "GET /databases"))])

    make()
    first = reads()
    make()
    make()
    assert reads() == first > 0
    space.fault("^POST /pages$", "status", status=400, times=2)
    make()
    assert reads() == 2 * first
