"""Loads, by being imported, what a run would load when it gets there: for a process that is copied for each worker."""

from discubot_pipeline.adapters.http import tls
from discubot_pipeline.adapters.learned.weights import learned
from discubot_pipeline.adapters.models import dialogue, providers
from discubot_pipeline.defs import queue
from discubot_pipeline.tracking.storages import events, guard, schedules

learned()
tls()
__all__ = ["dialogue", "events", "guard", "providers", "queue", "schedules"]
