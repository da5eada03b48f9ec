"""The receiver on a real port, over the test database, with the real doors."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli.ports import free_port
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.web.app import create_app
from discubot_pipeline.wiring import Adapters, Services
from tests.waiting import until


@pytest.fixture
def services(settings: Settings, stores: Stores) -> Services:
    """Give the services of a receiver."""
    return Services(settings, stores.engine, stores, Adapters(settings, stores.engine, stores.limits))


@pytest.fixture
def receiver(services: Services) -> Iterator[Service]:
    """Serve, and give a client."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(services), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    with Service("The receiver", f"http://127.0.0.1:{port}", {}) as client:
        yield client
    server.should_exit = True
    thread.join(10)
