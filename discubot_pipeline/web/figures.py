"""Writes what the database knows of all processes as families of Prometheus. Used by `metrics`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.domain.meters import BUCKETS, Meter, Sum, bound
from discubot_pipeline.store.backlog import Waiting
from discubot_pipeline.store.timing import PoolUse

Sums = Mapping[Sum, float]
BOUNDS = [bound(each) for each in BUCKETS]
LIVE = Trigger.WEBHOOK
"""Stands for inboxes in which nothing waits, so that their figures are 0 and not missing."""


def families(backlog: Sequence[Waiting], sums: Sums) -> list[Metric]:
    """Write all that was read."""
    return [
        is_up(True),
        *inbox_families(backlog),
        histogram("stage", "Tries of stages that have ended, by job.", ["job", "stage", "state"], sums, STAGES),
        histogram("external_call", "Calls that jobs have made to other services.", ["service", "status"], sums, CALLS),
        counter("model_tokens", "Tokens that language models took.", ["kind"], sums, Meter.TOKENS),
        counter("model_cost_usd", "What language models cost, in dollars.", [], sums, Meter.DOLLARS),
    ]


STAGES = (Meter.STAGES, Meter.STAGE_SECONDS)
CALLS = (Meter.CALLS, Meter.CALL_SECONDS)


def is_up(up: bool) -> Metric:
    """Say whether the figures of the database could be read; without it they are left out."""
    return GaugeMetricFamily("discubot_database_up", "1 when the figures of the database could be read.", float(up))


def pool_family(use: PoolUse) -> Metric:
    """Show the receiver's connections."""
    family = GaugeMetricFamily("discubot_pool_connections", "Connections of the receiver's pool.", labels=["state"])
    for state, count in use:
        family.add_metric([state], count)
    return family


def inbox_families(backlog: Sequence[Waiting]) -> list[Metric]:
    """Show how much is open in each inbox, and the age of the oldest that waits."""
    labels = ["source", "status", "trigger"]
    depth = GaugeMetricFamily("discubot_inbox_deliveries", "Deliveries that are not done yet.", labels=labels)
    age = GaugeMetricFamily("discubot_inbox_oldest_seconds", "Age of the oldest of them.", labels=labels)
    open_now = {(each.source, each.status, each.trigger): (each.count, each.oldest_seconds) for each in backlog}
    nothing = {(source, DeliveryStatus.PENDING, LIVE): (0, 0.0) for source in SourceType}
    for names, (count, oldest) in (nothing | open_now).items():
        depth.add_metric(names, count)
        age.add_metric(names, max(0.0, oldest))
    return [depth, age]


def counter(name: str, meaning: str, labels: Sequence[str], sums: Sums, meter: Meter) -> Metric:
    """Write sums that only grow."""
    family = CounterMetricFamily(f"discubot_{name}", meaning, labels=labels)
    for sum, amount in of(meter, sums):
        family.add_metric(sum.labels, amount)
    return family


def histogram(name: str, meaning: str, labels: Sequence[str], sums: Sums, meters: tuple[Meter, Meter]) -> Metric:
    """Write counts by bucket, each with all that were faster, and the sum of seconds."""
    counts, seconds = meters
    family = HistogramMetricFamily(f"discubot_{name}_seconds", meaning, labels=labels)
    found: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for (_, (*names, bucket)), count in of(counts, sums):
        found[tuple(names)][bucket] = count
    for each, buckets in found.items():
        up_to = accumulate(buckets.get(bound, 0) for bound in BOUNDS)
        family.add_metric(each, list(zip(BOUNDS, up_to, strict=True)), sums.get(Sum(seconds, each), 0))
    return family


def of(meter: Meter, sums: Sums) -> Iterable[tuple[Sum, float]]:
    """Give the sums of one meter."""
    return ((sum, amount) for sum, amount in sums.items() if sum.meter is meter)
