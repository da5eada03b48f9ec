"""Explains steps: takes them from the queue one by one until it is empty. Called by the explanation job."""

import logging
from collections import Counter
from datetime import timedelta

from discubot_pipeline.domain.analysis import Unusable, Usage
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.explanation import Explanation, Wanted
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Explainer, Outside, Progress
from discubot_pipeline.stages.reasons import offline
from discubot_pipeline.store.reasonings import MOST_ATTEMPTS
from discubot_pipeline.store.stores import Stores

logger = logging.getLogger(__name__)
MOST_STEPS = 500
"""Explanations that one run writes; the next one goes on."""
LEASE = timedelta(minutes=5)
"""Longer than a model may take."""
PAUSE = timedelta(seconds=30)
"""Before another try, where nobody said how long."""
OFFLINE = "offline"


def explain_all(job: Job, stores: Stores, outside: Outside, progress: Progress) -> Counter[str]:
    """Write explanations until none waits, or it is the next run's turn; gives how many came to which end."""
    queue = stores.reasonings
    if job.parent_run_id:
        queue.give_back(job.parent_run_id)
    done: Counter[str] = Counter()
    while done.total() < MOST_STEPS and (wanted := queue.take(job.run_id, LEASE)):
        end = explain(wanted, job, stores, outside)
        done[end] += 1
        progress.increment()
        progress.add_outcome(**{end: 1})
    return done


def explain(wanted: Wanted, job: Job, stores: Stores, outside: Outside) -> str:
    """Write one explanation; gives how that ended."""
    try:
        explanation = written(wanted, explainer_of(wanted, stores, outside))
    except Transient as error:
        pause = error.retry_after or PAUSE
        is_mine = stores.reasonings.fail(wanted, job.run_id, error.reason, error.message, pause)
        return "postponed" if is_mine else "lost"
    return "explained" if stores.reasonings.complete(wanted, job.run_id, explanation) else "lost"


def explainer_of(wanted: Wanted, stores: Stores, outside: Outside) -> Explainer | None:
    """Give the model that the step's source chose, if it did and is still there."""
    if wanted.source_config_id is None:
        return None
    try:
        config = stores.configs.source(wanted.source_config_id)
    except Permanent:
        return None
    return outside.explainer(config) if config.preferences.ai_enabled else None


def written(wanted: Wanted, explainer: Explainer | None) -> Explanation:
    """Let the model explain, or do it off the record. One that only needs time is Transient while tries are left."""
    if explainer is None:
        return Explanation(text=offline(wanted), author=OFFLINE)
    try:
        return explainer.explain(wanted)
    except (Transient, Permanent) as error:
        if isinstance(error, Transient) and wanted.attempts < MOST_ATTEMPTS:
            raise
        logger.warning("explanation_degraded", extra={"reason": error.reason, "run_id": wanted.run_id})
        usage = error.usage if isinstance(error, Unusable) else Usage()
        return Explanation(text=offline(wanted), author=OFFLINE, usage=usage)
