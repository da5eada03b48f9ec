"""Stage 4, ai_analysis: what the thread is about and what is to be done. Whatever becomes of the model, it ends with
an analysis.
"""

import hashlib
import logging
from datetime import timedelta
from uuid import UUID

from discubot_pipeline.domain.analysis import Analysis, Brief, DetectedTask, Findings, Unusable, Usage
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import ParsedDiscussion, Thread
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.job import LONGEST_WAIT, Job
from discubot_pipeline.domain.meters import Meter, tally
from discubot_pipeline.ports import Analyst, Outside
from discubot_pipeline.store.stores import Stores

logger = logging.getLogger(__name__)
STEP = "analyze_thread"
LONGEST_DEFERRAL = timedelta(minutes=10)
"""People wait so long for a better analysis, and no longer."""


def analyze(thread: Thread, job: Job, stores: Stores, outside: Outside) -> Analysis:
    """Analyse the thread, or take what a run that had to wait has found already, and store it."""
    analysis = kept(thread, stores) or judge(thread, job, stores, outside)
    stores.discussions.record_analysis(analysis, job.run_id)
    return analysis


def kept(thread: Thread, stores: Stores) -> Analysis | None:
    """Give the analysis of the run before this one, which has paid for it."""
    earlier = thread.configured.parsed.resume_from
    output = stores.steps.output(earlier, STEP) if earlier else None
    return Analysis.model_validate(output).model_copy(update=FREE) if output else None


def judge(thread: Thread, job: Job, stores: Stores, outside: Outside) -> Analysis:
    """Ask the analyst that the source config chose, else the built-in one; with AI switched off ask nobody."""
    parsed = thread.configured.parsed
    config = stores.configs.source(parsed.ref.source_config_id)
    if not config.preferences.ai_enabled:
        return Analysis(discussion_id=parsed.discussion_id, findings=as_it_stands(thread), analyst="none")
    brief = brief_of(thread, config, stores)
    try:
        analysis = ask(outside.analyst(config), brief, parsed, job, stores)
    except (Transient, Permanent) as error:
        if is_worth_waiting_for(error, parsed, job):
            raise
        analysis = fall_back(error, brief, parsed, job, stores, outside.offline())
    return limited(analysis, brief, config)


def brief_of(thread: Thread, config: SourceConfig, stores: Stores) -> Brief:
    """Put together what an analyst is given."""
    chosen = config.preferences
    routed = (domain for output in stores.configs.outputs(config) if output.active for domain in output.domains)
    return Brief(
        title=thread.title,
        messages=thread.messages,
        instructions=thread.mentions,
        people=tuple(person.name for person in thread.participants if not person.is_bot),
        time_zone=chosen.time_zone,
        max_tasks=chosen.max_tasks,
        domains=chosen.domains or tuple(dict.fromkeys(routed)),
        context=thread.context,
    )


def ask(analyst: Analyst, brief: Brief, parsed: ParsedDiscussion, job: Job, stores: Stores) -> Analysis:
    """Take the answer that is kept for this very question, else ask, pay, and keep the answer."""
    key = key_of(analyst, brief)
    findings = stores.analyses.find(parsed.team_id, key) if key and not parsed.fresh else None
    if findings:
        return Analysis(discussion_id=parsed.discussion_id, findings=findings, analyst=analyst.name, cached=True)
    judgement = analyst.analyze(brief)
    pay(judgement.usage, parsed.discussion_id, job, stores)
    if key:
        stores.analyses.keep(parsed.team_id, key, analyst.name, judgement.findings)
    return Analysis(
        discussion_id=parsed.discussion_id,
        findings=judgement.findings,
        analyst=analyst.name,
        **judgement.usage.model_dump(),
    )


def key_of(analyst: Analyst, brief: Brief) -> bytes | None:
    """Name an answer by all that shapes it; None when the analyst's answers are not worth keeping."""
    if analyst.fingerprint is None:
        return None
    return hashlib.sha256(f"{analyst.fingerprint}\n{brief.model_dump_json()}".encode(errors="replace")).digest()


def pay(usage: Usage, discussion_id: UUID, job: Job, stores: Stores) -> None:
    """Add what an answer took to the step's record and to the discussion."""
    if usage.prompt_tokens or usage.answer_tokens:
        tally.add(Meter.TOKENS, usage.prompt_tokens, "prompt")
        tally.add(Meter.TOKENS, usage.answer_tokens, "answer")
        tally.add(Meter.DOLLARS, float(usage.cost_usd or 0))
        with stores.together():
            stores.steps.spend(job.run_id, STEP, usage)
            stores.discussions.spend(discussion_id, job.run_id, usage)


def is_worth_waiting_for(error: PipelineError, parsed: ParsedDiscussion, job: Job) -> bool:
    """Say whether to try again: soon while tries are left, later only once and after a pause that is not too long."""
    if not isinstance(error, Transient):
        return False
    if error.retry_after is None or error.retry_after <= LONGEST_WAIT:
        return not job.is_last_attempt
    has_waited = parsed.resume_from is not None or job.parent_run_id is not None
    return error.retry_after < LONGEST_DEFERRAL and bool(parsed.delivery_ids) and not has_waited


def fall_back(
    error: PipelineError, brief: Brief, parsed: ParsedDiscussion, job: Job, stores: Stores, offline: Analyst
) -> Analysis:
    """Let the built-in analyst do it, and say why."""
    logger.warning("analysis_degraded", extra={"reason": error.reason, "discussion_id": str(parsed.discussion_id)})
    usage = error.usage if isinstance(error, Unusable) else Usage()
    pay(usage, parsed.discussion_id, job, stores)
    return Analysis(
        discussion_id=parsed.discussion_id,
        findings=offline.analyze(brief).findings,
        analyst=offline.name,
        degraded=True,
        degraded_reason=error.reason,
        **usage.model_dump(),
    )


def limited(analysis: Analysis, brief: Brief, config: SourceConfig) -> Analysis:
    """Keep to the number of tasks and the confidence that were chosen."""
    asked = frozenset(message.id for message in brief.instructions)
    chosen = config.preferences
    findings = analysis.findings.limited(chosen.max_tasks, chosen.min_confidence, asked)
    return analysis.model_copy(update={"findings": findings})


def as_it_stands(thread: Thread) -> Findings:
    """Make one task of the discussion itself."""
    words = (thread.messages + thread.mentions)[:1]
    task = DetectedTask(title=thread.title, description=words[0].text[:500] if words else "")
    return Findings(summary=thread.title, tasks=(task,), confidence=0.0)


FREE = {**Usage().model_dump(), "cached": True}
"""What an analysis takes that has been paid for."""
