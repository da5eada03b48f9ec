"""The op and the sensor of completion hooks: what ended is told, many deliveries a run."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import dagster as dg

from discubot_pipeline.defs.ticks import RUNNING, comes_due, is_due, is_test
from discubot_pipeline.stages.deliver import drain
from discubot_pipeline.store.outbox import BELL
from discubot_pipeline.tracking.describe import Addresses
from discubot_pipeline.tracking.instance import Instance
from discubot_pipeline.tracking.jobs import UNFINISHED, JobStore
from discubot_pipeline.tracking.logger import JobLogger
from discubot_pipeline.wiring import Services

HOOKS_JOB = "hooks_job"
AT_ONCE = 4
"""Hooks that are told something at the same time by one run, so that a slow one stops no other."""
LONGEST_RUN = timedelta(minutes=2)


class Given(Instance):
    """The instance that a run has already, as the read model asks for one."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._given = instance

    @contextmanager
    def reading(self) -> Iterator[dg.DagsterInstance]:
        """Give the instance."""
        yield self._given

    def close(self) -> None:
        """Leave it open: it is the run's."""


@dg.op(required_resource_keys={"services", "job"}, out=dg.Out(dg.Nothing))
def tell_hooks(context: dg.OpExecutionContext) -> None:
    """Tell the hooks what waits in the outbox, until nothing is due."""
    services: Services = context.resources.services
    job: JobLogger = context.resources.job
    addresses = Addresses(f"{services.settings.receiver_url}/api", services.settings.web_url)
    jobs = JobStore(Given(context.instance), services.stores.dossiers, addresses)
    until = time.monotonic() + LONGEST_RUN.total_seconds()

    def work(_: int) -> Counter[str]:
        return drain(jobs.details, services.stores, services.outside, lambda: time.monotonic() < until)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        went = sum(pool.map(work, range(AT_ONCE)), Counter[str]())
    job.add_outcome(**went)
    context.add_output_metadata({name: went[name] for name in ("sent", "again", "failed")})
    job.summary(f"Told {went['sent']}, gave up {went['failed']}; {went['again']} tries are to be repeated.")


@dg.sensor(
    job_name=HOOKS_JOB,
    minimum_interval_seconds=1,
    default_status=RUNNING,
    description="Launches a run when the end of a job is to be told to a hook.",
)
def ends_to_tell(
    context: dg.SensorEvaluationContext, services: dg.ResourceParam[Services]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run as soon as something is due, unless there is one that will see to it."""
    outbox = services.stores.outbox
    if is_test(context):
        return dg.SkipReason(f"A test tells nothing. Due: {'yes' if is_due(outbox) else 'nothing'}.")
    if not comes_due(outbox, BELL, services.settings.listen_url):
        return dg.SkipReason("Nothing is to be told.")
    if context.instance.get_runs(dg.RunsFilter(job_name=HOOKS_JOB, statuses=UNFINISHED), limit=1):
        return dg.SkipReason("A run is telling already.")
    return dg.RunRequest()
