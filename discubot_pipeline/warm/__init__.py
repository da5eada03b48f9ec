"""Warm runs for Dagster: a run launcher whose workers are forked from a process that has imported everything.

Stands apart: it imports nothing of the rest of this package, and knows nothing of what the runs do.
"""
