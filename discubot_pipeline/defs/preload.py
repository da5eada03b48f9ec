"""Loads, by being imported, what a run would load when it gets there: for a process that is copied for each worker."""

from discubot_pipeline.adapters.learned.weights import learned
from discubot_pipeline.adapters.models import dialogue, providers

learned()
__all__ = ["dialogue", "providers"]
