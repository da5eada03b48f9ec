"""Loads, by being imported, what a run would load when it gets there: for a process that is copied for each worker."""

from importlib import import_module

from discubot_pipeline.adapters.http import tls
from discubot_pipeline.adapters.learned.encoder import encoder
from discubot_pipeline.adapters.learned.weights import learned

LATE = (
    "anyio._backends._asyncio",
    "discubot_pipeline.adapters.models.dialogue",
    "discubot_pipeline.adapters.models.providers",
    "discubot_pipeline.defs.queue",
    "discubot_pipeline.tracking.storages.events",
    "discubot_pipeline.tracking.storages.guard",
    "discubot_pipeline.tracking.storages.schedules",
    "genai_prices.data",
    "genai_prices.decompose",
    "opentelemetry.propagate",
)
"""What is imported by name, or not before it is used."""

for name in LATE:
    import_module(name)
learned()
encoder()
tls()
