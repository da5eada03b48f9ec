"""Services over an empty database, with the sandbox as the world outside."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import pytest

from discubot_pipeline.outside import Adapters
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.wiring import Services
from tests.conftest import Sandbox
from tests.stages.firms.rig import Firm, found_firm

FirmOf = Callable[[str], Firm]
_numbers = count(1)


@pytest.fixture
def services(settings: Settings, stores: Stores, sandbox: Sandbox) -> Iterator[Services]:
    """Give services over the empty database, with the sandbox as the world."""
    urls = {service: f"{sandbox.url}/{service}" for service in ("notion", "figma")} | {
        "slack": f"{sandbox.url}/slack/api"
    }
    at = {f"{service}_url": url for service, url in urls.items()}
    here = settings.model_copy(update=at | {"figma_calls_per_minute": 100_000})
    with closing(Adapters(here, stores.engine, stores.limits)) as adapters:
        yield Services(here, stores.engine, stores, adapters)


@pytest.fixture
def firm(sandbox: Sandbox, services: Services) -> FirmOf:
    """Let teams be founded, each with a workspace of its own in the sandbox."""
    return lambda name: found_firm(sandbox, services, name, f"TSTAGES{next(_numbers)}")
